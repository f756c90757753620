// SPDX-License-Identifier: Apache-2.0
// Reads of open rows that nothing puts off but other reads: in which clocks they are served.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/ring.h"
#include "config/dram/device.h"
#include "memory/dram/listener.h"

namespace tokencycle::memory {

// Of the banks with a waiting read, the one that is ready first; of equals the one whose oldest read is
// older, then the lowest: what DramController chooses in the same case, with one look instead of one per
// bank, since the reads stand in the order of their arrival and the first that is ready is the oldest.
class HitStream {
 public:
  static constexpr std::uint32_t kMostBanks = 64;

  struct Read {
    DramRequest request;
    Clock arrived = 0;
    bool begun = false, conflict = false;  // as in DramEntry
    bool given = false;
  };

  // Both are those of the controller. `banks` has the state before the stream, until give_to().
  HitStream(const config::DramDevice& device, const DramBanks& banks);

  // `bus_free`: the first clock in which the command bus can take an RD.
  void begin(Clock bus_free);
  // In order of arrival; seen from the next clock on.
  void push(const Read& read);
  // Chooses anew, for a clock from `from` on.
  void choose(Clock from);

  std::uint32_t size() const { return size_; }
  Clock next() const { return next_.at; }  // of the next RD, kNoClock: none
  // Serves that one. The reference holds until the next call.
  const Read& give();

  // Those that wait, in order of arrival.
  template <class Visit>
  void for_waiting(Visit visit) const {
    for (std::size_t i = 0; i < reads_.size(); ++i) {
      if (!reads_[i].given) visit(reads_[i]);
    }
  }
  Clock bus_free() const { return bus_free_; }
  // Makes the banks those behind all RD of the stream.
  void give_to(DramBanks& banks);

 private:
  struct Next {
    Clock at = kNoClock;
    std::size_t index = 0;  // in reads_
  };
  static constexpr std::uint64_t bit_of(std::uint32_t bank) { return std::uint64_t{1} << bank; }
  Clock ready(std::uint32_t bank) const {
    return std::max(std::max(bank_ready_[bank], group_ready_[bank / banks_of_group_]),
                    rank_ready_[bank / banks_of_rank_]);
  }

  const DramBanks& banks_;
  const std::uint32_t banks_of_group_, banks_of_rank_, command_clocks_;
  Ring<Read> reads_;  // in order of arrival; those in front of the first that waits are gone
  std::uint32_t size_ = 0;
  Next next_;
  Clock bus_free_ = 0;
  std::uint64_t known_ = 0, waiting_ = 0, given_ = 0;   // banks: seen in the stream, with a read, with an RD
  std::array<std::uint32_t, kMostBanks> waiting_of_{};  // reads
  std::array<Clock, kMostBanks> bank_ready_{}, last_{};
  std::vector<Clock> group_ready_, rank_ready_;
  Read served_;
};

}  // namespace tokencycle::memory
