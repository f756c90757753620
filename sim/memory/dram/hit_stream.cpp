// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/hit_stream.h"

#include <algorithm>
#include <bit>

namespace tokencycle::memory {

HitStream::HitStream(const config::DramDevice& device, const DramBanks& banks)
    : banks_(banks),
      banks_of_group_(device.banks),
      banks_of_rank_(banks.of_rank()),
      command_clocks_(device.commands[static_cast<std::size_t>(DramCommand::read)].clocks),
      group_ready_((banks.count() + device.banks - 1) / device.banks),
      rank_ready_(device.ranks) {}

void HitStream::begin(Clock bus_free) {
  bus_free_ = bus_free;
  known_ = given_ = 0;
  std::fill(group_ready_.begin(), group_ready_.end(), 0);
  std::fill(rank_ready_.begin(), rank_ready_.end(), 0);
}

void HitStream::push(const Read& read) {
  const std::uint32_t bank = read.request.bank;
  reads_.push_back(read);
  ++size_;
  if ((known_ & bit_of(bank)) == 0) {
    known_ |= bit_of(bank);
    bank_ready_[bank] = banks_.earliest_of_bank(DramCommand::read, bank);
  }
  if (waiting_of_[bank]++ != 0) return;  // the older one goes first
  waiting_ |= bit_of(bank);
  const Clock at = std::max({read.arrived + 1, bus_free_, ready(bank)});
  if (at > next_.at) return;
  if (at == next_.at) {
    const Read& first = reads_[next_.index];
    if (first.arrived != read.arrived || first.request.bank < bank) return;
  }
  next_ = {at, reads_.size() - 1};
}

void HitStream::choose(Clock from) {
  // No read comes before: the first that can is the next.
  const Clock start = std::max({from, bus_free_, *std::min_element(rank_ready_.begin(), rank_ready_.end())});
  next_ = {};
  std::uint64_t seen = 0;
  Clock arrived = 0;
  std::uint32_t best = 0;
  for (std::size_t i = 0; seen != waiting_; ++i) {
    const Read& read = reads_[i];
    const std::uint32_t bank = read.request.bank;
    if (next_.at == start && read.arrived != arrived) return;
    if (read.given || (seen & bit_of(bank)) != 0) continue;
    seen |= bit_of(bank);
    const Clock at = std::max(start, ready(bank));
    if (at > next_.at || (at == next_.at && (read.arrived != arrived || bank > best))) continue;
    next_ = {at, i};
    arrived = read.arrived;
    best = bank;
  }
}

const HitStream::Read& HitStream::give() {
  const Clock now = next_.at;
  Read& read = reads_[next_.index];
  const std::uint32_t bank = read.request.bank, rank = bank / banks_of_rank_;
  read.given = true;
  served_ = read;
  --size_;
  if (--waiting_of_[bank] == 0) waiting_ &= ~bit_of(bank);
  given_ |= bit_of(bank);
  last_[bank] = now;
  bank_ready_[bank] = now + banks_.read_gap(DramLevel::bank);
  group_ready_[bank / banks_of_group_] = now + banks_.read_gap(DramLevel::bank_group);
  rank_ready_[rank] = std::max(rank_ready_[rank], now + banks_.read_gap(DramLevel::rank));
  for (std::uint32_t other = 0; other < rank_ready_.size(); ++other) {
    if (other != rank)
      rank_ready_[other] = std::max(rank_ready_[other], now + banks_.read_gap(DramLevel::channel));
  }
  bus_free_ = now + command_clocks_;
  while (!reads_.empty() && reads_.front().given) reads_.pop_front();
  choose(now + 1);
  return served_;
}

// Of a bank, of its group and so on, the last RD counts.
void HitStream::give_to(DramBanks& banks) {
  std::array<std::uint32_t, kMostBanks> order;
  std::size_t count = 0;
  for (std::uint64_t bits = given_; bits != 0; bits &= bits - 1)
    order[count++] = static_cast<std::uint32_t>(std::countr_zero(bits));
  std::sort(order.begin(), order.begin() + count,
            [this](std::uint32_t a, std::uint32_t b) { return last_[a] < last_[b]; });
  for (std::size_t i = 0; i < count; ++i) banks.give_read(order[i], last_[order[i]], false);
  while (!reads_.empty()) reads_.pop_front();
  waiting_of_.fill(0);
  known_ = waiting_ = given_ = 0;
  size_ = 0;
  next_ = {};
}

}  // namespace tokencycle::memory
