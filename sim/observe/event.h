// SPDX-License-Identifier: Apache-2.0
// The one observation path: units report typed events once, in order of time; everything else subscribes.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "isa/instruction.h"
#include "isa/vector/function.h"
#include "numerics/format.h"

namespace tokencycle::observe {

// The blocks of the machine that are always in exactly one state. DRAM channels follow `writeback`:
// channel i has the id kFirstChannel + i.
enum class UnitId : std::uint8_t { fetch = 0, decode, dispatch, load, store, matrix, vector, writeback };
inline constexpr std::uint8_t kFirstChannel = static_cast<std::uint8_t>(UnitId::writeback) + 1;
inline constexpr UnitId channel_id(std::uint32_t i) {
  return static_cast<UnitId>(kFirstChannel + i);
}
// Of a core; an id says which unit of its core, Event::core says which core.
inline constexpr std::uint8_t kMostChannels = 64;
constexpr bool is_channel(UnitId unit) {
  return static_cast<unsigned>(unit) - kFirstChannel < kMostChannels;
}
// The n-th unit of the kind of `first`, from 0: further units have the ids behind the channels.
constexpr UnitId nth(UnitId first, std::uint32_t n) {
  if (n == 0) return first;
  return static_cast<UnitId>(kMostChannels + kFirstChannel * n + static_cast<std::uint32_t>(first));
}
constexpr std::uint32_t index_of_kind(UnitId unit) {
  const auto id = static_cast<std::uint32_t>(unit);
  return id < kFirstChannel ? 0 : (id - kMostChannels) / kFirstChannel;
}
constexpr UnitId kind_of(UnitId unit) {
  if (is_channel(unit)) return unit;
  return static_cast<UnitId>(static_cast<unsigned>(unit) % kFirstChannel);
}

// "fetch", "decode", "dma0.read", "matrix0", "dram.channel3": the same names in every output.
std::string name_of(UnitId unit);
// With several cores "core1.matrix0".
std::string name_of(UnitId unit, std::uint32_t core, std::uint32_t cores);

// The executing unit's id of an instruction's unit (not for front_end).
constexpr UnitId unit_id(isa::Unit unit) {
  switch (unit) {
    case isa::Unit::load:
      return UnitId::load;
    case isa::Unit::store:
      return UnitId::store;
    case isa::Unit::matrix:
      return UnitId::matrix;
    case isa::Unit::vector:
      return UnitId::vector;
    case isa::Unit::front_end:
      break;
  }
  return UnitId::decode;
}

// What a unit is doing in a cycle: busy, or stalled for exactly one reason. One list for the whole machine.
enum class State : std::uint8_t {
  idle = 0,             // it has no instruction
  busy,                 // it does its work
  fetch_wait,           // decode: the next word is not in the instruction buffer
  buffer_full,          // fetch: the instruction buffer has no room
  read_after_write,     // decode: an operand is still being produced
  write_after_read,     // decode: the destination is still being read
  write_after_write,    // decode: the destination is still being written
  queue_full,           // decode: the unit's queue is full
  scoreboard_full,      // decode: no free scoreboard entry
  fence,                // decode: waits for units to become empty
  dram_latency,         // DMA: has work, and DRAM has none: bursts are on their way to it or back
  row_conflict,         // DRAM channel, DMA: another row is closed first, then the wanted one opened
  bank_busy,            // DRAM channel, DMA: a closed row is opened, or a bank does not take the command yet
  bus_turnaround,       // DRAM channel, DMA: the data bus changes between reading and writing
  refresh,              // DRAM channel, DMA: a refresh is due or under way
  burst_spacing,        // DRAM channel, DMA: bursts of open rows may not follow each other more closely
  scratchpad_conflict,  // waits for a scratchpad bank
  operand_wait,         // matrix: waits for a stationary tile
  array_drain,          // matrix: results are leaving the array, nothing enters
  writeback_wait,       // writeback: more results than ports
  halted,               // no program runs
  port_wait,            // DMA: at least as many of its bursts wait for its scratchpad port as for DRAM
  semaphore_wait,       // decode: waits for a signal
  word_wait,            // decode: a word of the scratchpad is on its way to an address register
  format_decode,        // matrix: waits for the stage that takes stored numbers apart
};
inline constexpr int kStates = static_cast<int>(State::format_decode) + 1;
std::string_view name_of(State state);

// The states of a DRAM channel's data bus, in the order in which they stand for memory as a whole when
// channels are in different ones.
inline constexpr std::array kDataStates = {
    State::busy,      State::refresh,       State::row_conflict, State::bus_turnaround,
    State::bank_busy, State::burst_spacing, State::idle};

enum class EventKind : std::uint8_t {
  instruction,    // an instruction reached a stage: detail = Stage, number = sequence number, value below
  unit_state,     // the unit is in state `detail` from this cycle on; decode: value = 1 + isa::Unit that it
                  // waits for, 0 when for none
  burst_issued,   // DRAM accepted a burst: unit = channel, detail = requester * 2 + write, number = address,
                  // value = bytes that the requester uses of it
  burst_done,     // its data arrived (read) or it was acknowledged (write): fields as above
  words_arrived,  // fetch: number = first word, value = words
  // On request (kOnRequest):
  dram_command,  // unit = channel, detail = config::DramCommand, pc = bank of the channel (of a rank: its
                 // first), number = row + (column << 32), value = b + (a << 32): what it does to its banks'
                 // state begins a and is over b cycles after this one
  dram_queues,   // requests that wait: unit = channel, number = reads + (writes << 32), value = those whose
                 // row was opened for them
};

enum class Stage : std::uint8_t { decoded = 0, dispatched, started, finished, written_back };
inline constexpr int kStages = 5;

// 32 bytes without padding: the event digest covers them as they are.
struct Event {
  Cycle cycle;
  std::uint64_t number = 0;
  // Instruction: for decoded, the cycle in which its word was fetched; for a read_address written back, the
  // word that it has read.
  std::uint64_t value = 0;
  std::uint32_t pc = 0;  // instruction: word index
  EventKind kind = EventKind::instruction;
  UnitId unit = UnitId::fetch;
  std::uint8_t detail = 0;
  std::uint8_t core = 0;  // that it happened in, or that asked for the burst; 0 for what belongs to none
};
static_assert(sizeof(Event) == 32);

// One executed instruction, its six timestamps, and what its unit did for it.
struct InstructionRecord {
  std::uint64_t sequence = 0;  // order of decoding, from 0
  std::uint32_t pc = 0;        // word index in the program
  isa::Opcode op = isa::Opcode::nop;
  isa::Unit unit = isa::Unit::front_end;
  Cycle fetched, decoded, dispatched, started, finished, written_back;
  // Load, store: bytes moved in whole bursts; matrix: multiply-accumulates of valid elements; vector:
  // elements.
  std::uint64_t work = 0;
  // Matrix: work times the cycles that a cell takes for one product of the type.
  std::uint64_t cell_cycles = 0;
  std::uint64_t scratchpad_bytes = 0;  // through its unit's ports
  std::uint64_t sums = 0;              // matrix: that leave the array
  // Vector: elements through each part of a lane, pass by pass.
  std::array<std::uint64_t, isa::kLaneFunctions> lane_elements{};
  MultiplyType type = MultiplyType::int8;  // matrix: of the products
  std::uint8_t unit_index = 0, core = 0;   // which of the units of its kind, in which core

