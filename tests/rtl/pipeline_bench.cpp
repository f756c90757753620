// SPDX-License-Identifier: Apache-2.0
#include "rtl/pipeline_bench.h"

#include <Vpipeline.h>
#include <Vpipeline_wide.h>
#include <fmt/format.h>
#include <verilated.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <type_traits>

#include "base/quantity.h"
#include "rtl/memory_replay.h"
#include "rtl/waves.h"

namespace tokencycle::rtl {

namespace {

// The sizes that CMakeLists.txt gives to Verilator. Most machines fit the small scoreboard, which runs
// faster.
constexpr std::uint32_t kSmallEntries = 16, kWideEntries = 64;
constexpr std::uint32_t kBufferWords = 256, kBurstWords = 8, kRequests = 8, kTagBits = 32;  // a tag is a lane
constexpr std::uint32_t kWordLanes = isa::kWordBytes / 4;  // a port is an array of 32-bit lanes

constexpr std::size_t kBefore = 10, kAfter = 9;  // cycles shown around a difference

void at_most(const char* what, std::uint32_t value, std::uint32_t limit) {
  if (value <= limit) return;
  throw std::invalid_argument(
      fmt::format("the RTL was built for {} up to {}, the machine has {}", what, limit, value));
}

std::uint64_t bits(const WData* lanes, std::uint32_t first, std::uint32_t count) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < count; i += 16) {  // fields begin at multiples of 16 bits
    const std::uint32_t at = first + i;
    value |= std::uint64_t{lanes[at / 32] >> at % 32 & 0xffffu} << i;
  }
  return value;
}

// A stage's state in isa_pkg.sv as the model's, which has more states in between.
std::uint8_t state_of(std::uint8_t rtl) {
  constexpr std::uint8_t kSemaphoreWait = 10, kWordWait = 11;
  if (rtl == kWordWait) return static_cast<std::uint8_t>(observe::State::word_wait);
  if (rtl == kSemaphoreWait) return static_cast<std::uint8_t>(observe::State::semaphore_wait);
  constexpr std::uint8_t kWritebackWait = 14, kHalted = 15;
  if (rtl == kWritebackWait) return static_cast<std::uint8_t>(observe::State::writeback_wait);
  if (rtl == kHalted) return static_cast<std::uint8_t>(observe::State::halted);
  return rtl;
}

}  // namespace

struct PipelineBench::Hardware {
  VerilatedContext context;
  Vpipeline small{&context};
  Vpipeline_wide wide{&context};
};

namespace {

// One replay: the outside of the pipeline as the trace has it.
template <class Top, std::uint32_t kEntries>
class Replay {
 public:
  Replay(Top& top, const Trace& trace, std::uint32_t fault)
      : top_(top), trace_(trace), memory_(trace.machine) {
    const config::Machine& m = trace.machine;
    const std::uint32_t burst_words = m.dram.burst_bytes / isa::kWordBytes;
    at_most("scoreboard entries", m.scoreboard.entries, kEntries);
    at_most("buffer words", m.fetch.buffer_words, kBufferWords);
    at_most("words a burst", burst_words, kBurstWords);
    at_most("requests a cycle", std::min(m.dram.channels, m.fetch.requests_in_flight), kRequests);
    at_most("channels", m.dram.channels, 64);
    top_.burst_shift = static_cast<CData>(std::countr_zero(burst_words));
    top_.buffer_words = static_cast<SData>(m.fetch.buffer_words);
    top_.requests_in_flight = static_cast<CData>(m.fetch.requests_in_flight);
    top_.entries = static_cast<CData>(m.scoreboard.entries);
    top_.queue_depth = static_cast<SData>(m.dispatch.queue_depth);
    top_.writeback_ports = static_cast<CData>(m.writeback.ports);
    top_.scratchpad_bytes = m.scratchpad.capacity_bytes;
    top_.accumulator_bytes = m.accumulator.capacity_bytes;
    top_.dram_bytes = m.dram.capacity_bytes;
    top_.base = trace.base.value;
    top_.words = static_cast<IData>(trace.words.size());
    top_.fault = static_cast<SData>(fault);
    reset();
  }

