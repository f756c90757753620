// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "machine/matrix/edge_supply.h"
#include "machine/matrix/line_stream.h"

namespace tokencycle::machine {

using isa::Opcode;
using observe::State;

namespace {

// `cycles` before c, or the beginning of time.
Cycle before(Cycle c, std::uint64_t cycles) {
  return Cycle(c.value > cycles ? c.value - cycles : 0);
}

}  // namespace

Matrix::Matrix(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local,
               ResultSink& results, HazardBoard& board, ClockLine clock, Values values, std::uint32_t index)
    : description_(machine.matrix),
      unit_(nth(observe::UnitId::matrix, index)),
      stationary_(nth(memory::Port::stationary, index)),
      moving_(nth(memory::Port::moving, index)),
      hub_(hub),
      state_(hub, unit_),
      local_(local),
      results_(results),
      board_(board),
      clock_(clock),
      dataflow_(make_dataflow(machine.matrix)),
      holds_tile_(dataflow_->holds_tile()),
      values_(values == Values::computed),
      group_buffer_(machine.matrix.group_buffer_rows, machine.matrix.columns) {}

void Matrix::push(Cycle now, InFlight& entry) {
  queue_.push_back(&entry);
  if (queue_.size() == 1) clock_.wake(now + 1);  // behind others it has nothing of its own to wait for
}

// (1) results that leave the array in this cycle, (2) at most one new instruction, (3) the state.
Cycle Matrix::edge(Cycle now) {
  finish_due(now);
  const bool started = start_head(now);
  update_state(now);
  return started && !queue_.empty() ? now + 1 : next_change(now);
}

void Matrix::finish_due(Cycle now) {
  if (preload_ != nullptr && preload_finish_ <= now) {
    results_.finished(now, *preload_);
    preload_ = nullptr;
  }
  while (!passes_.empty() && passes_.front().finish <= now) {
    InFlight& entry = *passes_.front().entry;
    finish_values();
    results_.finished(now, entry);
  }
}

// Of the first pass, which leaves.
void Matrix::finish_values() {
  const Pass& pass = passes_.front();
  if (pass.terms != nullptr) {
    const isa::Instruction& i = pass.entry->instruction;
    const isa::Range sums = pass.entry->footprint.writes[0];
    fold_terms(i, *pass.terms, local_.at(i.dst, sums.end - sums.begin));
    spare_terms_.push_back(pass.terms);
  }
  passes_.pop_front();
}

void Matrix::start_values(InFlight& entry) {
  if (entry.instruction.op == Opcode::preload) return load_tile(entry);
  if (entry.instruction.swap) take_tile();
  passes_.push_back({&entry, {}, {}, {}, take_terms()});
  if (entry.instruction.op == Opcode::multiply) {
    compute_multiply(entry, *passes_.back().terms);
  } else {
    compute_matmul(entry, *passes_.back().terms);
  }
}

std::vector<Terms*> Matrix::terms_in_flight() const {
  std::vector<Terms*> terms;
  for (std::size_t i = 0; i < passes_.size(); ++i) terms.push_back(passes_[i].terms);
  return terms;
}

void Matrix::load_tile(const InFlight& entry) {
  const isa::Instruction& i = entry.instruction;
  shadow_.load(i, local_.at(i.a, entry.footprint.reads[0].end - i.a.byte()));
}

void Matrix::take_tile() {
  std::swap(active_, shadow_);
  shadow_full_ = false;
}

bool Matrix::start_head(Cycle now) {
  if (queue_.empty()) return false;
  InFlight& entry = *queue_.front();
  const auto read_bytes = [this] {
    return local_.scratchpad().counters(stationary_).bytes + local_.scratchpad().counters(moving_).bytes;
  };
  const std::uint64_t before = read_bytes();
  if (!start(now, entry)) return false;
  entry.record.scratchpad_bytes = read_bytes() - before;
  queue_.pop_front();
  head_ = {};
  return true;
}

bool Matrix::start(Cycle now, InFlight& entry) {
  switch (entry.instruction.op) {
    case Opcode::preload:
      return start_preload(now, entry);
    case Opcode::multiply:
      return start_multiply(now, entry);
    default:
      return start_matmul(now, entry);
  }
}

void Matrix::begin(Cycle now, InFlight& entry) {
  entry.record.started = now;
  hub_.emit_stage(now, entry.record, unit_, observe::Stage::started);
  board_.left_queue(now, entry);
}

void Matrix::check_kind(const InFlight& entry, bool holds_tile) const {
  if (holds_tile_ == holds_tile) return;
  trap(entry, fmt::format("an array that is {} takes {}", config::name_of(description_.dataflow),
                          holds_tile ? "matmul" : "preload and multiply"));
}

void Matrix::check_type(const InFlight& entry, MultiplyType type) const {
  if (description_.cycles_per_row[static_cast<std::size_t>(type)] != 0) return;
  trap(entry, fmt::format("the machine has no {} multipliers (matrix.cycles_per_row)", name_of(type)));
}

// Whether the pass goes with the active tile, and with the group that it continues: the wait for a float sum
// is counted in steps of its own type, and integer sums and float sums have different places.
void Matrix::check_pass(const InFlight& entry) const {
  const isa::Instruction& i = entry.instruction;
  const std::string wrong = mismatch(i, active_, group_buffer_);
  if (!wrong.empty()) trap(entry, wrong);
  if (i.open || !open_format_) return;
  if (*open_format_ == active_.format() || (is_scaled(*open_format_) && is_scaled(active_.format()))) return;
  trap(entry, fmt::format("it continues group sums of a {} tile with a {} tile", name_of(*open_format_),
                          name_of(active_.format())));
}

// The next tile may come in behind the wave that changes to the one before it.
Cycle Matrix::earliest_preload(const isa::Instruction& preload) const {
  return before(tile_taken_ + dataflow_->tile_free_cycles(tile_taken_step_), tile_cost(preload).latency);
}

DecodeCost Matrix::tile_cost(const isa::Instruction& preload) const {
  const bool kn = preload.order == isa::TileOrder::kn;
  return decode_cost(description_, preload.a_format, kn ? preload.cols : preload.rows);
}

void Matrix::count_decoded(Format f, std::uint64_t values) {
  if (row_of(f).decoding != Decoding::none) decoded_ += values;
}

bool Matrix::start_preload(Cycle now, InFlight& entry) {
  check_kind(entry, true);
  if (preload_ != nullptr) return false;
  if (!description_.double_buffered && !passes_.empty()) return false;
  if (earliest_preload(entry.instruction) > now) return false;
  const isa::Instruction& i = entry.instruction;
  if (i.rows > description_.rows || i.cols > description_.columns) {
    trap(entry, fmt::format("a tile of {} x {} does not fit the array of {} x {}", i.rows, i.cols,
                            description_.rows, description_.columns));
  }
  begin(now, entry);
  const bool kn = i.order == isa::TileOrder::kn;
  const RowPart part = kn ? RowPart{0, static_cast<std::uint32_t>(row_bytes(i.a_format, i.cols))}
                          : row_part(i.a_format, i.k_offset, i.rows);
  const DecodeCost decode = tile_cost(i);
  count_decoded(i.a_format, std::uint64_t{i.rows} * i.cols);
  const LineStream stream{
      i.a.byte() + part.begin, i.a_stride, kn ? i.rows : i.cols, part.bytes, 1, decode.cycles};
  const StreamTiming timing =
      reserve_lines(local_.scratchpad(), stationary_, description_.stationary_port_bytes, now, now, stream);
  const std::uint64_t latency = local_.scratchpad().read_latency();
  // The last line is in place one shift after its arrival, and no sooner than a shift through the whole
  // array.
  const std::uint64_t beats = ceil_div(part.bytes, description_.stationary_port_bytes);
  const std::uint64_t first_line = std::max(beats, decode.cycles) - beats + decode.latency;
  const Cycle through = now + (latency + dataflow_->shift_in_cycles(i.order));
  const Cycle in_place = timing.last + (latency + 1 + decode.latency);
  preload_finish_ = std::max(in_place, through + first_line);
  preload_nominal_ = std::max(in_place - timing.delayed, through + first_line);
  preload_plain_ = std::max(in_place - (timing.delayed + timing.decode_last + decode.latency), through);
  shadow_.describe(i);
  if (values_) load_tile(entry);
  preload_ = &entry;
  shadow_full_ = true;
  return true;
}

// What the array is asked to do; of a multiply, with the tile that it will meet.
ArrayPass Matrix::pass_of(const InFlight& entry) const {
  const isa::Instruction& i = entry.instruction;
  const bool matmul = i.op == Opcode::matmul;
  if (!matmul && !(i.swap ? shadow_full_ : active_.loaded())) {
    trap(entry, i.swap ? "it takes a preloaded tile, and none was preloaded since the last one"
                       : "no tile was preloaded");
  }
  const Format tile = matmul ? i.b_format : i.swap ? shadow_.format() : active_.format();
  const Format moving = matmul ? activation_format(i.b_format) : i.a_format;
  const std::optional<MultiplyType> type = multiplier_of(tile, moving);
  if (!type) trap(entry, fmt::format("{} rows do not go with a {} tile", name_of(moving), name_of(tile)));
  check_type(entry, *type);
  ArrayPass pass;
  pass.type = *type;
  pass.step = description_.cycles_per_row[static_cast<std::size_t>(*type)];
  pass.rows = i.rows;
  pass.depth = i.depth;
  pass.integer = !is_real(tile);
  pass.grouped = !is_integer(tile);
  pass.group = group_elements(*weight_of(tile, moving));
  if (pass.grouped) {
    const std::uint64_t latency = description_.scale_latency_cycles;
    pass.fold = matmul ? folds_behind(i.depth, pass.group, pass.step, latency)
                       : closing_groups(i, static_cast<std::uint32_t>(pass.group)) * latency;
  }
  return pass;
}

// When the array could take the pass at the queue's head.
Cycle Matrix::earliest_pass(const InFlight& head) {
  if (head.instruction.swap && preload_ != nullptr) return preload_finish_;
  if (!description_.back_to_back && !passes_.empty()) return passes_.back().finish;
  if (!last_pass_) return {};
  // While the head waits, passes only leave, and what one of them asks for is over before it has left.
  if (!head_.earliest) head_.earliest = earliest_behind(head);
  return *head_.earliest;
}

// The same for what the passes before it ask for.
Cycle Matrix::earliest_behind(const InFlight& head) {
  const isa::Instruction& i = head.instruction;
  const ArrayPass& pass = head_pass(head);
  // Its first row is there after all of the row's reads.
  const Cycle wave = last_entered_ + (1 + dataflow_->gap_cycles(*last_pass_, pass));
  const std::uint64_t first_row = i.op == Opcode::matmul ? 1 : head_rows(head).first_row_cycles;
  Cycle earliest = std::max({entry_end_, before(wave, first_row), totals_ready(head, pass)});
  if (i.op == Opcode::multiply && !i.open)
    earliest = std::max(earliest, continued_group(head_rows(head), pass));
  return earliest;
}

const ArrayPass& Matrix::head_pass(const InFlight& head) {
  if (!head_.pass) head_.pass = pass_of(head);
  return *head_.pass;
}

const Matrix::RowStream& Matrix::head_rows(const InFlight& head) {
  if (head_.rows) return *head_.rows;
  const isa::Instruction& i = head.instruction;
  const RowPart part = row_part(i.a_format, i.k_offset, i.depth);
  const std::uint64_t reads = ceil_div(part.bytes, description_.moving_port_bytes);
  const DecodeCost decode = decode_cost(description_, i.a_format, i.depth);
  return head_.rows.emplace(RowStream{part, reads, decode, std::max(reads, decode.cycles) + decode.latency});
}

// The first pass's sums have come out when the second one's rows want them: counted from start to start, and
// where a stage takes rows apart, for the last row.
Cycle Matrix::continued_group(const RowStream& rows, const ArrayPass& pass) const {
  const std::uint64_t wait = dataflow_->continue_cycles(pass.step, pass.integer);
  const Cycle by_starts = last_entry_start_ + wait;
  if (wait == 0 || (rows.decode.cycles == 1 && rows.decode.latency == 0 && last_pass_row_cycles_ == 1))
    return by_starts;
  const std::uint64_t lead = pass.rows * pass.step + rows.first_row_cycles - 1;
  return std::max(by_starts, before(last_entered_ + wait, lead));
}

// A total must be folded before the next term is added to it. Waves over the same sums meet each of them in
// the same order, so the second one follows by the first one's folds; otherwise it waits until the first is
// done.
Cycle Matrix::totals_ready(const InFlight& entry, const ArrayPass& shape) const {
  const isa::Instruction& i = entry.instruction;
  Cycle ready;
  if (!i.accumulate || shape.fold == 0) return ready;
  for (std::size_t n = 0; n < passes_.size(); ++n) {
    const Pass& p = passes_[n];
    const isa::Instruction& before = p.entry->instruction;
    if (p.shape.fold == 0 || !p.entry->footprint.writes[0].overlaps(entry.footprint.writes[0])) continue;
    const bool same = before.dst == i.dst && before.dst_stride == i.dst_stride &&
                      before.transposed == i.transposed && p.shape.step == shape.step &&
                      p.shape.integer == shape.integer;
    if (!same) {
      ready = std::max(ready, p.finish);
      continue;
    }
    // A moving row meets its total once. A cell of an output-stationary array takes the old one when its
    // first group ends.
    const std::uint64_t lead =
        (i.op == Opcode::matmul ? std::min<std::uint64_t>(shape.group, i.depth) : p.shape.rows) * shape.step;
    const Cycle folded = p.entered + p.shape.fold;
    if (folded.value > lead) ready = std::max(ready, folded - lead);
  }
  return ready;
}

bool Matrix::start_multiply(Cycle now, InFlight& entry) {
  check_kind(entry, true);
  const isa::Instruction& i = entry.instruction;
  if (i.swap && preload_ != nullptr) return false;
  if (earliest_pass(entry) > now) return false;
  const ArrayPass shape = head_pass(entry);
  const RowStream rows = head_rows(entry);
  if (i.swap) {
    take_tile();
    tile_taken_ = now + (rows.first_row_cycles - rows.reads);
    tile_taken_step_ = shape.step;
  }
  check_pass(entry);
  open_format_ = i.close ? std::nullopt : std::optional(active_.format());
  begin(now, entry);
  count_decoded(i.a_format, std::uint64_t{i.rows} * i.depth);
  const LineStream stream{
      i.a.byte() + rows.part.begin, i.a_stride, i.rows, rows.part.bytes, shape.step, rows.decode.cycles};
  const StreamTiming timing =
      reserve_lines(local_.scratchpad(), moving_, description_.moving_port_bytes, now, now, stream);
  entry_end_ = timing.next;
  entry_nominal_ = timing.next - timing.delayed;
  entry_plain_ = entry_nominal_ - timing.decode_next;
  last_pass_row_cycles_ = rows.decode.cycles + rows.decode.latency;
  enter(now, entry, shape, timing.last + (shape.step + rows.decode.latency));
  if (values_) compute_multiply(entry, *passes_.back().terms);
  return true;
}

bool Matrix::start_matmul(Cycle now, InFlight& entry) {
  check_kind(entry, false);
  const isa::Instruction& i = entry.instruction;
  if (i.rows > description_.rows || i.cols > description_.columns) {
    trap(entry, fmt::format("{} x {} results do not fit the array of {} x {}", i.rows, i.cols,
                            description_.rows, description_.columns));
  }
  if (earliest_pass(entry) > now) return false;
  const ArrayPass shape = head_pass(entry);
  begin(now, entry);
  const EdgeTiming timing =
      reserve_edges(local_.scratchpad(), {stationary_, moving_}, description_, now, i, shape.step);
  entry_end_ = timing.next;
  entry_nominal_ = timing.nominal;
  entry_plain_ = timing.plain;
  count_decoded(i.b_format, std::uint64_t{i.depth} * i.cols);
  count_decoded(activation_format(i.b_format), std::uint64_t{i.depth} * i.rows);
  enter(now, entry, shape, timing.entered - local_.scratchpad().read_latency());
  if (values_) compute_matmul(entry, *passes_.back().terms);
  return true;
}

void Matrix::enter(Cycle now, InFlight& entry, const ArrayPass& shape, Cycle entered) {
  const isa::Instruction& i = entry.instruction;
  const std::uint64_t products = std::uint64_t{i.rows} * i.depth * i.cols;
  multiplications_ += products;
  entry.record.work = products;
  entry.record.cell_cycles = products * shape.step;
  entry.record.type = shape.type;
  entry.record.sums = std::uint64_t{i.rows} * i.cols;
  const std::uint64_t latency = local_.scratchpad().read_latency();
  passes_.push_back({&entry, entered + (latency + dataflow_->exit_cycles(shape)), shape, entered,
                     values_ ? take_terms() : nullptr});
  last_entry_start_ = now;
  last_pass_ = shape;
  last_entered_ = entered;
}

Terms* Matrix::take_terms() {
  if (spare_terms_.empty()) return &terms_.emplace_back();
  Terms* const terms = spare_terms_.back();
  spare_terms_.pop_back();
  return terms;
}

void Matrix::compute_multiply(const InFlight& entry, Terms& terms) {
  const isa::Instruction& i = entry.instruction;
  multiply_tile(i, active_, local_.at(i.a, entry.footprint.reads[0].end - i.a.byte()), group_buffer_, terms);
}

// Both operands as a tile and a pass over its whole depth: the sums are the same.
void Matrix::compute_matmul(const InFlight& entry, Terms& terms) {
  isa::Instruction tile, pass = entry.instruction;
  tile.a = pass.b;
  tile.a_stride = pass.b_stride;
  tile.a_format = pass.b_format;
  tile.order = pass.order;
  tile.rows = pass.depth;
  tile.cols = pass.cols;
  streamed_.load(tile, local_.at(pass.b, entry.footprint.reads[1].end - pass.b.byte()));
  pass.a_format = activation_format(pass.b_format);
  pass.open = pass.close = true;
  multiply_tile(pass, streamed_, local_.at(pass.a, entry.footprint.reads[0].end - pass.a.byte()),
                group_buffer_, terms);
}

void Matrix::update_state(Cycle now) {
  if (now < entry_plain_) {
    state_.set(State::busy, now);
  } else if (now < entry_end_) {
    state_.set(now < entry_nominal_ ? State::format_decode : State::scratchpad_conflict, now);
  } else if (preload_ != nullptr && now < preload_plain_) {
    state_.set(State::operand_wait, now);
  } else if (preload_ != nullptr) {
    state_.set(now < preload_nominal_ ? State::format_decode : State::scratchpad_conflict, now);
  } else if (!passes_.empty()) {
    state_.set(State::array_drain, now);
  } else if (state_.now() != State::halted) {
    state_.set(State::idle, now);
  }
}

// Cycles that are over and make no difference any more become the last ones that make none.
void Matrix::forget_past(Cycle now) {
  for (Cycle* over : {&entry_plain_, &entry_nominal_, &entry_end_}) *over = std::max(*over, now);
  tile_taken_ = std::max(tile_taken_, before(now, dataflow_->tile_free_cycles(tile_taken_step_)));
}

// The next cycle in which something here ends; a waiting head is looked at again then.
Cycle Matrix::next_change(Cycle now) {
  Cycle next = kNever;
  const auto consider = [&](Cycle c) {
    if (c > now) next = std::min(next, c);
  };
  consider(entry_plain_);
  consider(entry_nominal_);
  consider(entry_end_);
  if (preload_ != nullptr) {
    consider(preload_plain_);
    consider(preload_nominal_);
    consider(preload_finish_);
  }
  if (!passes_.empty()) consider(passes_.front().finish);
  if (!queue_.empty()) {
    const InFlight& head = *queue_.front();
    consider(head.instruction.op == Opcode::preload ? earliest_preload(head.instruction)
                                                    : earliest_pass(head));
  }
  return next;
}

void Matrix::trap(const InFlight& entry, const std::string& what) {
  throw SimulationError(fmt::format("the matrix unit cannot execute {} at word {}: {}",
                                    isa::name_of(entry.instruction.op), entry.record.pc, what));
}

}  // namespace tokencycle::machine
