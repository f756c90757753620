// SPDX-License-Identifier: Apache-2.0
// The contents of simulated DRAM: mapped files where they lie, everything else in pages made on first write.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/quantity.h"
#include "base/state.h"

namespace tokencycle::memory {

// Bytes never written read as zero. Reads and writes outside the capacity throw SimulationError.
class DramStorage {
 public:
  explicit DramStorage(std::uint64_t capacity_bytes) : capacity_(capacity_bytes) {}

  // Shows `bytes` at `address` without copying them; they must outlive this object, and no two such ranges
  // overlap. A later write to such a range copies the pages that it touches.
  void map(DramAddress address, std::span<const std::byte> bytes);

  void read(DramAddress address, std::span<std::byte> out) const;
  // Where these bytes lie one behind the other, until the next write or map; null where they do not.
  const std::byte* view(DramAddress address, std::size_t bytes) const;
  void write(DramAddress address, std::span<const std::byte> in);
  // Whether something was written into the page around `address`: false for mapped and for untouched bytes.
  bool written(DramAddress address) const { return find_page(address.value / kPageBytes) != nullptr; }
  std::uint64_t capacity() const { return capacity_; }
  // The pages that were written. What was mapped is the caller's to map again.
  template <class Archive>
  void serialize(Archive& state) {
    // NOLINTNEXTLINE(misc-const-correctness): a reader changes it
    std::vector<std::uint64_t> indices = written_pages();
    state(indices);
    for (const std::uint64_t index : indices) serialize_bytes(state, page(index));
  }

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  using Page = std::array<std::byte, kPageBytes>;
  struct Region {
    std::uint64_t begin, end;
    const std::byte* bytes;
  };
  void check(DramAddress address, std::uint64_t bytes, const char* what) const;
  const Region* region_with(std::uint64_t address, std::size_t bytes) const;
  void read_mapped(std::uint64_t address, std::span<std::byte> out) const;
  Page* find_page(std::uint64_t index) const;
  Page& page(std::uint64_t index);                   // made if it is not there
  std::vector<std::uint64_t> written_pages() const;  // ascending

  std::uint64_t capacity_;
  std::vector<Region> regions_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  mutable std::uint64_t last_index_ = ~std::uint64_t{0};  // the page found last: accesses run in rows
  mutable Page* last_page_ = nullptr;
  mutable std::size_t last_region_ = 0;
};

}  // namespace tokencycle::memory
