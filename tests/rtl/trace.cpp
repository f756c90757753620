// SPDX-License-Identifier: Apache-2.0
#include "rtl/trace.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "machine/accelerator.h"

namespace tokencycle::rtl {

namespace {

using observe::EventKind;
using observe::Stage;
using observe::UnitId;

// A fresh machine's first cycle is 1; cycle c is index c - 1 of the trace.
class Recorder : public observe::Observer {
 public:
  explicit Recorder(Trace& trace) : trace_(trace) {}

  void on_event(const observe::Event& e) override {
    const std::size_t at = e.cycle.value - 1;
    reach(at);
    switch (e.kind) {
      case EventKind::instruction:
        return on_stage(at, e);
      case EventKind::unit_state:
        return on_state(trace_.signals[at], e);
      case EventKind::burst_issued:
        issued_[at].push_back(burst_of(e));
        if (is_fetch(e) && trace_.signals[at].granted++ == 0) trace_.signals[at].address = e.number;
        return;
      case EventKind::burst_done:
        ++done_[at];
        if (is_fetch(e)) trace_.stimuli[at].arrivals.push_back(e.number);
        return;
      case EventKind::words_arrived:
      case EventKind::dram_command:  // on request alone
      case EventKind::dram_queues:
        return;
    }
  }

  // Cuts the trace to `cycles` cycles and fills in the room that DRAM has.
  void finish(std::size_t cycles) {
    if (cycles > 0) reach(cycles - 1);
    trace_.signals.resize(cycles);
    trace_.stimuli.resize(cycles);
    std::size_t under_way = 0;  // completions of a cycle come before its issues
    for (std::size_t at = 0; at < cycles; ++at) {
      under_way -= done_[at];
      Stimuli& outside = trace_.stimuli[at];
      outside.room = static_cast<std::uint32_t>(trace_.machine.dram.requests_in_flight - under_way);
      under_way += issued_[at].size();
      outside.issued = std::move(issued_[at]);
    }
    for (Signals& s : trace_.signals) std::sort(s.retired.begin(), s.retired.end());
  }

 private:
  bool reads_word(std::uint32_t pc) const {
    return isa::opcode_of(trace_.words[pc]) == isa::Opcode::read_address;
  }

  static bool is_fetch(const observe::Event& e) {
    return e.detail / 2 == static_cast<std::uint8_t>(memory::Requester::fetch);
  }

  static memory::Burst burst_of(const observe::Event& e) {
    return {DramAddress(e.number), static_cast<std::uint32_t>(e.value), e.detail % 2 != 0,
            static_cast<memory::Requester>(e.detail / 2), 0};
  }

  static isa::Unit unit_of(UnitId executing) {
    int unit = isa::kUnits - 1;
    while (unit > 0 && observe::unit_id(static_cast<isa::Unit>(unit)) != executing) --unit;
    return static_cast<isa::Unit>(unit);
  }

  // States last until they change.
  void reach(std::size_t at) {
    while (trace_.signals.size() <= at) {
      Signals next;
      if (!trace_.signals.empty()) {
        const Signals& last = trace_.signals.back();
        next.fetch = last.fetch;
        next.decode = last.decode;
        next.waits_for = last.waits_for;
        next.dispatch = last.dispatch;
        next.writeback = last.writeback;
      }
      trace_.signals.push_back(next);
      trace_.stimuli.emplace_back();
      issued_.emplace_back();
      done_.push_back(0);
    }
  }

  // Matrix and vector unit leave their queue's entry when they start an instruction, the DMA engines when
  // they end one.
  void on_stage(std::size_t at, const observe::Event& e) {
    const bool dma = e.unit == UnitId::load || e.unit == UnitId::store;
    Signals& s = trace_.signals[at];
    Stimuli& outside = trace_.stimuli[at];
    switch (static_cast<Stage>(e.detail)) {
      case Stage::decoded:
        s.decoded = static_cast<std::int64_t>(e.number);
        s.pc = e.pc;
        trace_.instructions = e.number + 1;
        return;
      case Stage::dispatched:
        s.dispatched = static_cast<std::int64_t>(e.number);
        s.unit = static_cast<std::uint8_t>(unit_of(e.unit));
        return;
      case Stage::started:
        if (!dma) outside.left_queue.push_back(e.number);
        return;
      case Stage::finished:
        if (dma) outside.left_queue.push_back(e.number);
        outside.finished.push_back(e.number);
        return;
      case Stage::written_back:
        s.retired.push_back(e.number);
        if (e.unit == UnitId::decode && reads_word(e.pc)) outside.word = static_cast<std::uint32_t>(e.value);
        return;
    }
  }

  static void on_state(Signals& s, const observe::Event& e) {
    switch (e.unit) {
      case UnitId::fetch:
        s.fetch = e.detail;
        return;
      case UnitId::decode:
        s.decode = e.detail;
        s.waits_for = static_cast<std::uint8_t>(e.value);
        return;
      case UnitId::dispatch:
        s.dispatch = e.detail;
        return;
      case UnitId::writeback:
        s.writeback = e.detail;
        return;
      default:
        return;
    }
  }

  Trace& trace_;
  std::vector<std::vector<memory::Burst>> issued_;  // by cycle
  std::vector<std::uint32_t> done_;
};

std::uint32_t word_of(const std::string& message) {
  static const std::string kBefore = "stopped at word ";
  const std::size_t at = message.find(kBefore);
  if (at == std::string::npos) throw SimulationError("no trap of decode: " + message);
  return static_cast<std::uint32_t>(std::stoul(message.substr(at + kBefore.size())));
}

// Of a read_address that was refused, which no event reports.
std::optional<std::uint32_t> refused_word(const std::string& message) {
  static const std::string kBefore = "read_address: the word at scratchpad byte ", kIs = " is ";
  const std::size_t at = message.find(kBefore);
  if (at == std::string::npos) return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(message.substr(message.find(kIs, at) + kIs.size())));
}

}  // namespace

Trace record(const config::Machine& machine, std::vector<isa::Word> words, DramAddress base,
             std::span<const isa::DataSegment> data) {
  Trace trace;
  trace.machine = machine;
  trace.base = base;
  trace.words = std::move(words);
  // Every edge: the number of edges is then the cycle of a trap.
  machine::Accelerator accelerator(machine, machine::Clocking::every_edge);
  Recorder recorder(trace);
  accelerator.events().subscribe(recorder);
  for (const isa::DataSegment& d : data) accelerator.dram().write(d.address, d.bytes);
  accelerator.dram().write(base, std::as_bytes(std::span(trace.words)));
  try {
    const machine::Execution run = accelerator.execute(base, static_cast<std::uint32_t>(trace.words.size()));
    recorder.finish(run.end.value - run.start.value);
  } catch (const SimulationError& error) {
    if (std::string(error.what()).find("watchdog_cycles") != std::string::npos) {  // it waits for ever
      recorder.finish(accelerator.edges() - 1);
      return trace;
    }
    trace.trap = Trap{accelerator.edges() - 1, word_of(error.what())};
    recorder.finish(trace.trap->cycle + 1);
    trace.stimuli.back().word = refused_word(error.what());
    trace.signals.pop_back();
  }
  return trace;
}

}  // namespace tokencycle::rtl
