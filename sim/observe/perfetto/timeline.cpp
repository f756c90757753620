// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto/timeline.h"

#include <fmt/format.h>

#include <array>

namespace tokencycle::observe {

namespace {

std::string token_name(std::string_view phase, std::uint32_t number) {
  return phase == "decode" ? fmt::format("token {}", number) : std::string(phase);
}

constexpr std::size_t kTokenText = 64;  // of a token's name and phase

}  // namespace

PerfettoTimeline::PerfettoTimeline(PerfettoFile& file, PerfettoNames& names, std::uint32_t root)
    : names_(names),
      tokens_(file, {"token", root, 0}),
      layers_(file, {"layer", root, 1}),
      slices_(file, {"operator", root, 2}) {}

void PerfettoTimeline::begin_step(const TraceStep& step) {
  operators_.begin(*step.program, step.start);
  step_ = TokenSpan::of(step);
  step_operators_.clear();
  for (const isa::OperatorName& o : step.program->operators) {
    step_operators_.push_back({names_.of(o.name), o.layer});
  }
}

void PerfettoTimeline::end_step(Cycle end, Ending ending) {
  std::vector<OperatorUse> uses = operators_.take(end);
  if (ending == Ending::unwanted) return;
  if (ending == Ending::cut) give_rest_to_last_worker(uses);
  write_operators(uses);
  step_.end = end;
  if (token_ && !token_->goes_on_with(step_)) end_token();
  if (token_) {
    token_->add(step_);
  } else {
    token_ = step_;
  }
}

void PerfettoTimeline::end_token() {
  if (!token_) return;
  const std::string name = token_name(token_->phase, token_->number);
  const std::array annotations = {
      PerfettoAnnotation{PerfettoKey::phase, 0, names_.of(token_->phase)},
      PerfettoAnnotation{PerfettoKey::tokens, token_->tokens, {}},
  };
  tokens_.slice(token_->start, token_->end, {0, name}, annotations);
  token_.reset();
}

void PerfettoTimeline::write_operators(const std::vector<OperatorUse>& uses) {
  Cycle at = step_.start, layer_start = at;
  int layer = -1;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].cycles == 0) continue;
    if (step_operators_[i].layer != layer) {
      write_layer(layer, layer_start, at);
      layer = step_operators_[i].layer;
      layer_start = at;
    }
    const std::array annotations = {PerfettoAnnotation{PerfettoKey::instructions, uses[i].instructions, {}}};
    slices_.slice(at, at + uses[i].cycles, step_operators_[i].name, annotations);
    at = at + uses[i].cycles;
  }
  write_layer(layer, layer_start, at);
}

void PerfettoTimeline::write_layer(int layer, Cycle start, Cycle end) {
  if (layer >= 0) layers_.slice(start, end, names_.of(fmt::format("layer {}", layer)));
}

std::uint64_t PerfettoTimeline::bound(const TraceStep& step) {
  std::uint64_t bytes = 2 * PerfettoTrack::slice_bound(2, kTokenText);
  for (const isa::OperatorName& o : step.program->operators) {
    bytes += PerfettoTrack::slice_bound(1, o.name.size()) + PerfettoTrack::slice_bound(0, 20);
  }
  return bytes;
}

}  // namespace tokencycle::observe
