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

std::string decode_text(const MachineParts& parts) {
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
    case State::semaphore_wait:
      return text + fmt::format(": nothing has signalled semaphore {}", decode.held()->semaphore);
    default:
      return text + hazard_text(obstacle.state, obstacle.unit, decode);
  }
}

std::string channels_text(const MachineParts& parts) {
  std::string text;
  for (std::uint32_t i = 0; i < parts.machine.dram.channels; ++i) {
    const memory::DramQueues q = parts.memory.queues(i);
    text += fmt::format("\n  {}: {}, {} reads and {} writes wait, {} with their row open",
                        name_of(observe::channel_id(i)), observe::name_of(parts.memory.state(i)), q.reads,
                        q.writes, q.activated);
  }
  return text;
}

}  // namespace

std::string state_text(const MachineParts& parts) {
  std::string text;
  const auto line = [&text](observe::UnitId unit, const std::string& what) {
    text += fmt::format("\n  {}: {}", name_of(unit), what);
  };
  const auto state = [](const auto& unit) { return std::string(observe::name_of(unit.state())); };
  line(observe::UnitId::fetch,
       fmt::format("{}, words {} to {} asked for or there, {} bursts in flight", state(parts.fetch),
                   parts.fetch.first_word(), parts.fetch.end_word(), parts.fetch.bursts_in_flight()));
  line(observe::UnitId::decode, decode_text(parts));
  line(observe::UnitId::dispatch, state(parts.dispatch));
  const auto dma = [&](observe::UnitId id, const DmaEngine& engine) {
    line(id, fmt::format("{}, {} transfers, {} bursts in flight", state(engine), engine.transfers(),
                         engine.bursts_in_flight()));
  };
  dma(observe::UnitId::load, parts.load);
  dma(observe::UnitId::store, parts.store);
  line(observe::UnitId::matrix,
       fmt::format("{}, {} instructions", state(parts.matrix), parts.matrix.queued()));
  line(observe::UnitId::vector,
       fmt::format("{}, {} instructions", state(parts.vector), parts.vector.queued()));
  line(observe::UnitId::writeback,
       fmt::format("{}, {} waiting", state(parts.writeback), parts.writeback.waiting()));
  text += channels_text(parts) + "\n  in flight:";
  const std::vector<const InFlight*> all = in_flight(parts.decode.scoreboard());
  if (all.empty()) text += " none";
  for (const InFlight* e : all) {
    text += fmt::format("\n    word {}: {}   ({}, {})", e->record.pc, isa::disassemble(e->instruction),
                        name_of(observe::unit_id(e->record.unit)), stage_text(e->record));
  }
  return text;
}

}  // namespace tokencycle::machine
