// SPDX-License-Identifier: Apache-2.0
#include "machine/machine_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "isa/program.h"

namespace tokencycle::machine {

namespace {

using observe::State;

constexpr const char* kSpaces[] = {"scratchpad", "accumulator", "DRAM"};  // by isa::Space

// Of an instruction in flight. Later stages have the time of decoding until they are reached, which is before
// all of them; and it has left decode when it is here.
std::string stage_text(const observe::InstructionRecord& r) {
  const Cycle left = r.written_back;
  const auto since = [](const char* stage, Cycle cycle) {
    return fmt::format("{} in cycle {}", stage, cycle.value);
  };
  if (r.finished > left) return since("finished", r.finished);
  if (r.started > left) return since("started", r.started);
  if (r.dispatched > left) return since("dispatched", r.dispatched);
  return since("left decode", left);
}

std::vector<const InFlight*> in_flight(const Scoreboard& board) {
  std::vector<const InFlight*> all;
  for (const InFlight& e : board.entries()) {
    if (e.used) all.push_back(&e);
  }
  std::ranges::sort(all, {}, [](const InFlight* e) { return e->record.sequence; });
  return all;
}

// "scratchpad bytes 0 to 64 of word 2": the first memory of the two lists that both have; empty: none.
std::string common_text(std::span<const isa::Range> mine, std::span<const isa::Range> theirs,
                        const InFlight& other) {
  for (const isa::Range& m : mine) {
    for (const isa::Range& t : theirs) {
      if (!m.overlaps(t)) continue;
      return fmt::format("{} bytes {} to {} of word {}", kSpaces[static_cast<std::size_t>(m.space)],
                         std::max(m.begin, t.begin), std::min(m.end, t.end), other.record.pc);
    }
  }
  return "";
}

// The memory of a hazard against an instruction of `unit`.
std::string hazard_text(State hazard, isa::Unit unit, const Decode& decode) {
  const isa::Footprint& mine = decode.footprint();
  for (const InFlight* e : in_flight(decode.scoreboard())) {
    if (e->record.unit != unit) continue;
    const auto my_ranges = hazard == State::read_after_write ? mine.read_ranges() : mine.write_ranges();
    const auto their_ranges =
        hazard == State::write_after_read ? e->footprint.read_ranges() : e->footprint.write_ranges();
    if (const std::string text = common_text(my_ranges, their_ranges, *e); !text.empty())
      return " on " + text;
  }
  return "";
}

std::string decode_text(const CoreParts& parts) {
  const Decode& decode = parts.decode;
  std::string text = fmt::format("word {}, {}", decode.pc(), observe::name_of(decode.state()));
  if (decode.held() == nullptr) return text;
  text += fmt::format("\n    holds {}", isa::disassemble(*decode.held()));
  const Obstacle obstacle = decode.obstacle();
  if (obstacle.state == State::busy) return text;
  text += fmt::format("\n    waits for {} because of {}", name_of(observe::unit_id(obstacle.unit)),
                      observe::name_of(obstacle.state));
  switch (obstacle.state) {
    case State::queue_full:
      return text + fmt::format(": {} instructions", parts.machine.dispatch.queue_depth);
    case State::scoreboard_full:
      return text + fmt::format(": {} entries", parts.machine.scoreboard.entries);
    case State::fence:
      return text;
    case State::word_wait:
      return text + fmt::format(": the word at scratchpad byte {}", decode.held()->a.byte());
    case State::semaphore_wait:
      return text + fmt::format(": nothing has signalled semaphore {}", decode.held()->semaphore);
    default:
      return text + hazard_text(obstacle.state, obstacle.unit, decode);
  }
}

}  // namespace

std::string channels_text(const config::Machine& machine, memory::Interconnect& memory) {
  std::string text;
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    const memory::DramQueues q = memory.queues(i);
    text += fmt::format("\n  {}: {}, {} reads and {} writes wait, {} with their row open",
                        name_of(observe::channel_id(i)), observe::name_of(memory.state(i)), q.reads, q.writes,
                        q.activated);
  }
  return text;
}

std::string units_text(const CoreParts& parts) {
  std::string text;
  const auto line = [&](observe::UnitId unit, const std::string& what) {
    text += fmt::format("\n  {}: {}", name_of(unit, parts.core, parts.machine.cores), what);
  };
  const auto state = [](const auto& unit) { return std::string(observe::name_of(unit.state())); };
  // Of each unit of a kind.
  const auto lines = [&](observe::UnitId first, const auto& units, const auto& what) {
    for (std::uint32_t i = 0; i < units.size(); ++i) line(nth(first, i), state(*units[i]) + what(*units[i]));
  };
  const auto transfers = [](const DmaEngine& engine) {
    return fmt::format(", {} transfers, {} bursts in flight", engine.transfers(), engine.bursts_in_flight());
  };
  const auto queue = [](const auto& unit) { return fmt::format(", {} instructions", unit.queued()); };
  line(observe::UnitId::fetch,
       fmt::format("{}, words {} to {} asked for or there, {} bursts in flight", state(parts.fetch),
                   parts.fetch.first_word(), parts.fetch.end_word(), parts.fetch.bursts_in_flight()));
  line(observe::UnitId::decode, decode_text(parts));
  line(observe::UnitId::dispatch, state(parts.dispatch));
  lines(observe::UnitId::load, parts.loads, transfers);
  lines(observe::UnitId::store, parts.stores, transfers);
  lines(observe::UnitId::matrix, parts.matrices, queue);
  lines(observe::UnitId::vector, parts.vectors, queue);
  line(observe::UnitId::writeback,
       fmt::format("{}, {} waiting", state(parts.writeback), parts.writeback.waiting()));
  return text;
}

std::string in_flight_text(const CoreParts& parts) {
  std::string text =
      parts.machine.cores == 1 ? "\n  in flight:" : fmt::format("\n  core{} in flight:", parts.core);
  const std::vector<const InFlight*> all = in_flight(parts.decode.scoreboard());
  if (all.empty()) text += " none";
  for (const InFlight* e : all) {
    text += fmt::format("\n    word {}: {}   ({}, {})", e->record.pc, isa::disassemble(e->instruction),
                        name_of(observe::unit_id(e->record)), stage_text(e->record));
  }
  return text;
}

}  // namespace tokencycle::machine
