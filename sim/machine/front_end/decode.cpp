// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/decode.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"

namespace tokencycle::machine {

using isa::Opcode;
using observe::State;

Decode::Decode(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local,
               Semaphores& semaphores, InstructionSource& source, InstructionQueue& dispatch, ClockLine clock)
    : hub_(hub),
      state_(hub, observe::UnitId::decode),
      local_(local),
      semaphores_(semaphores),
      source_(source),
      dispatch_(dispatch),
      clock_(clock),
      scoreboard_(machine),
      capacity_{machine.scratchpad.capacity_bytes, machine.accumulator.capacity_bytes,
                machine.dram.capacity_bytes},
      matrix_units_(static_cast<std::uint8_t>(machine.matrix.units_in_turn())),
      known_(kKnownWords) {
  semaphores_.listen(clock_);
}

void Decode::start(Cycle now) {
  flow_.start();
  holding_ = false;
  word_at_.reset();
  halted_ = false;
  state_.set(State::fetch_wait, now);
  clock_.wake(now + 1);
}

// (1) take the next word if none is held, (2) let it leave if nothing is in its way, (3) continue with the
// next word.
Cycle Decode::edge(Cycle now) {
  if (halted_) return kNever;
  edge_ = now;
  looped_ = false;
  if (!holding_) {
    if (pc() >= source_.words()) stop_at("the program has no further word; it must end with halt");
    const FetchedWord word = source_.peek(now, pc());
    if (word.word == nullptr) {
      state_.set(State::fetch_wait, now);
      return word.retry;
    }
    take(now, word);
  }
  const Obstacle obstacle = in_the_way_ = try_leave(now);
  if (obstacle.state != State::busy) {
    state_.set(obstacle.state, now, 1 + static_cast<std::uint64_t>(obstacle.unit));
    return word_at_.value_or(kNever);  // else the unit that is in the way pokes
  }
  if (halted_) return kNever;
  state_.set(State::busy, now);
  holding_ = false;
  ++sequence_;
  looped_ = flow_.next();
  source_.move_to(now, pc(), flow_.keep_from(source_.capacity()));
  return now + 1;
}

void Decode::take(Cycle now, const FetchedWord& word) {
  const Known& known = known_[pc() % kKnownWords];
  if (known.pc == pc() && std::memcmp(known.word.data(), word.word->data(), isa::kWordBytes) == 0) {
    held_ = known.instruction;
    footprint_ = known.footprint;
  } else {
    decode(*word.word);
  }
  footprint_.move(flow_.resolve(held_));
  check_bounds();
  holding_ = true;
  fetched_ = word.arrived;
  decoded_ = now;
  emit(now, observe::Stage::decoded, fetched_.value);
}

// The same word is decoded alike each time, so an iteration need not do again what the one before did.
void Decode::decode(const isa::Word& word) {
  try {
    held_ = isa::decode(word);
  } catch (const ProgramError& error) {
    stop_at(error.what());
  }
  if (isa::uses_link(held_.op)) trap("this machine has no links");
  footprint_ = isa::footprint(held_);
  check_rows_apart();
  if (flow_.in_loop()) known_[pc() % kKnownWords] = {pc(), word, held_, footprint_};
}

void Decode::check_bounds() const {
  static constexpr std::array<const char*, 3> kNames = {"the scratchpad", "the accumulator memory", "DRAM"};
  const auto check = [&](const isa::Range& r, const char* what) {
    const auto space = static_cast<std::size_t>(r.space);
    if (r.end <= capacity_[space]) return;
    trap(fmt::format("it would {} bytes {} to {} of {}, which has {}", what, r.begin, r.end, kNames[space],
                     capacity_[space]));
  };
  for (const isa::Range& r : footprint_.read_ranges()) check(r, "read");
  for (const isa::Range& r : footprint_.write_ranges()) check(r, "write");
}

// Bursts of one transfer may arrive in any order, and sums leave the array in none: which of two overlapping
// rows stayed would be open.
void Decode::check_rows_apart() const {
  std::uint64_t rows = held_.rows, row = 0, stride = held_.dst_stride;
  switch (held_.op) {
    case Opcode::load:
    case Opcode::gather:
      row = held_.cols;
      break;
    case Opcode::store:
      row = row_bytes(held_.dst_format, held_.cols);
      stride = held_.dram_stride;
      break;
    case Opcode::multiply:
    case Opcode::matmul:
      rows = held_.transposed ? held_.cols : held_.rows;
      row = std::uint64_t{held_.transposed ? held_.rows : held_.cols} * sizeof(float);
      break;
    default:
      return;
  }
  if (rows > 1 && stride < row) {
    trap(fmt::format("its rows of {} bytes would be written {} bytes apart, on top of each other", row,
                     stride));
  }
}

Choice Decode::choice() const {
  constexpr std::uint8_t kAllUnits = 0xff;
  const isa::Unit unit = isa::unit_of(held_.op);
  if (unit != isa::Unit::front_end) return scoreboard_.choose(unit, footprint_, bound_unit());
  switch (held_.op) {
    case Opcode::halt:
      return {0, scoreboard_.fence_obstacle(kAllUnits)};
    case Opcode::fence:
    case Opcode::signal:
      return {0, scoreboard_.fence_obstacle(held_.units)};
    case Opcode::wait:
      return {0, semaphores_.available(edge_, held_.semaphore)
                     ? Obstacle{}
                     : Obstacle{State::semaphore_wait, isa::Unit::front_end}};
    case Opcode::read_address:
      return {0, read_obstacle()};
    default:
      return {};
  }
}

// The read begins once nothing in flight writes the word, and nothing younger can: it is not decoded yet.
Obstacle Decode::read_obstacle() const {
  if (word_at_ && edge_ >= *word_at_) return {};
  const Obstacle hazard = word_at_ ? Obstacle{} : scoreboard_.read_obstacle(footprint_);
  return hazard.state != State::busy ? hazard : Obstacle{State::word_wait, isa::Unit::front_end};
}

// The matrix unit that an instruction has to go to; any unit for all others.
std::optional<std::uint8_t> Decode::bound_unit() const {
  if (held_.op == Opcode::multiply) return held_.swap ? tiles_.shadow : tiles_.active;
  if (held_.op == Opcode::preload || held_.op == Opcode::matmul) return tiles_.next;
  return {};
}

void Decode::note_tiles(std::uint8_t unit_index) {
  if (held_.op == Opcode::preload) tiles_.shadow = unit_index;
  if (held_.op == Opcode::multiply) tiles_.active = unit_index;
  if (held_.op == Opcode::preload || held_.op == Opcode::matmul)
    tiles_.next = static_cast<std::uint8_t>((unit_index + 1) % matrix_units_);
}

Obstacle Decode::try_leave(Cycle now) {
  const isa::Unit unit = isa::unit_of(held_.op);
  if (unit == isa::Unit::front_end) return try_front_end(now);
  const auto [unit_index, obstacle] = choice();
  if (obstacle.state != State::busy) return obstacle;
  note_tiles(unit_index);
  InFlight& entry = scoreboard_.insert(unit, unit_index);
  entry.instruction = held_;
  entry.footprint = footprint_;
  entry.record = {sequence_, pc(), held_.op, unit, fetched_, decoded_, now, now, now, now};
  entry.record.unit_index = unit_index;
  if (log_ != nullptr) log_->left_decode(entry);
  dispatch_.push(now, entry);
  return {};
}

void Decode::begin_read(Cycle now) {
  if (word_at_ || scoreboard_.read_obstacle(footprint_).state != State::busy) return;
  memory::Scratchpad& scratchpad = local_.scratchpad();
  const Cycle granted =
      scratchpad.reserve(memory::Port::decode, now, now, held_.a.byte(), sizeof(std::uint32_t), false);
  word_at_ = granted + scratchpad.read_latency();
}

std::uint32_t Decode::read_word() {
  std::uint32_t word = 0;
  std::memcpy(&word, local_.at(held_.a, sizeof word).data(), sizeof word);
  if (word >= held_.extent) {
    trap(fmt::format("the word at scratchpad byte {} is {}; it must be below {} (extent)", held_.a.byte(),
                     word, held_.extent));
  }
  flow_.set(held_.reg, held_.value + static_cast<std::int64_t>(word * held_.word_stride));
  word_at_.reset();
  return word;
}

Obstacle Decode::try_front_end(Cycle now) {
  if (held_.op == Opcode::read_address) begin_read(now);
  if (const Obstacle obstacle = this->obstacle(); obstacle.state != State::busy) return obstacle;
  const bool reads = held_.op == Opcode::read_address;
  std::uint32_t word = 0;
  switch (held_.op) {
    case Opcode::signal:
      semaphores_.signal(now, held_.semaphore);
      break;
    case Opcode::wait:
      semaphores_.take(held_.semaphore);
      break;
    case Opcode::read_address:
      word = read_word();
      break;
    default:
      flow_.execute(held_);
  }
  emit(now, observe::Stage::written_back, word);
  observe::InstructionRecord record{sequence_, pc(), held_.op, isa::Unit::front_end, fetched_, decoded_, now,
                                    now,       now,  now};
  record.scratchpad_bytes = reads ? sizeof word : 0;
  hub_.retired(record);
  if (held_.op == Opcode::halt) {
    halted_ = true;
    ++sequence_;
    state_.set(State::halted, now);
    source_.stop(now);
    clock_.stop();
  }
  return {};
}

// Whether what is in the held instruction's way may be this entry. Nothing enters the machine meanwhile, so
// no other one changes it; but of several units another one may be chosen.
bool Decode::waits_for(const InFlight& entry) const {
  return in_the_way_.unit == entry.record.unit || !scoreboard_.single(isa::unit_of(held_.op));
}

void Decode::left_queue(Cycle now, InFlight& entry) {
  scoreboard_.left_queue(entry);
  if (holding_ && waits_for(entry)) clock_.wake(now);
}

void Decode::retired(Cycle now, InFlight& entry) {
  scoreboard_.remove(entry);
  if (holding_ && (waits_for(entry) || in_the_way_.state == State::scoreboard_full)) clock_.wake(now);
}

void Decode::emit(Cycle now, observe::Stage stage, std::uint64_t value) {
  hub_.emit({now, sequence_, value, pc(), observe::EventKind::instruction, observe::UnitId::decode,
             static_cast<std::uint8_t>(stage), 0});
}

void Decode::trap(const std::string& what) const {
  flow_.trap(held_, what);
}

void Decode::stop_at(const std::string& what) const {
  throw SimulationError(fmt::format("the machine stopped at word {}: {}", pc(), what));
}

}  // namespace tokencycle::machine
