// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/address_map.h"

#include <bit>

#include "base/quantity.h"

namespace tokencycle::memory {

using config::DramAddressField;

namespace {

constexpr std::size_t index(DramAddressField f) {
  return static_cast<std::size_t>(f);
}
std::uint32_t log2_of(std::uint32_t power) {
  return static_cast<std::uint32_t>(std::countr_zero(power));
}
std::uint32_t low_bits(std::uint64_t value, std::uint32_t bits) {
  return static_cast<std::uint32_t>(value & ((std::uint64_t{1} << bits) - 1));
}

}  // namespace

DramAddressMap::DramAddressMap(const config::DramSystem& system)
    : burst_shift_(log2_of(system.device.burst_bytes)),
      bank_bits_(log2_of(system.device.banks)),
      group_bits_(log2_of(system.device.bank_groups)),
      stack_bits_(log2_of(system.device.stacks)),
      hashes_(system.hashes) {
  const config::DramDevice& d = system.device;
  bits_[index(DramAddressField::channel)] = config::bits_of(system, DramAddressField::channel);
  bits_[index(DramAddressField::rank)] = log2_of(d.ranks);
  bits_[index(DramAddressField::stack_id)] = stack_bits_;
  bits_[index(DramAddressField::bank_group)] = group_bits_;
  bits_[index(DramAddressField::bank)] = bank_bits_;
  bits_[index(DramAddressField::row)] = log2_of(d.rows);
  bits_[index(DramAddressField::column)] = log2_of(d.bursts);
  // A part without a size takes what the field's other parts leave.
  std::array<std::uint32_t, config::kDramAddressFields> named{}, taken{};
  for (const config::DramAddressPart& p : system.mapping) named[index(p.field)] += p.bits;
  std::uint32_t from = 0;
  for (const config::DramAddressPart& p : system.mapping) {
    const std::size_t f = index(p.field);
    if (p.field == DramAddressField::channel && !std::has_single_bit(system.channels)) {
      divisor_ = system.channels;
      divide_from_ = from;
      continue;
    }
    const std::uint32_t bits = p.bits != 0 ? p.bits : bits_[f] - named[f];
    parts_.push_back({f, from, bits, taken[f]});
    from += bits;
    taken[f] += bits;
  }
  if (divides()) return;
  tables_.resize(ceil_div(from, kDigitBits));
  for (std::size_t digit = 0; digit < tables_.size(); ++digit) {
    for (std::uint64_t value = 0; value < kDigit; ++value)
      tables_[digit][value] = place_by_parts(value << (digit * kDigitBits) << burst_shift_);
  }
}

void DramAddressMap::places(std::uint64_t address, std::span<DramPlace> out) const {
  out.front() = place(address);
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (divides()) {
      out[i] = place(address + (static_cast<std::uint64_t>(i) << burst_shift_));
    } else {
      out[i] = out.front();
      out[i] ^= tables_.front()[i];
    }
  }
}

DramPlace DramAddressMap::place_by_parts(std::uint64_t address) const {
  std::uint64_t burst = address >> burst_shift_;
  std::array<std::uint32_t, config::kDramAddressFields> value{};
  if (divides()) {
    const std::uint64_t high = burst >> divide_from_;
    value[index(DramAddressField::channel)] = static_cast<std::uint32_t>(high % divisor_);
    burst = high / divisor_ << divide_from_ | (burst & ((std::uint64_t{1} << divide_from_) - 1));
  }
  for (const Part& p : parts_) value[p.field] |= low_bits(burst >> p.from, p.bits) << p.to;
  for (const config::DramAddressHash& h : hashes_) {
    value[index(h.field)] ^= low_bits(value[index(h.with)] >> h.shift, bits_[index(h.field)]);
  }
  const std::uint32_t stack =
      value[index(DramAddressField::rank)] << stack_bits_ | value[index(DramAddressField::stack_id)];
  const std::uint32_t group = stack << group_bits_ | value[index(DramAddressField::bank_group)];
  return {value[index(DramAddressField::channel)], group << bank_bits_ | value[index(DramAddressField::bank)],
          value[index(DramAddressField::row)], value[index(DramAddressField::column)]};
}

}  // namespace tokencycle::memory
