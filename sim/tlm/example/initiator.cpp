// SPDX-License-Identifier: Apache-2.0
// A plain TLM-2.0 initiator on a DRAM of tokencycle: debug transport, blocking calls, then four-phase
// transactions that overlap.
//   initiator DESCRIPTION    (a preset or a memory system, as in configs/dram)
#include <tlm.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <cstdio>
#include <deque>
#include <exception>

#include "tlm/dram_target_shell.h"

namespace {

using Payload = tlm::tlm_generic_payload;
constexpr unsigned kBytes = 64;

class Initiator : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Initiator> socket{"socket"};
  int failures = 0;

  explicit Initiator(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_nb_transport_bw(this, &Initiator::nb_transport_bw);
    SC_HAS_PROCESS(Initiator);
    SC_THREAD(run);
  }

 private:
  struct Request {
    Payload payload;
    std::array<unsigned char, kBytes> data{};
  };

  static void fill(Request& r, tlm::tlm_command command, std::uint64_t address) {
    r.payload.set_command(command);
    r.payload.set_address(address);
    r.payload.set_data_ptr(r.data.data());
    r.payload.set_data_length(kBytes);
    r.payload.set_streaming_width(kBytes);
    r.payload.set_byte_enable_ptr(nullptr);
    r.payload.set_dmi_allowed(false);
    r.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  void check(bool good, const char* what) {
    if (good) return;
    std::printf("wrong: %s\n", what);
    ++failures;
  }

  void run() {
    Request r;
    r.data.fill(0x5a);
    fill(r, tlm::TLM_WRITE_COMMAND, 4096);
    check(socket->transport_dbg(r.payload) == kBytes, "debug transport writes without time");

    r.data.fill(0);
    fill(r, tlm::TLM_READ_COMMAND, 4096);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    const sc_core::sc_time before = sc_core::sc_time_stamp();
    socket->b_transport(r.payload, delay);
    check(r.payload.is_response_ok() && r.data[kBytes - 1] == 0x5a, "a blocking read finds what was written");
    std::printf("blocking read      %s\n", (sc_core::sc_time_stamp() - before).to_string().c_str());

    fill(r, tlm::TLM_READ_COMMAND, ~std::uint64_t{0} - 63);
    socket->b_transport(r.payload, delay);
    check(r.payload.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE,
          "beyond the memory is an error");

    // One row from end to end: the next request as soon as the one before has been taken.
    const sc_core::sc_time start = sc_core::sc_time_stamp();
    for (int i = 0; i < 64; ++i) {
      requests_.emplace_back();
      fill(requests_.back(), tlm::TLM_READ_COMMAND, static_cast<std::uint64_t>(i) * kBytes);
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      delay = sc_core::SC_ZERO_TIME;
      ++open_;
      if (socket->nb_transport_fw(requests_.back().payload, phase, delay) == tlm::TLM_COMPLETED)
        --open_;
      else
        wait(taken_);
    }
    while (open_ != 0) wait(answered_);
    std::printf("64 reads of a row  %s\n", (sc_core::sc_time_stamp() - start).to_string().c_str());
    sc_core::sc_stop();
  }

  tlm::tlm_sync_enum nb_transport_bw(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase == tlm::END_REQ) {
      taken_.notify(sc_core::SC_ZERO_TIME);
      return tlm::TLM_ACCEPTED;
    }
    check(phase == tlm::BEGIN_RESP && payload.is_response_ok(), "each request is answered");
    --open_;
    answered_.notify(sc_core::SC_ZERO_TIME);
    phase = tlm::END_RESP;
    return tlm::TLM_COMPLETED;
  }

  std::deque<Request> requests_;
  int open_ = 0;
  sc_core::sc_event taken_, answered_;
};

}  // namespace

int sc_main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: initiator DESCRIPTION\n");
    return 2;
  }
  try {
    Initiator initiator("initiator");
    tokencycle::sockets::DramTarget dram("dram", argv[1]);
    initiator.socket.bind(dram.socket);
    sc_core::sc_start();
    std::printf("row hits           %llu of %llu bursts\n",
                static_cast<unsigned long long>(dram.counts().hits),
                static_cast<unsigned long long>(dram.counts().reads + dram.counts().writes));
    return initiator.failures == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "initiator: %s\n", error.what());
    return 1;
  }
}
