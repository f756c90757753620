// SPDX-License-Identifier: Apache-2.0
// The bursts of a strided 2-D block, in order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/quantity.h"

namespace tokencycle::machine {

// Cuts rows x row_bytes at DRAM addresses base + row * stride into pieces that do not cross a burst's border.
// Rows that lie one after the other in DRAM are one row. burst_bytes: a power of two.
class BurstWalk {
 public:
  struct Piece {
    DramAddress address;
    std::uint64_t offset = 0;  // in the block, rows one after the other
    std::uint32_t bytes = 0;
  };

  BurstWalk() = default;
  BurstWalk(DramAddress base, std::uint64_t stride, std::uint32_t rows, std::uint64_t row_bytes,
            std::uint32_t burst_bytes)
      : row_address_(base), stride_(stride), rows_(rows), row_bytes_(row_bytes), burst_bytes_(burst_bytes) {
    if (stride == row_bytes) {
      row_bytes_ *= rows_;
      rows_ = 1;
    }
  }

  bool done() const { return row_ == rows_; }
  Piece piece() const {
    const DramAddress at = row_address_ + in_row_;
    const std::uint64_t to_border = burst_bytes_ - (at.value & (burst_bytes_ - 1));
    return {at, row_ * row_bytes_ + in_row_,
            static_cast<std::uint32_t>(std::min<std::uint64_t>(to_border, row_bytes_ - in_row_))};
  }
  void next() { next(piece()); }
  // The same with piece() at hand.
  void next(const Piece& piece) {
    in_row_ += piece.bytes;
    if (in_row_ < row_bytes_) return;
    in_row_ = 0;
    ++row_;
    row_address_ += DramAddress(stride_);
  }
  // Starts the next row elsewhere (gather); call when a row begins.
  void set_row_address(DramAddress address) { row_address_ = address; }
  bool at_row_start() const { return in_row_ == 0; }
  std::uint64_t row() const { return row_; }

  // Bytes of the block that no piece has covered yet.
  std::uint64_t remaining_bytes() const { return done() ? 0 : (rows_ - row_) * row_bytes_ - in_row_; }

 private:
  DramAddress row_address_;
  std::uint64_t stride_ = 0, rows_ = 0, row_bytes_ = 0, row_ = 0, in_row_ = 0;
  std::uint32_t burst_bytes_ = 1;
};

}  // namespace tokencycle::machine