  // What the RTL does in cycle `at`.
  Signals cycle(std::size_t at) {
    const Stimuli& outside = trace_.stimuli[at];
    arrive(outside.arrivals);
    top_.left_queue = entries_of(outside.left_queue);
    top_.finished = entries_of(outside.finished);
    top_.word_read = outside.word.has_value() ? 1 : 0;
    top_.read_word = outside.word.value_or(0);
    top_.request_granted = 0;
    top_.clk = 0;
    top_.eval();
    Signals s;
    memory_.advance(Cycle(at + 1));
    grant(s, outside);
    memory_.accept(Cycle(at + 1), outside.issued);
    observe(s);
    stopped_at_ = top_.trap != 0 ? top_.pc : ~0u;
    top_.clk = 1;
    top_.eval();
    return s;
  }

  // Whether it refused an instruction in the last cycle, and which.
  bool trapped_at(std::uint32_t pc) const { return stopped_at_ == pc; }

 private:
  using Mask = std::remove_reference_t<decltype(Top::left_queue)>;  // a bit for each entry
  struct Request {
    std::uint64_t address, tag;
  };

  void reset() {
    top_.reset = 1;
    arrive({});
    top_.left_queue = top_.finished = 0;
    top_.word_read = 0;
    top_.read_word = 0;
    top_.request_granted = 0;
    for (const int clk : {0, 1}) {
      top_.clk = static_cast<CData>(clk);
      top_.eval();
    }
    top_.reset = 0;
  }

  void arrive(const std::vector<std::uint64_t>& addresses) {
    top_.arrived = 0;
    std::uint32_t port = 0;
    for (const std::uint64_t address : addresses) {
      const auto request = std::find_if(under_way_.begin(), under_way_.end(),
                                        [&](const Request& r) { return r.address == address; });
      if (request == under_way_.end()) continue;  // the RTL has not asked for it: a difference before
      at_most("bursts that arrive in a cycle", port + 1, kRequests);
      top_.arrived = static_cast<CData>(top_.arrived | 1u << port);
      top_.arrived_tag[port] = static_cast<EData>(request->tag);
      const std::size_t first = (address - trace_.base.value) / isa::kWordBytes;
      const std::size_t count = std::min<std::size_t>(kBurstWords, trace_.words.size() - first);
      std::memcpy(&top_.arrived_words[port * kBurstWords * kWordLanes], &trace_.words[first],
                  count * isa::kWordBytes);
      under_way_.erase(request);
      ++port;
    }
  }

  // Memory takes the RTL's requests in their order while it has room for them. Fetch comes first, and a
  // channel accepts one burst a cycle; a request that is not taken keeps those behind it waiting.
  void grant(Signals& s, const Stimuli& outside) {
    const auto asked = static_cast<std::uint32_t>(std::countr_one(static_cast<unsigned>(top_.request_valid)));
    std::uint64_t taken = 0;  // channels
    for (; s.granted < std::min(asked, outside.room); ++s.granted) {
      const std::uint64_t address = bits(&top_.request_address[0], s.granted * 48, 48);
      const std::uint64_t channel = std::uint64_t{1} << memory_.channel_of(DramAddress(address));
      if ((taken & channel) != 0 || !memory_.has_room(DramAddress(address))) break;
      taken |= channel;
      under_way_.push_back({address, bits(&top_.request_tag[0], s.granted * kTagBits, kTagBits)});
      if (s.granted == 0) s.address = address;
    }
    top_.request_granted = static_cast<CData>((1u << s.granted) - 1);
  }

