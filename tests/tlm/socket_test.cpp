// SPDX-License-Identifier: Apache-2.0
// Does the TLM socket give the times of a replay of the same requests (`tokencycle dram`), through four
// phases and through blocking calls, and does it refuse what the base protocol lets it refuse?
//   test_tlm MEMORY TRACE      a description in configs/dram; requests of 64 bytes
#include <fmt/format.h>
#include <tlm.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <deque>
#include <exception>

#include "config/dram/system.h"
#include "memory/dram/trace.h"
#include "tlm/dram_target_shell.h"

namespace {

using namespace tokencycle;
using memory::Clock;
using memory::DramRequestAt;
using Payload = tlm::tlm_generic_payload;

constexpr std::uint32_t kBytes = 64;
int failures = 0;

template <class A, class B>
void equal(const char* what, const A& socket, const B& replay) {
  if (socket == replay) return;
  fmt::print("{}: {} through the socket, {} in the replay\n", what, socket, replay);
  ++failures;
}

class List : public memory::DramRequestSource {
 public:
  explicit List(const std::vector<DramRequestAt>& all) : all_(all) {}
  bool next(DramRequestAt& request) override {
    if (at_ == all_.size()) return false;
    request = all_[at_++];
    return true;
  }

 private:
  const std::vector<DramRequestAt>& all_;
  std::size_t at_ = 0;
};

memory::DramReplayResult replayed(const config::DramSystem& system,
                                  const std::vector<DramRequestAt>& requests) {
  List list(requests);
  return memory::replay(system, list, {kBytes});
}

// Counts its references, as pools of payloads do.
class Counted : public tlm::tlm_mm_interface {
 public:
  void free(Payload*) override { ++freed; }
  std::size_t freed = 0;
};

class Tester : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Tester> socket{"socket"};

  // `phases`: through four phases, as fast as the memory takes them; else blocking, one after the other.
  Tester(const sc_core::sc_module_name& name, sockets::DramTarget& target, const config::DramSystem& system,
         const std::vector<DramRequestAt>& requests, bool phases)
      : sc_module(name), target_(target), system_(system), requests_(requests), phases_(phases) {
    SC_HAS_PROCESS(Tester);
    socket.register_nb_transport_bw(this, &Tester::nb_transport_bw);
    socket.bind(target.socket);
    SC_THREAD(run);
  }
  bool done = false;

 private:
  struct Request {
    Payload payload;
    std::array<unsigned char, kBytes> data{};
    Clock arrived = 0, end = 0;
  };

  Clock now() const { return sc_core::sc_time_stamp().value() / target_.clock_period().value(); }
  static void fill(Request& r, tlm::tlm_command command, std::uint64_t address) {
    r.payload.set_command(command);
    r.payload.set_address(address);
    r.payload.set_data_ptr(r.data.data());
    r.payload.set_data_length(kBytes);
    r.payload.set_streaming_width(kBytes);
    r.payload.set_byte_enable_ptr(nullptr);
    r.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  static std::uint64_t block(const DramRequestAt& request) { return request.address / kBytes * kBytes; }

  tlm::tlm_response_status blocking(Request& r) {
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(r.payload, delay);
    equal("delay that a blocking call leaves", delay.value(), sc_core::sc_time::value_type{0});
    return r.payload.get_response_status();
  }

  void run() {
    check_untimed();
    phases_ ? run_phases() : run_blocking();
    done = true;
  }

  // Nothing of this takes time.
  void check_untimed() {
    Request r;
    const auto refused = [&](tlm::tlm_response_status status, const char* what) {
      equal(what, static_cast<int>(blocking(r)), static_cast<int>(status));
      fill(r, tlm::TLM_READ_COMMAND, 0);
    };
    fill(r, tlm::TLM_READ_COMMAND, target_.capacity_bytes() - kBytes + 1);
    refused(tlm::TLM_ADDRESS_ERROR_RESPONSE, "beyond the memory");
    r.payload.set_data_length(0);
    refused(tlm::TLM_BURST_ERROR_RESPONSE, "no bytes");
    r.payload.set_streaming_width(8);
    refused(tlm::TLM_BURST_ERROR_RESPONSE, "streaming");
    std::array<unsigned char, 2> enables = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED};
    r.payload.set_byte_enable_ptr(enables.data());
    r.payload.set_byte_enable_length(2);
    refused(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE, "byte enables of a read");

    r.data.fill(0x11);
    fill(r, tlm::TLM_WRITE_COMMAND, 128);
    equal("debug write", socket->transport_dbg(r.payload), kBytes);
    r.data.fill(0);
    fill(r, tlm::TLM_READ_COMMAND, 128);
    equal("debug read", socket->transport_dbg(r.payload), kBytes);
    equal("what was written", int{r.data[kBytes - 1]}, 0x11);
    fill(r, tlm::TLM_READ_COMMAND, target_.capacity_bytes());
    equal("debug read beyond the memory", socket->transport_dbg(r.payload), 0u);
    tlm::tlm_dmi dmi;
    equal("direct memory", socket->get_direct_mem_ptr(r.payload, dmi), false);
    equal("time", now(), Clock{0});
  }

