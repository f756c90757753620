// SPDX-License-Identifier: Apache-2.0
// A DRAM behind a TLM-2.0 target socket, for SystemC models of others. It needs nothing but SystemC's
// headers.
#pragma once

#include <tlm.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tokencycle::sockets {

// Base protocol of TLM-2.0 (IEEE 1666-2011, 15.2): b_transport, which waits until the memory is done; the
// four phases of nb_transport, END_REQ when the request has found room in the queues and BEGIN_RESP when it
// is done; debug transport, without time. No direct memory: every access takes time. Requests arrive as those
// of `tokencycle dram`: one per command clock, in order, from the first edge that is not before the call and
// its delay. Data is read and written as a request arrives.
//
// Response statuses: ADDRESS_ERROR beyond the memory, BURST_ERROR for no bytes, more than 1 MiB or a
// streaming width below the length, BYTE_ENABLE_ERROR for byte enables of reads; writes obey theirs.
class DramTarget : public sc_core::sc_module {
 public:
  // `description`: a preset or a memory system, as configs/dram has them. Throws what their reader throws
  // (std::runtime_error with file, JSON path and value), and where the kernel's time resolution does not
  // divide the memory's clock.
  DramTarget(const sc_core::sc_module_name& name, const std::string& description);
  ~DramTarget() override;

  tlm_utils::simple_target_socket<DramTarget> socket;

  std::uint64_t capacity_bytes() const;
  sc_core::sc_time clock_period() const;  // of the command clock
  // Bursts and commands until now.
  struct Counts {
    std::uint64_t reads = 0, writes = 0, hits = 0, misses = 0, conflicts = 0, forwarded = 0, coalesced = 0;
    std::uint64_t activations = 0, precharges = 0, refreshes = 0;
  };
  Counts counts() const;

 private:
  struct Core;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void step();
  void respond();
  void end_response(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);

  std::unique_ptr<Core> core_;
  sc_core::sc_event ev_step_, ev_respond_;
};

}  // namespace tokencycle::sockets