  void observe(Signals& s) {
    if (top_.decoded != 0) {
      s.decoded = decoded_++;
      s.pc = top_.pc;
    }
    if (top_.dispatched != 0) {
      s.dispatched = in_entry_[top_.dispatched_id];
      s.unit = top_.dispatched_unit;
    }
    for (std::uint32_t e = 0; e < kEntries; ++e) {
      if ((top_.retired >> e & 1) != 0) s.retired.push_back(static_cast<std::uint64_t>(in_entry_[e]));
    }
    if (top_.issued != 0) {
      in_entry_[top_.issued_id] = decoded_ - 1;
      entry_of_.resize(static_cast<std::size_t>(decoded_), kEntries);
      entry_of_.back() = top_.issued_id;
    } else if (top_.left_decode != 0) {
      s.retired.push_back(static_cast<std::uint64_t>(decoded_ - 1));
    }
    std::sort(s.retired.begin(), s.retired.end());
    s.fetch = state_of(top_.fetch_state);
    s.decode = state_of(top_.decode_state);
    s.waits_for = top_.decode_waits_for;
    s.dispatch = state_of(top_.dispatch_state);
    s.writeback = state_of(top_.writeback_state);
  }

  // Instructions that the RTL does not know yet are left out: there was a difference before.
  Mask entries_of(const std::vector<std::uint64_t>& instructions) const {
    std::uint64_t mask = 0;
    for (const std::uint64_t n : instructions) {
      if (n < entry_of_.size() && entry_of_[n] < kEntries) mask |= std::uint64_t{1} << entry_of_[n];
    }
    return static_cast<Mask>(mask);
  }

  Top& top_;
  const Trace& trace_;
  MemoryReplay memory_;  // what it would accept
  std::deque<Request> under_way_;
  std::int64_t decoded_ = 0;
  std::array<std::int64_t, kEntries> in_entry_{};
  std::vector<std::uint32_t> entry_of_;  // by instruction; kEntries: it has none
  std::uint32_t stopped_at_ = ~0u;       // the word that it refused in the last cycle
};

// Plays all of the trace, up to the first difference and a few cycles more, for the waves.
template <class Top, std::uint32_t kEntries>
Comparison compare(Replay<Top, kEntries> replay, const Trace& trace) {
  std::vector<Signals> rtl;
  const std::size_t cycles = trace.signals.size();
  while (rtl.size() < cycles) {
    rtl.push_back(replay.cycle(rtl.size()));
    if (rtl.back() == trace.signals[rtl.size() - 1]) continue;
    const std::size_t differs = rtl.size() - 1, first = differs - std::min(differs, kBefore);
    while (rtl.size() < std::min(cycles, differs + kAfter + 1)) rtl.push_back(replay.cycle(rtl.size()));
    const std::string waves = draw_waves(std::span(trace.signals).subspan(first, rtl.size() - first),
                                         std::span(rtl).subspan(first), first);
    return {differs + 1, false, fmt::format("cycle {} differs\n{}", differs, waves)};
  }
  if (!trace.trap) return {cycles, true, ""};
  replay.cycle(trace.trap->cycle);
  if (replay.trapped_at(trace.trap->pc)) return {cycles + 1, true, ""};
  return {cycles + 1, false,
          fmt::format("cycle {}: the model refuses word {}, the RTL does not", cycles, trace.trap->pc)};
}

}  // namespace

PipelineBench::PipelineBench() : hardware_(std::make_unique<Hardware>()) {}
PipelineBench::~PipelineBench() = default;

Comparison PipelineBench::replay(const Trace& trace, std::uint32_t fault) {
  if (trace.machine.scoreboard.entries <= kSmallEntries) {
    return compare(Replay<Vpipeline, kSmallEntries>(hardware_->small, trace, fault), trace);
  }
  return compare(Replay<Vpipeline_wide, kWideEntries>(hardware_->wide, trace, fault), trace);
}

}  // namespace tokencycle::rtl