  // All from decoded on so much later, modulo 2^64.
  void move(Cycle by) {
    for (Cycle* cycle : {&decoded, &dispatched, &started, &finished, &written_back}) *cycle += by;
  }
  template <class Archive>
  void serialize(Archive& state) {
    state(sequence, pc, op, unit, fetched, decoded, dispatched, started, finished, written_back, work,
          cell_cycles, scratchpad_bytes, sums, lane_elements, type, unit_index, core);
  }
};

// Of the unit that executes it.
inline UnitId unit_id(const InstructionRecord& record) {
  return nth(unit_id(record.unit), record.unit_index);
}

inline constexpr int kEventKinds = static_cast<int>(EventKind::dram_queues) + 1;

// A set of event kinds, a bit each.
constexpr std::uint32_t kinds(std::initializer_list<EventKind> list) {
  std::uint32_t set = 0;
  for (const EventKind k : list) set |= 1u << static_cast<unsigned>(k);
  return set;
}
// Reported only while an observer subscribes to them, because they cost time; it subscribes before the first
// cycle. They are not in the event digest.
inline constexpr std::uint32_t kOnRequest = kinds({EventKind::dram_command, EventKind::dram_queues});
inline constexpr std::uint32_t kAlways = ((1u << kEventKinds) - 1) & ~kOnRequest;

class Observer {
 public:
  virtual ~Observer() = default;
  // The events that it wants to see; asked once, when it subscribes.
  virtual std::uint32_t interests() const { return kAlways; }
  virtual void on_event(const Event& event) = 0;
  virtual void on_retired(const InstructionRecord&) {}
};

// Hands each event to those who want its kind, in the order of subscription. Event cycles never go back.
class EventHub {
 public:
  EventHub() = default;
  // The hub of one core of several: what it receives goes to the machine's subscribers with the core's
  // number.
  EventHub(EventHub& machine, std::uint8_t core) : machine_(&machine), core_(core) {}

