// SPDX-License-Identifier: Apache-2.0
// Which bits of an address choose channel, rank, bank, row and column.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/dram/system.h"

namespace tokencycle::memory {

struct DramPlace {
  std::uint32_t channel = 0;
  std::uint32_t bank = 0;  // of the channel: rank by rank, stack by stack, bank group by bank group
  std::uint32_t row = 0;
  std::uint32_t column = 0;  // burst of the row

  DramPlace& operator^=(const DramPlace& other) {
    channel ^= other.channel;
    bank ^= other.bank;
    row ^= other.row;
    column ^= other.column;
    return *this;
  }
};

// All sizes but the number of channels are powers of two (the description was checked). Addresses beyond the
// capacity wrap around.
class DramAddressMap {
 public:
  static constexpr std::uint32_t kDigitBits = 6, kDigit = 1 << kDigitBits;
  explicit DramAddressMap(const config::DramSystem& system);
  DramPlace place(std::uint64_t address) const {
    return divides() ? place_by_parts(address) : place_by_tables(address >> burst_shift_);
  }
  // Of consecutive bursts from `address` on, which is aligned to all of them; their number is a power of two,
  // at most kDigit.
  void places(std::uint64_t address, std::span<DramPlace> out) const;

 private:
  // Channels whose number is no power of two: the burst's number without its lowest `divide_from_` bits is
  // divided by it. The remainder is the channel; the quotient, with those bits below it, has the other
  // fields.
  bool divides() const { return divisor_ != 0; }
  DramPlace place_by_parts(std::uint64_t address) const;
  DramPlace place_by_tables(std::uint64_t burst) const {
    const std::uint64_t above = burst >> kDigitBits;
    if (above != above_) {  // most bursts follow one that differs in the lowest digit alone
      above_ = above;
      place_above_ = {};
      for (std::size_t digit = 1; digit < tables_.size(); ++digit)
        place_above_ ^= tables_[digit][(above >> ((digit - 1) * kDigitBits)) % kDigit];
    }
    DramPlace place = place_above_;
    return place ^= tables_.front()[burst % kDigit];
  }

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
  // With a power of two of channels every field is a sum, without carry, of bits of the burst's number, and
  // so of what its digits of kDigitBits add to it: one table per digit, with a place for each of its values.
  std::vector<std::array<DramPlace, kDigit>> tables_;
  mutable std::uint64_t above_ = ~std::uint64_t{0};  // the digits above the lowest of the burst before,
  mutable DramPlace place_above_;                    // and what they add
};

}  // namespace tokencycle::memory
