// SPDX-License-Identifier: Apache-2.0
// What a cycle is spent on, and what a unit does in it (observe/analysis/cycle_stack.h, observe/event.h).
#include <array>

#include "cli/explain/topic.h"
#include "observe/analysis/cycle_stack.h"

namespace tokencycle::cli {
namespace {

constexpr std::array<std::string_view, observe::kCauses> kCauseTexts = {
    "moving rows enter the array",
    "no cause above, and the vector unit works",
    "the array waits for a stationary tile that is being loaded",
    "the array waits for the stage that takes stored numbers apart",
    "a compute unit waits for a scratchpad bank",
    "decode waits for a load or store, whose bursts wait for the engine's scratchpad port",
    "decode waits for a load or store, and a DRAM data bus carries data or spaces its bursts",
    "the same, no bus does, and a channel closes another row first",
    "the same, and a channel opens a closed row, or a bank does not take the command yet",
    "the same, and a channel's bus changes between reading and writing",
    "the same, and a refresh is due or under way",
    "the same, and no channel waits: bursts are on their way",
    "decode waits for instruction words, or instructions are on their way to the units",
    "results leave the array, or the program ends",
    "more finished instructions wait than writeback has ports",
    "the rest: from a result to the instruction that waited for it",
};

constexpr std::array<std::string_view, observe::kStates> kStateTexts = {
    "any: it has nothing to do",
    "any: it does its work; load and store: a transfer is under way and a DRAM data bus carries data",
    "decode: the next word is not in the instruction buffer",
    "fetch: the instruction buffer has no room",
    "decode: an operand is still being produced",
    "decode: the destination is still being read",
    "decode: the destination is still being written",
    "decode: the unit's queue is full",
    "decode: no free scoreboard entry",
    "decode: waits for units to become empty",
    "load, store: memory waits for nothing, bursts are on their way",
    "DRAM channel, load, store: another row is closed first, then the wanted one opened",
    "DRAM channel, load, store: a closed row is opened, or its bank, rank or channel does not take the "
    "activation yet",
    "DRAM channel, load, store: the data bus changes between reading and writing",
    "DRAM channel, load, store: a refresh is due or under way",
    "DRAM channel, load, store: bursts of open rows may not follow more closely, or the command bus is taken",
    "matrix, vector: waits for a scratchpad bank",
    "matrix: only a stationary tile is loaded",
    "matrix: results leave the array, nothing enters",
    "writeback: more finished instructions than ports",
    "any: no program runs",
    "load, store: at least as many bursts wait for the scratchpad port as for memory",
    "decode: waits for a signal",
    "decode: a word of the scratchpad is on its way to an address register",
    "matrix: the stage that takes stored numbers apart takes longer than the port",
};

}  // namespace

Topic causes_topic() {
  Topic topic{{"cause", "holds when"}, {}, {}};
  for (std::size_t c = 0; c < kCauseTexts.size(); ++c) {
    topic.rows.push_back(
        {std::string(observe::name_of(static_cast<observe::Cause>(c))), std::string(kCauseTexts[c])});
  }
  topic.notes = {
      "Each cycle has the first cause that applies, so causes sum to the time. Work comes before waiting: "
      "latency that is hidden costs nothing.",
      "When channels wait for different things, the first of refresh, row conflict, turnaround and bank "
      "busy counts."};
  return topic;
}

Topic states_topic() {
  Topic topic{{"state", "unit and meaning"}, {}, {}};
  for (std::size_t s = 0; s < kStateTexts.size(); ++s) {
    topic.rows.push_back(
        {std::string(observe::name_of(static_cast<observe::State>(s))), std::string(kStateTexts[s])});
  }
  topic.notes = {"Each unit is in exactly one state per cycle."};
  return topic;
}

}  // namespace tokencycle::cli
