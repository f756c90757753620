// SPDX-License-Identifier: Apache-2.0
// Requests to a DRAM system one by one, as a caller outside the simulator gives them: the core of the TLM
// socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "memory/dram/address_map.h"
#include "memory/dram/controller.h"

namespace tokencycle::memory {

// A request with an id of the caller's, `at` the earliest clock at which it can arrive.
struct DramPortRequest {
  std::uint64_t id = 0, address = 0;
  std::uint32_t bytes = 0;  // from the address on, at least 1
  bool write = false;
  Clock at = 0;
};
// It has found room in the queues (`arrived`: its last burst), or it is done: the last data of a read, the
// last command of a write.
struct DramPortEvent {
  enum class Kind : std::uint8_t { arrived, done };
  Kind kind = Kind::arrived;
  std::uint64_t id = 0;
  Clock clock = 0;
};

// The rules of arrival are those of replay(): one request per clock, in order, when the queue has room for
// its first burst; its further bursts arrive in the same clock or as there is room, and hold those behind
// them. Time goes on with advance() alone, so that the same requests give the same commands as in a replay.
class DramPort {
 public:
  // `system` must outlive it.
  explicit DramPort(const config::DramSystem& system);
  ~DramPort();
  DramPort(const DramPort&) = delete;
  DramPort& operator=(const DramPort&) = delete;

  std::uint64_t capacity_bytes() const { return system_.channels * system_.device.channel_bytes(); }
  // A request behind all those before it. Not for a clock before the last advance.
  void give(const DramPortRequest& request);
  // Does all that happens up to and including `until`; what happened in these clocks, in order of clock.
  std::vector<DramPortEvent> advance(Clock until);
  // A clock before which nothing will happen if nothing is given; kNoClock: never.
  Clock next_event() const;
  bool idle() const { return pending_.empty() && open_ == 0 && done_.empty(); }
  // With all refreshes due up to `until`, which is not before the last advance.
  DramCounters counters(Clock until);

 private:
  class Channel;
  struct Open {
    std::uint64_t id;
    std::uint32_t bursts;  // that are not complete
    Clock end;
  };
  struct Done {
    Clock clock;
    std::uint64_t order, id;
    bool operator>(const Done& o) const { return clock != o.clock ? clock > o.clock : order > o.order; }
  };
  void step(Clock t);
  bool arrive(Clock t);
  void completed(std::uint64_t place, Clock clock);
  std::uint32_t bursts_of(const DramPortRequest& request) const;

  const config::DramSystem& system_;
  const DramAddressMap map_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::deque<DramPortRequest> pending_;
  std::uint32_t placed_ = 0;           // bursts of the first of them that have arrived
  std::uint64_t first_place_ = 0;      // of the first of them in all_
  Clock free_ = 0, retry_ = 0;         // the clocks at which the next one may arrive, and may find room
  std::vector<Open> all_;              // a burst's id is its request's place here
  std::vector<std::uint64_t> places_;  // that are free
  std::uint64_t open_ = 0, orders_ = 0;
  std::priority_queue<Done, std::vector<Done>, std::greater<>> done_;
  std::vector<DramPortEvent> events_;
};

}  // namespace tokencycle::memory
