// SPDX-License-Identifier: Apache-2.0
#include "compiler/gemm_chunk.h"

#include <algorithm>
#include <limits>

#include "compiler/emit/operations.h"

namespace tokencycle::compiler {

using isa::Instruction;
using isa::LocalAddress;
using isa::LoopStep;

namespace {

constexpr std::uint8_t kHeld = 1, kMoving = 2, kSums = 3, kLastUnit = 4;  // address registers

LoopStep step(std::uint8_t reg, std::uint64_t bytes) {
  return bytes == 0 ? LoopStep{} : LoopStep{reg, static_cast<std::int32_t>(bytes)};
}

}  // namespace

void GemmWords::append(const isa::Word& word) {
  draft_.words.push_back(word);
  draft_.operator_ids.push_back(kNoOperator);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  draft_.executed.push_back(static_cast<std::uint32_t>(std::min(executed_, kMost)));
  draft_.breakable.push_back(depth_ == 0);
  ++executed_;
}

void GemmWords::emit(const Instruction& instruction) {
  append(isa::encode(instruction));
}

std::uint32_t GemmWords::begin_loop() {
  const std::uint32_t at = position();
  append({});
  executed_at_.at(depth_++) = executed_;
  return at;
}

void GemmWords::end_loop(std::uint32_t at, std::uint32_t count, const std::array<LoopStep, 3>& steps) {
  Instruction loop;
  loop.op = isa::Opcode::loop;
  loop.count = count;
  loop.length = position() - at - 1;
  std::copy_if(steps.begin(), steps.end(), loop.steps.begin(), [](const LoopStep& s) { return s.reg != 0; });
  draft_.words[at] = isa::encode(loop);
  executed_ += (executed_ - executed_at_.at(--depth_)) * (count - 1);
}

std::size_t GemmWords::acquire(const Instruction& load) {
  const isa::Range written = isa::footprint(load).writes[0];
  Chunk piece;
  piece.begin = static_cast<std::uint32_t>(written.begin);
  piece.end = static_cast<std::uint32_t>(written.end);
  piece.acquired = piece.released = position();
  piece.operator_id = kNoOperator;
  piece.has_load = true;
  piece.load = isa::encode(load);
  draft_.chunks.push_back(piece);
  return draft_.chunks.size() - 1;
}

void GemmWords::flush_store() {
  if (!pending_) return;
  emit(*pending_);
  pending_.reset();
}

// The first ones straight until enough passes stand there, the rest as a loop when they are many.
template <class Body>
void GemmChunks::repeat(std::uint32_t count, const std::array<LoopStep, 3>& steps, const Body& body) {
  std::uint32_t i = 0;
  while (i < count && ((straight_left_ > 0 && !words_.in_loop()) || count - i < kWorthLooping)) body(i++);
  if (i == count) return;
  if (!words_.in_loop()) words_.flush_store();
  const std::uint32_t at = words_.begin_loop();
  body(i);
  words_.end_loop(at, count - i, steps);
}

void GemmChunks::emit(const GemmChunk& chunk) {
  chunk_ = chunk;
  straight_left_ = straight_;
  const std::uint32_t end = chunk.first_tile + chunk.tiles;
  const bool ragged = map_.columns_of(end - 1) != map_.columns;
  const std::uint32_t whole = chunk.tiles - (ragged ? 1 : 0);
  const std::uint32_t end_unit = chunk.first_unit + chunk.units;
  const std::uint64_t bytes =
      map_.held_bytes_before(end_unit, map_.columns) - map_.held_bytes_before(chunk.first_unit, map_.columns);
  const std::uint64_t sums = std::uint64_t{map_.columns} * (map_.x_held ? chunk.sum_stride : 4);
  repeat(whole, {step(kHeld, bytes), step(kSums, sums)}, [this](std::uint32_t t) { tile(t); });
  if (ragged) tile(whole);
}

void GemmChunks::tile(std::uint32_t t) {
  const std::uint32_t whole = chunk_.rows / map_.most_rows, rest = chunk_.rows % map_.most_rows;
  const std::uint32_t last_depth = map_.depth_of(chunk_.first_unit + chunk_.units - 1);
  const std::uint64_t sums = std::uint64_t{map_.most_rows} * (map_.x_held ? 4 : chunk_.sum_stride);
  repeat(whole,
         {step(kMoving, map_.most_rows * map_.moving_bytes(map_.unit)), step(kSums, sums),
          step(last_depth == map_.unit ? std::uint8_t{0} : kLastUnit,
               map_.most_rows * map_.moving_bytes(last_depth))},
         [&](std::uint32_t p) { piece(t, p * map_.most_rows, map_.most_rows); });
  if (rest != 0) piece(t, whole * map_.most_rows, rest);
}

void GemmChunks::piece(std::uint32_t t, std::uint32_t first_row, std::uint32_t rows) {
  const bool ragged = map_.depth_of(chunk_.first_unit + chunk_.units - 1) != map_.unit;
  const std::uint32_t whole = chunk_.units - (ragged ? 1 : 0);
  // The first unit of k overwrites the sums, the others add to them.
  const std::uint32_t apart = chunk_.first_unit == 0 && whole > 0 ? 1 : 0;
  if (apart != 0) unit(t, first_row, rows, 0);
  repeat(whole - apart,
         {step(kHeld, map_.held_bytes(map_.unit, map_.columns_of(chunk_.first_tile + t))),
          step(kMoving, map_.moving_bytes(map_.unit) * chunk_.rows)},
         [&](std::uint32_t u) { unit(t, first_row, rows, apart + u); });
  if (ragged) unit(t, first_row, rows, whole);
}

void GemmChunks::unit(std::uint32_t t, std::uint32_t first_row, std::uint32_t rows, std::uint32_t u) {
  const std::uint32_t tile = chunk_.first_tile + t, index = chunk_.first_unit + u;
  const std::uint32_t depth = map_.depth_of(index), cols = map_.columns_of(tile);
  const std::uint32_t end_unit = chunk_.first_unit + chunk_.units;
  const std::uint64_t tile_bytes = map_.held_bytes_before(end_unit, map_.columns) -
                                   map_.held_bytes_before(chunk_.first_unit, map_.columns);
  const auto held =
      static_cast<std::uint32_t>(chunk_.held_at + t * tile_bytes + u * map_.held_bytes(map_.unit, cols));
  const auto row_stride = static_cast<std::uint32_t>(map_.moving_bytes(depth));
  const auto moving =
      static_cast<std::uint32_t>(chunk_.moving_at + u * map_.moving_bytes(map_.unit) * chunk_.rows +
                                 std::uint64_t{first_row} * row_stride);
  const bool kn = map_.order == isa::TileOrder::kn;
  const auto held_stride =
      static_cast<std::uint32_t>(kn ? row_bytes(map_.held_format, cols) : row_bytes(map_.held_format, depth));
  const std::uint32_t column = t * map_.columns;
  const LocalAddress sums = chunk_.sums + (map_.x_held ? column * chunk_.sum_stride + first_row * 4
                                                       : first_row * chunk_.sum_stride + column * 4);
  const std::uint8_t moving_register = depth == map_.unit ? kMoving : kLastUnit;
  for (std::uint32_t k = 0; k < depth; k += map_.pass) {
    GemmPiece p{rows, cols, std::min(map_.pass, depth - k), k, index == 0, k == 0, false};
    p.closes = k + p.depth == depth;
    pass(p, held + (kn ? k * held_stride : 0), held_stride, moving, row_stride, sums, moving_register);
  }
}

void GemmChunks::pass(const GemmPiece& p, std::uint32_t held, std::uint32_t held_stride, std::uint32_t moving,
                      std::uint32_t moving_stride, LocalAddress sums, std::uint8_t moving_register) {
  Instruction i = multiply_piece(map_, p);
  if (map_.holds_tile) {
    Instruction preload = preload_piece(map_, p);
    preload.a = LocalAddress::scratchpad(held);
    preload.a_reg = kHeld;
    preload.a_stride = held_stride;
    words_.emit(preload);
  } else {
    i.b = LocalAddress::scratchpad(held);
    i.b_reg = kHeld;
    i.b_stride = held_stride;
  }
  i.a = LocalAddress::scratchpad(moving);
  i.a_reg = moving_register;
  i.a_stride = moving_stride;
  i.dst = sums;
  i.dst_reg = kSums;
  i.dst_stride = chunk_.sum_stride;
  words_.emit(i);
  if (straight_left_ > 0 && !words_.in_loop() && --straight_left_ == 0) words_.flush_store();
}

}  // namespace tokencycle::compiler
