// SPDX-License-Identifier: Apache-2.0
#include "observe/kanata/trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "observe/program_words.h"

namespace tokencycle::observe {

namespace {

constexpr std::size_t kLife = 0, kStalls = 1;  // lanes

std::string_view execution_stage(UnitId unit) {
  switch (kind_of(unit)) {
    case UnitId::load:
      return "Xl";
    case UnitId::store:
      return "Xs";
    case UnitId::matrix:
      return "Xm";
    default:
      return "Xv";
  }
}

bool is_stall(State state) {
  return state != State::idle && state != State::busy && state != State::halted;
}

bool computes(UnitId unit) {
  return kind_of(unit) == UnitId::matrix || kind_of(unit) == UnitId::vector;
}

}  // namespace

KanataTrace::KanataTrace(const TraceOptions& options)
    : path_(options.path),
      look_back_(options.machine->fetch.buffer_words),
      file_(options.path, options.max_bytes),
      gate_(options.window) {}

KanataTrace::~KanataTrace() {
  if (closed_) return;
  try {
    close(now_ + 1, "interrupted");
  } catch (...) {  // an open trace is destroyed on the way out with another error
  }
}

void KanataTrace::begin_step(const TraceStep& step) {
  advance(step.start);
  gate_.begin_step(step);
  program_ = step.program;
}

void KanataTrace::end_step(Cycle end) {
  advance(end);
  gate_.end_step(end);
  program_ = nullptr;
  last_first_ = std::max(last_first_, end);  // the next step's words are fetched from here on
  file_.flush(end);
}

void KanataTrace::on_event(const Event& event) {
  if (closed_ || file_.full()) return;
  if (event.cycle > now_) advance(event.cycle);
  gate_.on_event(event);
  if (const auto dependency = dependencies_.on_event(event)) found_.push_back(*dependency);
  if (event.kind == EventKind::unit_state) {
    state_changed(event);
  } else if (event.kind == EventKind::instruction) {
    static_cast<Stage>(event.detail) == Stage::decoded ? decoded(event) : reached(event);
  }
}

// The cycle is over: what each instruction is doing at its end becomes lines of the file. No later
// instruction's F begins before the two limits, so everything up to the later of them is in order.
void KanataTrace::advance(Cycle next) {
  if (next <= now_) return;
  settle();
  now_ = next;
  Cycle settled = last_first_;
  if (recent_decodes_.size() == look_back_) settled = std::max(settled, recent_decodes_.front());
  file_.flush(settled);
}

void KanataTrace::settle() {
  for (const Dependency& d : found_) {
    const Op *consumer = find(d.consumer), *producer = find(d.producer);
    if (consumer != nullptr && producer != nullptr) file_.depend(now_, consumer->id, producer->id);
  }
  found_.clear();
  if (touched_.empty()) return;
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const std::uint64_t sequence : touched_) {
    if (Op* op = find(sequence)) show(*op, sequence);
  }
  touched_.clear();
}

void KanataTrace::show(Op& op, std::uint64_t sequence) {
  for (std::size_t lane = 0; lane < op.shown.size(); ++lane) {
    if (op.shown[lane] == op.wanted[lane]) continue;
    const int l = static_cast<int>(lane);
    if (!op.shown[lane].empty()) file_.end_stage(now_, op.id, l, op.shown[lane]);
    if (!op.wanted[lane].empty()) file_.start_stage(now_, op.id, l, op.wanted[lane]);
    op.shown[lane] = op.wanted[lane];
  }
  if (!op.retired) return;
  retire(op);
  ops_.erase(sequence);
}

// A front-end instruction is in decode until the end of the cycle in which it retires.
void KanataTrace::retire(const Op& op) {
  const Cycle end = op.record.unit == isa::Unit::front_end ? now_ + 1 : now_;
  for (std::size_t lane = 0; lane < op.shown.size(); ++lane) {
    if (!op.shown[lane].empty()) file_.end_stage(end, op.id, static_cast<int>(lane), op.shown[lane]);
  }
  file_.retire(end, op.id, tooltip(op.record));
}

void KanataTrace::decoded(const Event& event) {
  Cycle first = std::max(Cycle(event.value), last_first_);
  if (recent_decodes_.size() == look_back_) {
    first = std::max(first, recent_decodes_.front());
    recent_decodes_.pop_front();
  }
  recent_decodes_.push_back(event.cycle);
  last_first_ = first;
  held_ = event.number;
  holding_ = true;
  if (gate_.contains(event.cycle) && gate_.has_word(event.pc)) begin_op(event, first);
}

