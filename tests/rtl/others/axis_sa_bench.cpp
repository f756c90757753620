// SPDX-License-Identifier: Apache-2.0
// Whole int8 products on the module axis_sa of abarajithan11/axis-systolic-array, under Verilator: tile
// behind tile, its output always taken. Every sum is compared; the cycles from the first operands to the last
// sum are printed. Arguments: rows and columns of the array, M, N, K.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "Vaxis_sa.h"

namespace {

// A port wider than 64 bits is words; narrower ones are used the same way on a little-endian host.
template <class Port>
std::int8_t* bytes_of(Port& port) {
  return reinterpret_cast<std::int8_t*>(&port);
}
template <class Port>
const std::int32_t* words_of(Port& port) {
  return reinterpret_cast<const std::int32_t*>(&port);
}

struct Shape {
  int rows, columns, m, n, k;
};

class Bench {
 public:
  explicit Bench(const Shape& shape) : s_(shape), x_(product(s_.m, s_.k)), w_(product(s_.n, s_.k)) {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> value(-128, 127);
    for (std::int8_t& v : x_) v = static_cast<std::int8_t>(value(random));
    for (std::int8_t& v : w_) v = static_cast<std::int8_t>(value(random));
    for (int n = 0; n < s_.n; n += s_.columns) {
      for (int m = 0; m < s_.m; m += s_.rows) tiles_.push_back({m, n});
    }
  }

  int run() {
    reset();
    // Tiles shorter than the way out of the sums before them never end (K below rows + columns).
    const long limit = 1000 + 4L * static_cast<long>(tiles_.size()) * (s_.k + s_.rows + s_.columns);
    for (long now = 0; written_ < tiles_.size(); ++now) {
      if (now > limit) return std::printf("no end within %ld cycles: the array waits for itself\n", limit), 1;
      offer();
      top_.clk = 0;
      top_.eval();
      const bool taken = top_.s_valid && top_.s_ready;
      if (taken && first_ < 0) first_ = now;
      if (top_.m_valid) take(now);
      top_.clk = 1;
      top_.eval();
      if (taken && ++k_ == s_.k) {
        k_ = 0;
        ++read_;
      }
    }
    std::printf("%ld\n", last_ - first_ + 1);
    if (wrong_ != 0) std::fprintf(stderr, "%d sums are wrong\n", wrong_);
    return wrong_ == 0 ? 0 : 1;
  }

 private:
  struct Tile {
    int m, n;
  };
  static std::size_t product(int a, int b) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
  }
  static std::int8_t at(const std::vector<std::int8_t>& v, int rows, int row, int k, int depth) {
    return row < rows ? v[product(row, depth) + static_cast<std::size_t>(k)] : std::int8_t{0};
  }

  void reset() {
    top_.rstn = 0;
    top_.m_ready = 1;
    for (int i = 0; i < 4; ++i) {
      top_.clk = 1;
      top_.eval();
      top_.clk = 0;
      top_.eval();
    }
    top_.rstn = 1;
  }

  void offer() {
    top_.s_valid = read_ < tiles_.size();
    top_.s_last = top_.s_valid && k_ == s_.k - 1;
    if (!top_.s_valid) return;
    const Tile& tile = tiles_[read_];
    for (int r = 0; r < s_.rows; ++r) bytes_of(top_.sx_data)[r] = at(x_, s_.m, tile.m + r, k_, s_.k);
    for (int c = 0; c < s_.columns; ++c) bytes_of(top_.sk_data)[c] = at(w_, s_.n, tile.n + c, k_, s_.k);
  }

  // A column of a tile's sums.
  void take(long now) {
    last_ = now;
    const Tile& tile = tiles_[written_];
    for (int r = 0; r < s_.rows; ++r) {
      std::int32_t sum = 0;
      for (int k = 0; k < s_.k; ++k)
        sum += at(x_, s_.m, tile.m + r, k, s_.k) * at(w_, s_.n, tile.n + column_, k, s_.k);
      if (words_of(top_.m_data)[r] != sum) ++wrong_;
    }
    if (++column_ < s_.columns) return;
    column_ = 0;
    ++written_;
  }

  Shape s_;
  std::vector<std::int8_t> x_, w_;
  std::vector<Tile> tiles_;
  Vaxis_sa top_;
  std::size_t read_ = 0, written_ = 0;
  int k_ = 0, column_ = 0, wrong_ = 0;
  long first_ = -1, last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fputs("arguments: rows, columns, M, N, K\n", stderr), 2;
  return Bench({std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]),
                std::atoi(argv[5])})
      .run();
}
