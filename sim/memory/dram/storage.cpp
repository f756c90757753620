// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tokencycle::memory {

void DramStorage::check(DramAddress address, std::uint64_t bytes, const char* what) const {
  if (address.value <= capacity_ && bytes <= capacity_ - address.value) return;
  throw SimulationError(
      fmt::format("DRAM {} of {} bytes at 0x{:x} lies outside the {} bytes of memory; give the machine more "
                  "DRAM or mend the program's addresses",
                  what, bytes, address.value, capacity_));
}

void DramStorage::map(DramAddress address, std::span<const std::byte> bytes) {
  check(address, bytes.size(), "mapping");
  regions_.push_back({address.value, address.value + bytes.size(), bytes.data()});
}

// The region that has all of these bytes: the one found last, or the first that does.
const DramStorage::Region* DramStorage::region_with(std::uint64_t address, std::size_t bytes) const {
  const auto has = [&](const Region& r) { return address >= r.begin && address + bytes <= r.end; };
  if (last_region_ < regions_.size() && has(regions_[last_region_])) return &regions_[last_region_];
  const auto found = std::find_if(regions_.begin(), regions_.end(), has);
  if (found == regions_.end()) return nullptr;
  last_region_ = static_cast<std::size_t>(found - regions_.begin());
  return &*found;
}

void DramStorage::read_mapped(std::uint64_t address, std::span<std::byte> out) const {
  if (const Region* r = region_with(address, out.size())) {
    std::memcpy(out.data(), r->bytes + (address - r->begin), out.size());
    return;
  }
  std::memset(out.data(), 0, out.size());
  for (const Region& r : regions_) {
    const std::uint64_t begin = std::max(address, r.begin);
    const std::uint64_t end = std::min(address + out.size(), r.end);
    if (begin < end) std::memcpy(out.data() + (begin - address), r.bytes + (begin - r.begin), end - begin);
  }
}

DramStorage::Page* DramStorage::find_page(std::uint64_t index) const {
  if (index == last_index_) return last_page_;
  const auto found = pages_.find(index);
  last_index_ = index;
  last_page_ = found == pages_.end() ? nullptr : found->second.get();
  return last_page_;
}

void DramStorage::read(DramAddress address, std::span<std::byte> out) const {
  check(address, out.size(), "read");
  std::uint64_t at = address.value;
  while (!out.empty()) {
    const std::uint64_t offset = at % kPageBytes;
    const std::size_t n = std::min<std::uint64_t>(out.size(), kPageBytes - offset);
    if (const Page* page = find_page(at / kPageBytes)) {
      std::memcpy(out.data(), page->data() + offset, n);
    } else {
      read_mapped(at, out.first(n));
    }
    out = out.subspan(n);
    at += n;
  }
}

const std::byte* DramStorage::view(DramAddress address, std::size_t bytes) const {
  check(address, bytes, "read");
  const std::uint64_t offset = address.value % kPageBytes;
  if (offset + bytes > kPageBytes) return nullptr;
  if (const Page* page = find_page(address.value / kPageBytes)) return page->data() + offset;
  const Region* r = region_with(address.value, bytes);
  return r == nullptr ? nullptr : r->bytes + (address.value - r->begin);
}

DramStorage::Page& DramStorage::page(std::uint64_t index) {
  if (Page* found = find_page(index)) return *found;
  auto fresh = std::make_unique<Page>();
  read_mapped(index * kPageBytes, *fresh);
  last_page_ = fresh.get();
  last_index_ = index;
  pages_.emplace(index, std::move(fresh));
  return *last_page_;
}

std::vector<std::uint64_t> DramStorage::written_pages() const {
  std::vector<std::uint64_t> indices;
  indices.reserve(pages_.size());
  for (const auto& [index, page] : pages_) indices.push_back(index);
  std::sort(indices.begin(), indices.end());
  return indices;
}

void DramStorage::write(DramAddress address, std::span<const std::byte> in) {
  check(address, in.size(), "write");
  std::uint64_t at = address.value;
  while (!in.empty()) {
    const std::uint64_t index = at / kPageBytes, offset = at % kPageBytes;
    const std::size_t n = std::min<std::uint64_t>(in.size(), kPageBytes - offset);
    std::memcpy(page(index).data() + offset, in.data(), n);
    in = in.subspan(n);
    at += n;
  }
}

}  // namespace tokencycle::memory
