// SPDX-License-Identifier: Apache-2.0
#include "proof/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "proof/waves.h"

namespace tokencycle::proof {

namespace {

using Time = std::uint64_t;

Time more(Time a, Time b) {
  return a > b ? a - b : 0;
}

Time tree_steps(Time inputs) {
  Time levels = 0;
  while ((Time{1} << levels) < inputs) ++levels;
  return levels;
}

// The rules of one array; e is the cycle in which a pass entered.
class Rules {
 public:
  explicit Rules(const Trial& trial) : m_(trial.matrix()), hops_(Time{m_.rows} + m_.columns - 2) {}

  bool output() const { return m_.dataflow == config::Dataflow::output_stationary; }
  bool dot() const { return m_.dataflow == config::Dataflow::dot_product; }

  // A tile's lines come in one a cycle; a systolic array shifts as many as it has.
  Time loaded(Time start, const isa::Instruction& preload) const {
    const bool kn = preload.order == isa::TileOrder::kn;
    if (dot()) return start + (kn ? preload.rows : preload.cols);
    return start + (kn ? m_.rows : m_.columns);
  }
  // The load chain moves on every cycle and must not overtake the wave that changes tiles.
  Time tile_free(Time e, const Wave& took) const { return dot() ? e : e + hops_ * (took.step - 1); }
  Time entered(Time e, const Wave& w) const {
    return e + Time{output() ? w.work->depth : w.work->rows} * w.step;
  }
  Time left(Time e, const Wave& w) const {
    if (dot()) return entered(e, w) - w.step + sum_latency(w) + w.fold;
    return entered(e, w) + hops_ * w.step + w.fold;
  }
  Time follows(Time e, const Wave& before, const Wave& next) const {
    const Time sooner = more(before.fold, next.fold), faster = more(before.step, next.step);
    if (dot()) return entered(e, before) + more(sum_latency(before), sum_latency(next)) + sooner;
    if (!output()) return entered(e, before) + hops_ * faster + sooner;
    const Time bus_free = Time{before.work->rows} * before.step + before.fold;
    return entered(e, before) + more(bus_free, Time{next.work->depth} * next.step + next.fold) +
           hops_ * faster;
  }
  // When the totals that a pass has made can take further terms: a wave over the same sums meets each of them
  // in the same order, so it follows by the folds (a cell of an output-stationary array takes its old total
  // when the next one's first group ends); any other waits for the end.
  Time folded(Time e, const Wave& before, const Wave& next) const {
    const isa::Instruction &b = *before.work, &n = *next.work;
    if (!n.accumulate || before.fold == 0 || next.fold == 0) return 0;
    if (!isa::footprint(b).writes[0].overlaps(isa::footprint(n).writes[0])) return 0;
    const bool same = b.dst == n.dst && b.dst_stride == n.dst_stride && b.transposed == n.transposed &&
                      before.step == next.step &&
                      (before.kind == test::Kind::real) == (next.kind == test::Kind::real);
    if (!same) return left(e, before);
    if (!output()) return e + before.fold;
    return more(entered(e, before) + before.fold, Time{std::min(n.depth, next.group)} * next.step);
  }
  // A float sum goes in again a cycle after it came out.
  Time goes_on(Time e, const Wave& w) const {
    return w.work->open || w.kind != test::Kind::real ? e : e + Time{m_.rows} * w.step + 1;
  }
  // The edges of an output-stationary array read a line a cycle; how that delays the pass behind one that is
  // too short for it, or that ends within an edge buffer, is no matter of the array.
  bool exact(const Wave& w) const {
    const isa::Instruction& i = *w.work;
    const std::uint32_t top = i.order == isa::TileOrder::kn ? std::min(i.depth, kPlainGroup) : i.cols;
    const bool whole = i.depth <= kPlainGroup || i.depth % kPlainGroup == 0;
    return !output() || (whole && i.depth >= std::max(i.rows, top));
  }

 private:
  Time sum_latency(const Wave& w) const {
    const Time segment = std::min(m_.rows, w.group), segments = (m_.rows + w.group - 1) / w.group;
    if (w.kind == test::Kind::real) return (1 + segment) * w.step;
    const Time further = w.kind == test::Kind::integer ? tree_steps(segments) : 0;
    return (1 + tree_steps(segment) + further) * w.step;
  }
  const config::Matrix& m_;
  Time hops_;
};

struct Past {
  Time issue = 0, tile_loaded = 0, tile_free = 0, drained = 0;
  const Wave* last = nullptr;
  Time last_entered = 0;
  std::vector<std::pair<const Wave*, Time>> waves;  // all, with their entries
};

Time earliest_preload(const Trial& trial, const Past& past) {
  const Time buffer =
      trial.matrix().double_buffered ? past.tile_free : std::max(past.tile_free, past.drained);
  return std::max({past.issue, past.tile_loaded, buffer});
}

Time earliest_pass(const Trial& trial, const Rules& rules, const Past& past, const Wave& wave) {
  Time earliest = past.issue;
  if (wave.work->swap) earliest = std::max(earliest, past.tile_loaded);
  if (past.last == nullptr) return earliest;
  if (!trial.matrix().back_to_back) earliest = std::max(earliest, past.drained);
  if (wave.tile != nullptr) earliest = std::max(earliest, rules.goes_on(past.last_entered, wave));
  for (const auto& [before, e] : past.waves) earliest = std::max(earliest, rules.folded(e, *before, wave));
  return std::max(earliest, rules.follows(past.last_entered, *past.last, wave));
}

}  // namespace

std::string starts_differ(const Trial& trial, const FastRun& fast) {
  const Rules rules(trial);
  const std::vector<Wave> waves = waves_of(trial);
  auto wave = waves.begin();
  Past past;
  for (std::size_t i = 0; i < trial.program.size(); ++i) {
    const Time start = fast.times[i].started;
    const bool preload = trial.program[i].op == isa::Opcode::preload;
    const Time earliest = preload ? earliest_preload(trial, past) : earliest_pass(trial, rules, past, *wave);
    const bool exact = preload || past.last == nullptr || rules.exact(*past.last);
    if (start < earliest || (exact && start > earliest)) {
      return fmt::format("instruction {} started in cycle {}, the array takes it in {}\n", i, start,
                         earliest);
    }
    past.issue = start + 1;
    if (preload) {
      past.tile_loaded = rules.loaded(start, trial.program[i]);
      continue;
    }
    if (wave->work->swap) past.tile_free = rules.tile_free(start, *wave);
    past.drained = std::max(past.drained, rules.left(start, *wave));
    past.last = &*wave++;
    past.last_entered = start;
    past.waves.emplace_back(past.last, start);
  }
  return {};
}

}  // namespace tokencycle::proof
