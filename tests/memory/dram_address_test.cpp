// SPDX-License-Identifier: Apache-2.0
// Is every byte in one place, and every place one byte's? The way back is written here, from the description.
#include <bit>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <tuple>

#include "config/dram/system.h"
#include "memory/dram/address_map.h"

using namespace tokencycle;
using config::DramAddressField;
using memory::DramAddressMap;
using memory::DramPlace;

namespace {

using Field = DramAddressField;
using Values = std::array<std::uint64_t, config::kDramAddressFields>;

std::uint64_t& of(Values& values, Field field) {
  return values[static_cast<std::size_t>(field)];
}

config::DramSystem small_system(std::uint32_t channels) {
  config::DramSystem s;
  s.channels = channels;
  s.device.ranks = 2, s.device.bank_groups = 4, s.device.banks = 4, s.device.rows = 64, s.device.bursts = 16;
  s.device.burst_bytes = 64;
  s.mapping = config::default_mapping(s);
  return s;
}

std::uint64_t bytes_of(const config::DramSystem& s) {
  return s.channels * s.device.channel_bytes();
}

// XOR is undone last first; then the parts are digits of the burst's number, the last one its highest.
std::uint64_t address_of(const config::DramSystem& s, const DramPlace& place) {
  const config::DramDevice& d = s.device;
  Values values{};
  of(values, Field::channel) = place.channel;
  of(values, Field::bank) = place.bank % d.banks;
  of(values, Field::bank_group) = place.bank / d.banks % d.bank_groups;
  of(values, Field::rank) = place.bank / d.banks / d.bank_groups;
  of(values, Field::row) = place.row;
  of(values, Field::column) = place.column;
  for (auto h = s.hashes.rbegin(); h != s.hashes.rend(); ++h) {
    const std::uint64_t mask = (std::uint64_t{1} << config::bits_of(s, h->field)) - 1;
    of(values, h->field) ^= of(values, h->with) >> h->shift & mask;
  }
  std::uint64_t burst = 0;
  for (auto p = s.mapping.rbegin(); p != s.mapping.rend(); ++p) {
    std::uint32_t below = 0;  // bits of the field in parts further down
    for (auto q = std::next(p); q != s.mapping.rend(); ++q) below += q->field == p->field ? q->bits : 0;
    const std::uint64_t size = p->field == Field::channel && !std::has_single_bit(s.channels)
                                   ? s.channels
                                   : std::uint64_t{1} << p->bits;
    burst = burst * size + (of(values, p->field) >> below) % size;
  }
  return burst * d.burst_bytes;
}

// Any order of the fields, cut into parts, and any XORs of other fields.
template <class Random>
config::DramSystem random_mapping(Random& random, std::uint32_t channels) {
  config::DramSystem s = small_system(channels);
  const bool whole = !std::has_single_bit(channels);
  std::vector<Field> bits;
  for (int f = 0; f < config::kDramAddressFields; ++f) {
    const auto field = static_cast<Field>(f);
    const std::uint32_t parts = field == Field::channel && whole ? 1 : config::bits_of(s, field);
    for (std::uint32_t b = 0; b < parts; ++b) bits.push_back(field);
  }
  std::shuffle(bits.begin(), bits.end(), random);
  s.mapping.clear();
  for (const Field field : bits) {
    const std::uint32_t n = field == Field::channel && whole ? config::bits_of(s, field) : 1;
    if (!s.mapping.empty() && s.mapping.back().field == field) {
      s.mapping.back().bits += n;
    } else {
      s.mapping.push_back({field, n});
    }
  }
  for (auto n = random() % 4; n > 0; --n) {
    const auto field = static_cast<Field>(random() % config::kDramAddressFields),
               with = static_cast<Field>(random() % config::kDramAddressFields);
    if (field == with || config::bits_of(s, with) == 0 || (field == Field::channel && whole)) continue;
    s.hashes.push_back({field, with, static_cast<std::uint32_t>(random() % config::bits_of(s, with))});
  }
  return s;
}

// A block of bursts around the address has the places of its bursts.
template <class Random>
void require_places(const DramAddressMap& map, Random& random, std::uint64_t address) {
  std::vector<DramPlace> places(std::size_t{1} << random() % 6);
  const std::uint64_t first = address / (places.size() * 64) * (places.size() * 64);
  map.places(first, places);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const DramPlace p = places[i], one = map.place(first + i * 64);
    REQUIRE(std::tuple(p.channel, p.bank, p.row, p.column) ==
            std::tuple(one.channel, one.bank, one.row, one.column));
  }
}

}  // namespace