  void run_phases() {
    for (const DramRequestAt& request : requests_) {
      const sc_core::sc_time at = target_.clock_period() * static_cast<double>(request.at);
      if (at > sc_core::sc_time_stamp()) wait(at - sc_core::sc_time_stamp());
      Request& r = open_.emplace_back();
      r.payload.set_mm(&memory_);
      r.payload.acquire();
      fill(r, request.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, block(request));
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      ++waiting_;
      equal("answer to BEGIN_REQ", static_cast<int>(socket->nb_transport_fw(r.payload, phase, delay)),
            static_cast<int>(tlm::TLM_ACCEPTED));
      wait(taken_);
    }
    while (waiting_ != 0) wait(answered_);
    const memory::DramReplayResult result = replayed(system_, requests_);
    memory::DramLatencies reads, writes;
    for (Request& r : open_) {
      (r.payload.is_write() ? writes : reads).add(r.end - r.arrived);
      r.payload.release();
    }
    equal("payloads that are free again", memory_.freed, requests_.size());
    equal("clocks", now(), result.clocks);
    if (system_.device.burst_bytes == kBytes) {
      compare("read", reads, result.reads);
      compare("write", writes, result.writes);
    }
    compare(target_.counts(), result.counters());
  }

  static void compare(const char* what, const memory::DramLatencies& socket,
                      const memory::DramLatencies& replay) {
    equal(what, socket.count(), replay.count());
    equal(what, socket.min(), replay.min());
    equal(what, socket.max(), replay.max());
    equal(what, socket.average(), replay.average());
    for (const double p : {10.0, 50.0, 90.0, 99.0}) equal(what, socket.percentile(p), replay.percentile(p));
  }
  static void compare(const sockets::DramTarget::Counts& c, const memory::DramCounters& r) {
    const auto commands = [&r](std::initializer_list<config::DramCommand> kinds) {
      std::uint64_t sum = 0;
      for (const config::DramCommand k : kinds) sum += r.commands[static_cast<std::size_t>(k)];
      return sum;
    };
    using enum config::DramCommand;
    equal("read bursts", c.reads, r.reads);
    equal("write bursts", c.writes, r.writes);
    equal("row hits", c.hits, r.hits);
    equal("row misses", c.misses, r.misses);
    equal("row conflicts", c.conflicts, r.conflicts);
    equal("forwarded", c.forwarded, r.forwarded);
    equal("coalesced", c.coalesced, r.coalesced);
    equal("activations", c.activations, commands({activate}));
    equal("precharges", c.precharges, commands({precharge, precharge_all}));
    equal("refreshes", c.refreshes, commands({refresh_all, refresh_bank}));
  }

  // Each request comes when the one before is done: a replay of as many with these clocks ends then.
  void run_blocking() {
    constexpr std::size_t kMost = 40;
    std::vector<DramRequestAt> before;
    for (std::size_t i = 0; i < std::min(kMost, requests_.size()); ++i) {
      before.push_back({block(requests_[i]), now(), requests_[i].write, 0});
      Request r;
      fill(r, requests_[i].write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, block(requests_[i]));
      equal("blocking call", static_cast<int>(blocking(r)), static_cast<int>(tlm::TLM_OK_RESPONSE));
      equal("end of a blocking call", now(), replayed(system_, before).clocks);
    }
  }

  Request& of(const Payload& payload) {
    return *std::find_if(open_.begin(), open_.end(),
                         [&](const Request& r) { return &r.payload == &payload; });
  }
  tlm::tlm_sync_enum nb_transport_bw(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase == tlm::END_REQ) {
      of(payload).arrived = now();
      taken_.notify(sc_core::SC_ZERO_TIME);
      return tlm::TLM_ACCEPTED;
    }
    equal("response", static_cast<int>(payload.get_response_status()),
          static_cast<int>(tlm::TLM_OK_RESPONSE));
    of(payload).end = now();
    --waiting_;
    answered_.notify(sc_core::SC_ZERO_TIME);
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
  }

  sockets::DramTarget& target_;
  const config::DramSystem& system_;
  const std::vector<DramRequestAt>& requests_;
  bool phases_;
  Counted memory_;
  std::deque<Request> open_;
  std::size_t waiting_ = 0;
  sc_core::sc_event taken_, answered_;
};

}  // namespace

int sc_main(int argc, char* argv[]) {
  if (argc != 3) return 2;
  try {
    const config::DramSystem system = config::read_dram_system(argv[1]);
    memory::DramTraceReader trace(
        argv[2], {system.channels * system.device.channel_bytes(), system.device.tck_ps, true});
    std::vector<DramRequestAt> requests;
    for (DramRequestAt request; requests.size() < 4000 && trace.next(request);) requests.push_back(request);
    // Two memories: each starts at time 0.
    sockets::DramTarget first("first", argv[1]), second("second", argv[1]);
    Tester phases("phases", first, system, requests, true),
        blocking("blocking", second, system, requests, false);
    sc_core::sc_start();
    if (!phases.done || !blocking.done) {
      fmt::print("the simulation ended before the requests did\n");
      ++failures;
    }
    fmt::print("{} requests on {}: {}\n", requests.size(), system.name,
               failures == 0 ? "the socket's times are the replay's" : "see above");
  } catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}
