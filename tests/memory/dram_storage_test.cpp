// SPDX-License-Identifier: Apache-2.0
// The contents of DRAM: mapped files, copies on write, bytes never written, the end of memory.
#include "memory/dram/storage.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "base/error.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

using Bytes = std::vector<std::byte>;

Bytes random_bytes(std::mt19937& random, std::size_t n) {
  Bytes bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

Bytes read(const DramStorage& storage, std::uint64_t address, std::size_t n) {
  Bytes bytes(n, std::byte{0xcc});
  storage.read(DramAddress(address), bytes);
  return bytes;
}

}  // namespace

TEST_CASE("bytes never written are zero") {
  const DramStorage storage(std::uint64_t{1} << 48);
  CHECK(read(storage, 12345, 10000) == Bytes(10000));
  CHECK(read(storage, (std::uint64_t{1} << 48) - 1, 1) == Bytes(1));
}

TEST_CASE("random reads and writes over mapped ranges are those of a plain array") {
  std::mt19937 random(2);
  constexpr std::size_t kSize = 64 * 1024;
  for (int round = 0; round < 20; ++round) {
    DramStorage storage(kSize);
    Bytes plain(kSize);
    // Three disjoint mapped files of any alignment and length.
    std::vector<Bytes> files, originals;
    for (std::size_t f = 0; f < 3; ++f) files.push_back(random_bytes(random, 1 + random() % 15000));
    originals = files;
    for (std::size_t f = 0; f < 3; ++f) {
      const std::size_t at = f * 20000 + random() % 5000;
      storage.map(DramAddress(at), files[f]);
      std::copy(files[f].begin(), files[f].end(), plain.begin() + static_cast<std::ptrdiff_t>(at));
    }
    std::size_t wrong = 0, seen_at_once = 0;
    for (int n = 0; n < 300; ++n) {
      const std::size_t bytes = random() % 4 == 0 ? random() % 10000 : random() % 200;
      const std::size_t at = random() % (kSize - bytes);
      const auto begin = plain.begin() + static_cast<std::ptrdiff_t>(at);
      if (random() % 2 == 0) {
        const Bytes fresh = random_bytes(random, bytes);
        storage.write(DramAddress(at), fresh);
        std::copy(fresh.begin(), fresh.end(), begin);
      } else {
        const Bytes expected(begin, begin + static_cast<std::ptrdiff_t>(bytes));
        wrong += read(storage, at, bytes) != expected;
        const std::byte* seen = storage.view(DramAddress(at), bytes);
        wrong += seen != nullptr && !std::equal(expected.begin(), expected.end(), seen);
        seen_at_once += seen != nullptr && bytes > 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(seen_at_once > 30);
    CHECK(read(storage, 0, kSize) == plain);
    CHECK(files == originals);  // writes go to copies of the pages
  }
}

TEST_CASE("a page read before its first write shows the written bytes afterwards") {
  DramStorage storage(8192);
  CHECK(read(storage, 4096, 4) == Bytes(4));
  const Bytes some(4, std::byte{7});
  storage.write(DramAddress(4096), some);
  CHECK(read(storage, 4096, 4) == some);
}

TEST_CASE("accesses beyond the end are refused with place, size and capacity") {
  DramStorage storage(1000);
  Bytes bytes(10);
  storage.write(DramAddress(990), bytes);  // the last ten bytes
  storage.read(DramAddress(1000), std::span<std::byte>{});
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(storage.read(DramAddress(991), bytes),
                    Contains("read") && Contains("0x3df") && Contains("1000"));
  CHECK_THROWS_WITH(storage.write(DramAddress(5000), bytes), Contains("write") && Contains("0x1388"));
  CHECK_THROWS_AS(storage.view(DramAddress(991), 10), SimulationError);
  CHECK_THROWS_AS(storage.map(DramAddress(995), bytes), SimulationError);
  CHECK_THROWS_AS(storage.read(DramAddress(~std::uint64_t{0}), bytes), SimulationError);
}
