// SPDX-License-Identifier: Apache-2.0
#include "tlm/dram_target_shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "config/dram/system.h"
#include "memory/dram/port.h"
#include "memory/dram/replay.h"
#include "memory/dram/storage.h"

namespace tokencycle::sockets {

namespace {

using Payload = tlm::tlm_generic_payload;
using memory::Clock;
using memory::DramPortEvent;

sc_core::sc_time period_of(const config::DramSystem& system) {
  const sc_core::sc_time period(static_cast<double>(system.device.tck_ps), sc_core::SC_PS);
  if (std::llround(period.to_seconds() * 1e12) != static_cast<long long>(system.device.tck_ps)) {
    throw ConfigurationError(fmt::format(
        "{}: its clock of {} ps is no multiple of the kernel's time resolution; set that to 1 ps with "
        "sc_set_time_resolution",
        system.name, system.device.tck_ps));
  }
  return period;
}

// What the base protocol lets a target say against a request.
tlm::tlm_response_status fault_of(const Payload& p, std::uint64_t capacity) {
  const std::uint64_t bytes = p.get_data_length();
  if (p.get_address() >= capacity || bytes > capacity - p.get_address())
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (bytes == 0 || bytes > memory::kLargestDramRequest || p.get_streaming_width() < bytes) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  const bool enables = p.get_byte_enable_ptr() != nullptr;
  if (enables && (p.is_read() || p.get_byte_enable_length() == 0)) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

// The bytes between payload and memory.
void move_data(Payload& p, memory::DramStorage& storage) {
  const DramAddress address(p.get_address());
  const auto bytes = std::as_writable_bytes(std::span(p.get_data_ptr(), p.get_data_length()));
  if (p.is_read()) {
    storage.read(address, bytes);
    return;
  }
  if (const unsigned char* enables = p.get_byte_enable_ptr()) {
    std::vector<std::byte> merged(bytes.size());
    storage.read(address, merged);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (enables[i % p.get_byte_enable_length()] == TLM_BYTE_ENABLED) merged[i] = bytes[i];
    }
    storage.write(address, merged);
    return;
  }
  storage.write(address, bytes);
}

}  // namespace

struct DramTarget::Core {
  struct Transaction {
    Payload* payload;
    sc_core::sc_event* done;  // of a blocking call; null for the four phases
  };
  explicit Core(const std::string& description)
      : system(config::read_dram_system(description)),
        port(system),
        storage(port.capacity_bytes()),
        period(period_of(system)) {}

  Clock clock_now() const { return sc_core::sc_time_stamp().value() / period.value(); }
  void give(Payload& payload, const sc_core::sc_time& delay, sc_core::sc_event* done) {
    const std::uint64_t time = (sc_core::sc_time_stamp() + delay).value();
    const std::uint64_t id = next_id++;
    open[id] = {&payload, done};
    port.give({id, payload.get_address(), payload.get_data_length(), payload.is_write(),
               (time + period.value() - 1) / period.value()});
  }

