// SPDX-License-Identifier: Apache-2.0
// What becomes of a mapped file that another program makes shorter: an error, not the end of the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace tokencycle::model {

// Takes over SIGBUS, which reading a mapped byte that the file no longer has raises. In a watched mapping
// such bytes read as zeros from then on, and the mapping's watch knows; anywhere else the signal does what it
// did. Called once, by main.
void handle_lost_bytes();

// Watches one mapping of a file while it lives. There is room for 64; more are mapped without a watch.
class MappingWatch {
 public:
  // `bytes` are mapped from `path`, whole, and outlive the watch. Throws IoError when the file cannot be
  // opened again.
  MappingWatch(const std::filesystem::path& path, std::span<const std::byte> bytes);
  ~MappingWatch();
  MappingWatch(const MappingWatch&) = delete;
  MappingWatch& operator=(const MappingWatch&) = delete;

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  // The first of the mapping's first `needed` bytes that is gone, or that was when it was read; kNone while
  // all are there. A call of the system: for every step, not for every byte.
  std::uint64_t first_lost(std::uint64_t needed) const;

 private:
  std::size_t place_ = 0;
  int file_ = -1;
};

}  // namespace tokencycle::model
