// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/load_schedule.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

// The chunk before `j` whose bytes chunk j takes over; j itself when there is none. Chunks lie in
// ring order, so the newest of them is released last.
std::size_t taken_over(const std::vector<Chunk>& chunks, std::size_t j) {
  for (std::size_t i = j; i-- > 0;) {
    if (chunks[i].begin < chunks[j].end && chunks[j].begin < chunks[i].end) return i;
  }
  return j;
}

// The first word at or after `word` that a load may stand before.
std::uint32_t next_break(const Draft& d, std::uint32_t word) {
  while (word < d.words.size() && !d.breakable[word]) ++word;
  return word;
}

// The word that the load of chunk j goes before.
std::uint32_t place(const Draft& d, const ScheduleLimits& limits, std::size_t j, std::uint32_t previous) {
  const Chunk& chunk = d.chunks[j];
  std::uint32_t at = std::max(chunk.earliest, previous);
  if (j >= limits.ahead) at = std::max(at, d.chunks[j - limits.ahead].acquired);
  const std::size_t before = taken_over(d.chunks, j);
  if (before != j) {
    const std::uint32_t free = d.chunks[before].released;
    at = std::max(at, free);
    // A little later, unless that would be too late to overlap with anything.
    std::uint32_t late = at;
    while (late < chunk.acquired && d.executed[late] < d.executed[free] + limits.lag) ++late;
    late = next_break(d, late);
    if (late < chunk.acquired) at = late;
  }
  return std::min(next_break(d, at), chunk.acquired);
}

class Merger {
 public:
  Merger(const Draft& draft, CompiledStep& step) : draft_(draft), step_(step) {
    step.program.words.reserve(draft.words.size() + draft.chunks.size());
    moved_.resize(draft.words.size());
  }
  void add_load(const Chunk& chunk) { add(chunk.load, chunk.operator_id); }
  void add_word(std::uint32_t i) {
    moved_[i] = static_cast<std::uint32_t>(step_.program.words.size());
    add(draft_.words[i], draft_.operator_ids[i]);
  }
  void finish() {
    step_.taps = draft_.taps;
    for (Tap& tap : step_.taps) tap.from = moved_[tap.from], tap.after = moved_[tap.after];
  }

 private:
  void add(const isa::Word& word, std::uint32_t operator_id) {
    auto& sections = step_.program.sections;
    const auto at = static_cast<std::uint32_t>(step_.program.words.size());
    step_.program.words.push_back(word);
    if (operator_id == kNoOperator) return;
    if (!sections.empty() && sections.back().operator_id == operator_id &&
        sections.back().first + sections.back().count == at) {
      ++sections.back().count;
    } else {
      sections.push_back({at, 1, operator_id});
    }
  }

  const Draft& draft_;
  CompiledStep& step_;
  std::vector<std::uint32_t> moved_;  // new index of each word
};

}  // namespace

ScheduleLimits schedule_limits(const config::Machine& machine) {
  constexpr std::uint32_t kInFlight = 4;  // behind the queue: in decode, in the array and on the way out
  return {machine.dispatch.queue_depth, machine.dispatch.queue_depth + kInFlight};
}

void schedule_loads(const Draft& draft, const ScheduleLimits& limits, CompiledStep& step) {
  Merger merger(draft, step);
  std::uint32_t next = 0, previous = 0;
  for (std::size_t j = 0; j < draft.chunks.size(); ++j) {
    if (!draft.chunks[j].has_load) continue;
    previous = place(draft, limits, j, previous);
    while (next < previous) merger.add_word(next++);
    merger.add_load(draft.chunks[j]);
  }
  while (next < draft.words.size()) merger.add_word(next++);
  merger.finish();
}

}  // namespace tokencycle::compiler