  void subscribe(Observer& observer) {
    all_.push_back(&observer);
    for (std::size_t kind = 0; kind < by_kind_.size(); ++kind) {
      if ((observer.interests() >> kind & 1) != 0) by_kind_[kind].push_back(&observer);
    }
  }
  void emit(const Event& event) {
    if (machine_ != nullptr) {
      Event of_core = event;
      of_core.core = core_;
      machine_->emit(of_core);
      return;
    }
    if (tap_ != nullptr) tap_->on_event(event);
    for (Observer* o : by_kind_[static_cast<std::size_t>(event.kind)]) o->on_event(event);
  }
  // Sees everything that is handed on, before those who subscribed; null: no longer.
  void set_tap(Observer* tap) { tap_ = tap; }
  // True if an observer subscribes to this kind.
  bool wants(EventKind kind) const {
    if (machine_ != nullptr) return machine_->wants(kind);
    return !by_kind_[static_cast<std::size_t>(kind)].empty();
  }
  // An instruction reached a stage at `cycle`; `value` as EventKind::instruction says.
  void emit_stage(Cycle cycle, const InstructionRecord& record, UnitId unit, Stage stage,
                  std::uint64_t value = 0) {
    emit({cycle, record.sequence, value, record.pc, EventKind::instruction, unit,
          static_cast<std::uint8_t>(stage), 0});
  }
  void retired(const InstructionRecord& record) {
    if (machine_ != nullptr) {
      InstructionRecord of_core = record;
      of_core.core = core_;
      machine_->retired(of_core);
      return;
    }
    if (tap_ != nullptr) tap_->on_retired(record);
    for (Observer* o : all_) o->on_retired(record);
  }

 private:
  std::vector<Observer*> all_;
  std::array<std::vector<Observer*>, kEventKinds> by_kind_;
  Observer* tap_ = nullptr;
  EventHub* machine_ = nullptr;
  std::uint8_t core_ = 0;
};

// Keeps a unit in exactly one state and reports the changes.
class UnitState {
 public:
  UnitState(EventHub& hub, UnitId unit) : hub_(hub), unit_(unit) {}
  State now() const { return state_; }
  void set(State state, Cycle cycle, std::uint64_t value = 0) {
    if (state != state_ || value != value_) change(state, cycle, value);
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(state_, value_);
  }

 private:
  void change(State state, Cycle cycle, std::uint64_t value);

  EventHub& hub_;
  UnitId unit_;
  State state_ = State::halted;
  std::uint64_t value_ = 0;
};

}  // namespace tokencycle::observe