TEST_CASE("an address comes back from its place, under any mapping") {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    const config::DramSystem s = random_mapping(random, 1u << random() % 4);
    const DramAddressMap map(s);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t address = random() % bytes_of(s) / 64 * 64;
      const DramPlace place = map.place(address + random() % 64);
      CAPTURE(trial, address);
      REQUIRE(address_of(s, place) == address);
      require_places(map, random, address);
    }
  }
}

TEST_CASE("three, six or twelve channels take turns, and the rest of the address is a channel's own") {
  std::mt19937_64 random(12);
  for (const std::uint32_t channels : {3u, 5u, 6u, 12u}) {
    config::DramSystem s = small_system(channels);
    const DramAddressMap map(s);
    std::vector<std::set<std::uint64_t>> places(channels);
    for (std::uint64_t burst = 0; burst < bytes_of(s) / 64; ++burst) {
      const DramPlace p = map.place(burst * 64);
      REQUIRE(p.channel == burst % channels);
      places[p.channel].insert((std::uint64_t{p.bank} << 16) + (p.row << 8) + p.column);
    }
    for (const auto& of_channel : places) CHECK(of_channel.size() == s.device.channel_bytes() / 64);
    // Beyond the capacity the addresses wrap around.
    for (std::uint64_t burst = 0; burst < 1000; ++burst) {
      const DramPlace p = map.place(burst * 64), q = map.place(burst * 64 + bytes_of(s));
      REQUIRE(std::tuple(p.channel, p.bank, p.row, p.column) ==
              std::tuple(q.channel, q.bank, q.row, q.column));
    }
    for (int trial = 0; trial < 60; ++trial) {
      const config::DramSystem any = random_mapping(random, channels);
      const DramAddressMap of_any(any);
      for (int i = 0; i < 200; ++i) {
        const std::uint64_t address = random() % bytes_of(any) / 64 * 64;
        const DramPlace place = of_any.place(address);
        CAPTURE(channels, trial, address);
        REQUIRE(address_of(any, place) == address);
        require_places(of_any, random, address);
      }
    }
  }
}

// Four bursts stay in a row, then come the channels and banks, and the rest of the row above them; higher
// bits of the column or the row change the banks (Kaseridis, Stuecheli and John, MICRO 2011).
TEST_CASE("minimalist open page: four bursts of a row, then other banks, which shifted column bits permute") {
  config::DramSystem s = small_system(2);
  s.mapping = {{Field::column, 2}, {Field::channel, 1}, {Field::rank, 1}, {Field::bank_group, 2},
               {Field::bank, 2},   {Field::column, 2},  {Field::row, 6}};
  const DramAddressMap plain(s);
  s.hashes = {{Field::bank, Field::column, 2}, {Field::bank_group, Field::row, 1}};
  const DramAddressMap mop(s);
  for (std::uint64_t burst = 0; burst < bytes_of(s) / 64; burst += 3) {
    const DramPlace a = plain.place(burst * 64), b = mop.place(burst * 64);
    CAPTURE(burst);
    REQUIRE(a.column == (burst & 3) + (burst >> 8 & 3) * 4);
    const std::uint32_t bank = a.bank % 4 ^ (a.column >> 2), group = (a.bank / 4 ^ a.row >> 1) % 4;
    REQUIRE(b.bank == (a.bank / 16 * 4 + group) * 4 + bank);
    REQUIRE(b.channel == a.channel);
    REQUIRE(b.row == a.row);
    REQUIRE(b.column == a.column);
  }
}
