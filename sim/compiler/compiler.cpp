// SPDX-License-Identifier: Apache-2.0
#include "compiler/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <stdexcept>

#include "base/error.h"
#include "compiler/emit/load_schedule.h"
#include "compiler/lower/step.h"
#include "compiler/passes/batch.h"
#include "compiler/passes/layout.h"
#include "compiler/passes/refuse.h"
#include "compiler/passes/step_time.h"

namespace tokencycle::compiler {
namespace {

void check_segment(const Segment& s, const Options& options) {
  if (s.sequence >= options.sequences) {
    throw SimulationError(fmt::format("a step of sequence {}; there are {} (0 to {})", s.sequence,
                                      options.sequences, options.sequences - 1));
  }
  if (s.position < options.context && s.tokens <= options.context - s.position) return;
  throw SimulationError(
      fmt::format("positions {} .. {} are beyond the context of {}; raise --context or generate fewer tokens",
                  s.position, std::uint64_t{s.position} + s.tokens - 1, options.context));
}

// Several sequences share a step a token each, as many as there are; with more tokens, what a prompt may
// have.
void check_step(const Step& step, const Options& options, std::uint32_t batch_limit) {
  std::vector<bool> seen(options.sequences);
  for (const Segment& s : step.segments) {
    check_segment(s, options);
    if (s.tokens == 0) throw SimulationError("a step with a sequence of no tokens");
    if (seen[s.sequence]) throw SimulationError(fmt::format("a step with sequence {} twice", s.sequence));
    seen[s.sequence] = true;
  }
  const std::uint32_t tokens = step.tokens();
  const std::uint32_t most = step.longest() == 1 ? std::max(batch_limit, options.sequences) : batch_limit;
  if (tokens == 0 || tokens > most) {
    throw SimulationError(
        fmt::format("a step of {} tokens; the machine holds 1 .. {} at once", tokens, most));
  }
  if (step.outputs > tokens) {
    throw SimulationError(fmt::format("logits of {} rows of a step of {} tokens", step.outputs, tokens));
  }
}

// Plans are made for a round number of positions, so that there are few different ones.
std::uint32_t planned_positions(std::uint32_t positions, std::uint32_t context) {
  return std::min(std::max(std::bit_ceil(positions), kPlainGroup), context);
}

// So many sequences with as many tokens each, at the end of so many positions.
Step equal_segments(std::uint32_t sequences, std::uint32_t tokens, std::uint32_t end) {
  Step step{{}, sequences * tokens};
  for (std::uint32_t s = 0; s < sequences; ++s) step.segments.push_back({s, end - tokens, tokens});
  return step;
}

// Room for the words of any step, twice what the longest of a few take: a token of each sequence and a batch
// of one, where the attention is longest and where the weights come in the smallest chunks.
std::uint64_t program_room(const Compiler& compiler, const Demands& d, std::uint32_t scratchpad_bytes) {
  const std::uint32_t context = compiler.context();
  std::uint64_t words = 0;
  for (const auto& [sequences, tokens] :
       {std::pair{compiler.sequences(), 1u}, std::pair{1u, compiler.batch_limit()}}) {
    std::uint32_t longest = context;
    std::uint32_t smallest_chunk = std::numeric_limits<std::uint32_t>::max();
    for (std::uint32_t end = planned_positions(tokens, context);; end = planned_positions(end + 1, context)) {
      const std::optional<Plan> plan =
          plan_scratchpad(d, scratchpad_bytes, {sequences * tokens, tokens, end});
      if (plan && plan->chunk_bytes < smallest_chunk) {
        smallest_chunk = plan->chunk_bytes;
        longest = end;
      }
      if (end == context) break;
    }
    for (const std::uint32_t end : {longest, context}) {
      const Step step = equal_segments(sequences, tokens, end);
      words = std::max<std::uint64_t>(words, compiler.compile(step).program.words.size());
    }
  }
  constexpr std::uint64_t kSlackWords = 512;
  return (2 * words + kSlackWords) * isa::kWordBytes;
}

}  // namespace

std::uint32_t Step::tokens() const {
  std::uint32_t sum = 0;
  for (const Segment& s : segments) sum += s.tokens;
  return sum;
}

std::uint32_t Step::longest() const {
  std::uint32_t most = 0;
  for (const Segment& s : segments) most = std::max(most, s.tokens);
  return most;
}

std::uint32_t Step::end() const {
  std::uint32_t most = 0;
  for (const Segment& s : segments) most = std::max(most, s.position + s.tokens);
  return most;
}

Compiler::Compiler(const model::LlamaModel& model, const config::Machine& machine, const Options& options)
    : Compiler(Source{&model.graph(), model.file().data_bytes(), model.shape().context}, machine, options) {}

Compiler::Compiler(const Source& source, const config::Machine& machine, const Options& options)
    : source_(source), machine_(machine), options_(options) {
  const model::Graph& graph = *source.graph;
  if (!kCacheFormats.has(options.kv_format)) {
    throw UsageError(
        fmt::format("a KV cache in {}; allowed: {}", name_of(options.kv_format), kCacheFormats.names()));
  }
  if (options_.context == 0) options_.context = source.context;
  if (options_.context > source.context) {
    throw UsageError(fmt::format("--context is {}; the model was made for at most {} positions",
                                 options_.context, source.context));
  }
  refuse_graph(graph);
  demands_ = demands_of(graph, fuse(graph, options.fusions), machine, options.kv_format);
  model::check_cache(graph, options.kv_format);
  refuse_missing_types(graph, machine, options.kv_format);
  refuse_thin_arrays(graph, machine);
  refuse_large_shapes(demands_, options_.context);
  refuse_small_memories(demands_, machine, options_.context);
  refuse_streams(demands_, machine, options_.context);
  refuse_many_sequences(demands_, machine, options_);
  batch_limit_ = largest_batch(demands_, machine, options_);
  layout_ = assign_layout(source, options_, std::max(batch_limit_, options_.sequences));
  refuse_small_dram(demands_, layout_, machine);
  refuse_long_programs(demands_, machine, options_.context);
  if (!options.reserve_program) return;
  place_program(layout_, program_room(*this, demands_, machine.scratchpad.capacity_bytes));
  refuse_small_dram(demands_, layout_, machine);
}

std::optional<SmallBatch> Compiler::small_batch(std::uint32_t prompt_tokens) const {
  const std::uint32_t useful = std::min(useful_batch(*source_.graph, machine_), prompt_tokens);
  if (demands_.streamed || batch_limit_ >= useful || batch_limit_ == options_.max_batch) return std::nullopt;
  return SmallBatch{batch_limit_, useful, scratchpad_for(useful)};
}

std::uint32_t Compiler::scratchpad_for(std::uint32_t tokens) const {
  return scratchpad_for_batch(demands_, machine_, options_, tokens);
}

// Of a prompt in steps of `batch`, from estimates of its first, middle and last step.
double Compiler::prompt_cycles(std::uint32_t prompt_tokens, std::uint32_t batch) const {
  const auto steps = static_cast<std::uint32_t>(ceil_div(prompt_tokens, batch));
  const auto cycles = [&](std::uint32_t step) {
    const std::uint32_t position = step * batch;
    const bool last = step + 1 == steps;
    const Step what = one_sequence(position, std::min(batch, prompt_tokens - position), last ? 1 : 0);
    return estimated_cycles(compile(what).program, machine_);
  };
  double sum = cycles(0);
  if (steps > 1) sum += cycles(steps - 1);
  if (steps > 2) sum += (steps - 2) * cycles(steps / 2);
  return sum;
}

std::uint32_t Compiler::batch_for(std::uint32_t prompt_tokens) const {
  const std::uint32_t most = std::min(batch_limit_, prompt_tokens);
  if (options_.max_batch != 0 || demands_.streamed || most <= 1) return batch_limit_;
  // As few steps as can be, unless more of them are clearly better: an estimate is not exact.
  constexpr double kClearly = 0.97, kHopeless = 1.5;
  auto steps = static_cast<std::uint32_t>(ceil_div(prompt_tokens, most));
  const auto fewest = static_cast<std::uint32_t>(ceil_div(prompt_tokens, steps));
  std::uint32_t best = fewest;
  double best_cycles = prompt_cycles(prompt_tokens, fewest);
  while (best != 1 && (steps += std::max(1u, steps / 4)) < prompt_tokens) {
    const auto batch = static_cast<std::uint32_t>(ceil_div(prompt_tokens, steps));
    const double cycles = prompt_cycles(prompt_tokens, batch);
    if (cycles < (best == fewest ? kClearly : 1) * best_cycles) {
      best = batch;
      best_cycles = cycles;
    }
    if (cycles > kHopeless * best_cycles) break;
  }
  return best;
}

const Plan& Compiler::plan_of(const Step& step) const {
  const StepShape shape{step.tokens(), step.longest(), planned_positions(step.end(), options_.context)};
  const auto known = plans_.find(shape);
  if (known != plans_.end()) return known->second;
  std::optional<Plan> plan = plan_scratchpad(demands_, machine_.scratchpad.capacity_bytes, shape);
  if (!plan) throw std::logic_error("a step within the checked limits does not fit the scratchpad");
  return plans_.emplace(shape, std::move(*plan)).first->second;
}

CompiledStep Compiler::compile(const Step& step) const {
  check_step(step, options_, batch_limit_);
  const StepContext context{machine_, demands_, layout_, plan_of(step), step};
  const Draft draft = Lowering(context).run();

  CompiledStep result;
  result.program.machine = fmt::format("{} {}", machine_.name, machine_.digest);
  result.program.operators.reserve(source_.graph->operators.size());
  for (const model::Operator& op : source_.graph->operators)
    result.program.operators.push_back({op.name, op.layer});
  schedule_loads(draft, schedule_limits(machine_), result);
  const std::uint64_t bytes = result.program.words.size() * isa::kWordBytes;
  if (!options_.reserve_program) {
    DramLayout whole = layout_;
    place_program(whole, bytes);
    refuse_small_dram(demands_, whole, machine_);
  }
  if (layout_.program_bytes != 0 && bytes > layout_.program_bytes) {
    throw SimulationError(
        fmt::format("a step of {} tokens up to position {} takes {} bytes of program; {} are reserved",
                    step.tokens(), step.end(), bytes, layout_.program_bytes));
  }
  return result;
}

}  // namespace tokencycle::compiler