void KanataTrace::begin_op(const Event& event, Cycle first) {
  Op& op = ops_[event.number];
  op.id = next_id_++;
  file_.begin(first, op.id, event.number, label(event.pc));
  if (first < event.cycle) {
    op.shown[kLife] = "F";
    file_.start_stage(first, op.id, kLife, "F");
  }
  op.wanted[kLife] = "D";
  touched_.push_back(event.number);
}

void KanataTrace::reached(const Event& event) {
  const auto stage = static_cast<Stage>(event.detail);
  Executing& unit = units_[static_cast<std::size_t>(event.unit)];
  if (stage == Stage::started) {
    unit.instructions.push_back(event.number);
    stall_oldest(unit, computes(event.unit));
  } else if (stage == Stage::finished) {
    stall(event.number, State::idle);
    std::erase(unit.instructions, event.number);
    stall_oldest(unit, computes(event.unit));
  }
  Op* op = find(event.number);
  if (op == nullptr) return;
  touched_.push_back(event.number);
  if (stage == Stage::dispatched) op->wanted[kLife] = "Q";
  if (stage == Stage::started) op->wanted[kLife] = execution_stage(event.unit);
  if (stage == Stage::finished) op->wanted[kLife] = "W";
}

void KanataTrace::state_changed(const Event& event) {
  const auto state = static_cast<State>(event.detail);
  if (event.unit == UnitId::decode) {
    if (holding_) stall(held_, state);
    holding_ = holding_ && is_stall(state) && state != State::fetch_wait;
  } else if (computes(event.unit)) {
    Executing& unit = units_[static_cast<std::size_t>(event.unit)];
    unit.state = state;
    stall_oldest(unit, true);
  }
}

void KanataTrace::stall_oldest(const Executing& unit, bool stalled) {
  if (stalled && !unit.instructions.empty()) stall(unit.instructions.front(), unit.state);
}

void KanataTrace::stall(std::uint64_t sequence, State state) {
  Op* op = find(sequence);
  if (op == nullptr) return;
  op->wanted[kStalls] = is_stall(state) && state != State::fetch_wait ? name_of(state) : std::string_view();
  touched_.push_back(sequence);
}

void KanataTrace::on_retired(const InstructionRecord& record) {
  if (closed_ || file_.full()) return;
  if (record.written_back > now_) advance(record.written_back);
  Op* op = find(record.sequence);
  if (op == nullptr) return;
  op->record = record;
  op->retired = true;
  touched_.push_back(record.sequence);
}

KanataTrace::Op* KanataTrace::find(std::uint64_t sequence) {
  const auto found = ops_.find(sequence);
  return found == ops_.end() ? nullptr : &found->second;
}

std::string KanataTrace::label(std::uint32_t pc) const {
  return fmt::format("{}: {}", pc, assembly_of(program_, pc));
}

// The viewer breaks lines at a written \n.
std::string KanataTrace::tooltip(const InstructionRecord& r) const {
  const std::string_view name = operator_name(program_, r.pc);
  std::string text =
      fmt::format("word {} on {}{}{}, {} cycles", r.pc, name_of(unit_id(r)), name.empty() ? "" : " for ",
                  name, r.written_back.value - r.decoded.value + (r.unit == isa::Unit::front_end));
  text += fmt::format("\\nfetched {}\\ndecoded {}", r.fetched.value, r.decoded.value);
  if (r.unit != isa::Unit::front_end) {
    text += fmt::format("\\ndispatched {}\\nstarted {}\\nfinished {}", r.dispatched.value, r.started.value,
                        r.finished.value);
  }
  return text + fmt::format("\\nwritten back {}", r.written_back.value);
}

void KanataTrace::close(Cycle end, const std::string& cut) {
  closed_ = true;
  settle();
  file_.finish(end, cut);
}

TraceSummary KanataTrace::summary() const {
  return {path_, "kanata", file_.bytes(), file_.ops(), file_.truncated_at()};
}

std::unique_ptr<TraceWriter> make_kanata_trace(const TraceOptions& options) {
  return std::make_unique<KanataTrace>(options);
}

}  // namespace tokencycle::observe