  config::DramSystem system;
  memory::DramPort port;
  memory::DramStorage storage;
  sc_core::sc_time period;
  std::map<std::uint64_t, Transaction> open;
  std::uint64_t next_id = 0;
  std::deque<Payload*> responses;  // done, and not answered yet
  bool responding = false;         // between BEGIN_RESP and END_RESP
  sc_core::sc_time resume;         // no response before: the initiator's delay of END_RESP
};

DramTarget::DramTarget(const sc_core::sc_module_name& name, const std::string& description)
    : sc_module(name), socket("socket"), core_(std::make_unique<Core>(description)) {
  SC_HAS_PROCESS(DramTarget);
  socket.register_b_transport(this, &DramTarget::b_transport);
  socket.register_nb_transport_fw(this, &DramTarget::nb_transport_fw);
  socket.register_transport_dbg(this, &DramTarget::transport_dbg);
  SC_METHOD(step);
  sensitive << ev_step_;
  dont_initialize();
  SC_METHOD(respond);
  sensitive << ev_respond_;
  dont_initialize();
}

DramTarget::~DramTarget() = default;

std::uint64_t DramTarget::capacity_bytes() const {
  return core_->port.capacity_bytes();
}

sc_core::sc_time DramTarget::clock_period() const {
  return core_->period;
}

DramTarget::Counts DramTarget::counts() const {
  const memory::DramCounters c = core_->port.counters(core_->clock_now());
  const auto commands = [&c](std::initializer_list<config::DramCommand> kinds) {
    std::uint64_t sum = 0;
    for (const config::DramCommand k : kinds) sum += c.commands[static_cast<std::size_t>(k)];
    return sum;
  };
  using enum config::DramCommand;
  return {c.reads,
          c.writes,
          c.hits,
          c.misses,
          c.conflicts,
          c.forwarded,
          c.coalesced,
          commands({activate}),
          commands({precharge, precharge_all}),
          commands({refresh_all, refresh_bank})};
}

void DramTarget::b_transport(Payload& payload, sc_core::sc_time& delay) {
  payload.set_response_status(fault_of(payload, capacity_bytes()));
  if (payload.is_response_error() || payload.get_command() == tlm::TLM_IGNORE_COMMAND) return;
  sc_core::wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  sc_core::sc_event done;
  core_->give(payload, delay, &done);
  ev_step_.notify(sc_core::SC_ZERO_TIME);
  sc_core::wait(done);
}

tlm::tlm_sync_enum DramTarget::nb_transport_fw(Payload& payload, tlm::tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  if (phase == tlm::END_RESP) {
    end_response(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;  // ignorable phases
  payload.set_response_status(fault_of(payload, capacity_bytes()));
  if (payload.is_response_error() || payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return tlm::TLM_COMPLETED;
  if (payload.has_mm()) payload.acquire();
  core_->give(payload, delay, nullptr);
  ev_step_.notify(sc_core::SC_ZERO_TIME);
  return tlm::TLM_ACCEPTED;
}

unsigned DramTarget::transport_dbg(Payload& payload) {
  const std::uint64_t capacity = capacity_bytes(), address = payload.get_address();
  const bool none = address >= capacity || payload.get_command() == tlm::TLM_IGNORE_COMMAND;
  if (none || payload.get_data_length() > capacity - address) {
    payload.set_response_status(none && address < capacity ? tlm::TLM_COMMAND_ERROR_RESPONSE
                                                           : tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  move_data(payload, core_->storage);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return payload.get_data_length();
}

// 1. What the memory does up to now: data moves as requests arrive, END_REQ says so. 2. What is done is
// answered.
// 3. The next edge at which something happens.
void DramTarget::step() {
  for (const DramPortEvent& event : core_->port.advance(core_->clock_now())) {
    const Core::Transaction transaction = core_->open.at(event.id);
    if (event.kind == DramPortEvent::Kind::arrived) {
      move_data(*transaction.payload, core_->storage);
      if (transaction.done != nullptr) continue;
      tlm::tlm_phase phase = tlm::END_REQ;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      static_cast<void>(socket->nb_transport_bw(*transaction.payload, phase, delay));
    } else {
      core_->open.erase(event.id);
      transaction.payload->set_response_status(tlm::TLM_OK_RESPONSE);
      if (transaction.done != nullptr) {
        transaction.done->notify(sc_core::SC_ZERO_TIME);
      } else {
        core_->responses.push_back(transaction.payload);
      }
    }
  }
  respond();
  const Clock next = core_->port.next_event();
  if (next == memory::kNoClock) return;
  const Clock edge = std::max(next, core_->clock_now() + 1);
  ev_step_.notify(core_->period * static_cast<double>(edge) - sc_core::sc_time_stamp());
}

void DramTarget::end_response(Payload& payload, const sc_core::sc_time& delay) {
  core_->responding = false;
  core_->resume = sc_core::sc_time_stamp() + delay;
  if (payload.has_mm()) payload.release();
  ev_respond_.notify(delay);
}

// One response at a time: the next one after END_RESP.
void DramTarget::respond() {
  while (!core_->responding && !core_->responses.empty() && sc_core::sc_time_stamp() >= core_->resume) {
    Payload& payload = *core_->responses.front();
    core_->responses.pop_front();
    core_->responding = true;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    const tlm::tlm_sync_enum answer = socket->nb_transport_bw(payload, phase, delay);
    const bool ended = answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::END_RESP);
    if (!ended) return;
    end_response(payload, delay);
  }
}

}  // namespace tokencycle::sockets
