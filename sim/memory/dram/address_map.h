// SPDX-License-Identifier: Apache-2.0
// Which bits of an address choose channel, rank, bank, row and column.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/dram/system.h"

namespace tokencycle::memory {

struct DramPlace {
  std::uint32_t channel = 0;
  std::uint32_t bank = 0;  // of the channel: rank by rank, stack by stack, bank group by bank group
  std::uint32_t row = 0;
  std::uint32_t column = 0;  // burst of the row
};

// All sizes but the number of channels are powers of two (the description was checked). Addresses beyond the
// capacity wrap around.
class DramAddressMap {
 public:
  explicit DramAddressMap(const config::DramSystem& system);
  DramPlace place(std::uint64_t address) const;
  std::uint32_t channel(std::uint64_t address) const;  // that place() gives

 private:
  // Channels whose number is no power of two: the burst's number without its lowest `divide_from_` bits is
  // divided by it. The remainder is the channel; the quotient, with those bits below it, has the other
  // fields.
  bool divides() const { return divisor_ != 0; }

  // Bits [from, from + bits) of the burst's number are bits [to, to + bits) of the field.
  struct Part {
    std::size_t field;
    std::uint32_t from, bits, to;
  };
  std::uint32_t burst_shift_, bank_bits_, group_bits_, stack_bits_;
  std::array<std::uint32_t, config::kDramAddressFields> bits_{};
  std::vector<Part> parts_;
  std::vector<config::DramAddressHash> hashes_;
  std::uint32_t divisor_ = 0, divide_from_ = 0;
  std::vector<std::uint64_t> channel_masks_;  // bits of the burst's number whose parity is the channel's bit
};

}  // namespace tokencycle::memory
