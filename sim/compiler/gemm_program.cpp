// SPDX-License-Identifier: Apache-2.0
#include "compiler/gemm_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "compiler/emit/load_schedule.h"
#include "compiler/emit/operations.h"
#include "compiler/gemm_chunk.h"

namespace tokencycle::compiler {

namespace {

// [begin, end) of rows, tiles or units.
struct Span {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t count() const { return end - begin; }
};

Span block_of(std::uint32_t index, std::uint32_t length, std::uint32_t all) {
  return {index * length, std::min(all, (index + 1) * length)};
}

class GemmLowering {
 public:
  GemmLowering(const config::Machine& machine, const GemmPlan& plan)
      : machine_(machine), plan_(plan), map_(plan.map), chunks_(words_, plan.map, lag() / 2 + 1) {}

  std::vector<isa::Word> run() {
    const bool tiles_outside = plan_.kept == GemmKept::held;
    const std::uint32_t outer = tiles_outside ? plan_.tile_blocks() : plan_.row_blocks();
    const std::uint32_t inner = tiles_outside ? plan_.row_blocks() : plan_.tile_blocks();
    for (std::uint32_t o = 0; o < outer; ++o) {
      for (std::uint32_t i = 0; i < inner; ++i) {
        const std::uint32_t rows = tiles_outside ? i : o, tiles = tiles_outside ? o : i;
        last_inner_ = i + 1 == inner;
        block(block_of(rows, plan_.block_rows, map_.moving), block_of(tiles, plan_.block_tiles, map_.tiles()),
              i == 0);
      }
    }
    words_.flush_store();
    finish();
    CompiledStep step;
    schedule_loads(words_.draft(), {machine_.dispatch.queue_depth, lag()}, step);
    return std::move(step.program.words);
  }

 private:
  // Instructions behind the last reader of a chunk before its bytes are loaded over: it has left the array.
  std::uint32_t lag() const { return machine_.dispatch.queue_depth + 4; }

  // One block of sums; `kept_new`: the operand that stays is a new one.
  void block(Span rows, Span tiles, bool kept_new) {
    const isa::LocalAddress sums = isa::LocalAddress::accumulator(part_ * plan_.part_bytes);
    part_ = (part_ + 1) % plan_.sum_parts;
    if (kept_new) kept_loads_.assign(plan_.chunks(), {});
    GemmChunk chunk;
    chunk.rows = rows.count();
    chunk.first_tile = tiles.begin;
    chunk.tiles = tiles.count();
    chunk.sums = sums;
    chunk.sum_stride = 4 * (map_.x_held ? rows.count() : columns_of(tiles));
    for (std::uint32_t c = 0; c < plan_.chunks(); ++c) {
      const Span units = block_of(c, plan_.chunk_units, map_.units());
      chunk.first_unit = units.begin;
      chunk.units = units.count();
      place(chunk, c);
      load(chunk, rows, tiles, units, kept_new, c);
      chunks_.emit(chunk);
      release(c);
    }
    words_.flush_store();
    words_.defer_store(store(chunk, rows, tiles));
    if (plan_.sum_parts == 1) words_.flush_store();
  }

  std::uint32_t columns_of(Span tiles) const {
    return std::min(map_.held, tiles.end * map_.columns) - tiles.begin * map_.columns;
  }

  // Scratchpad addresses of the chunk's operands.
  void place(GemmChunk& chunk, std::uint32_t c) {
    std::uint64_t slot = plan_.kept_bytes + std::uint64_t{next_slot_} * plan_.slot_bytes;
    next_slot_ = (next_slot_ + 1) % plan_.slots;
    const std::uint32_t before = c * plan_.chunk_units;
    if (plan_.kept == GemmKept::moving) {
      chunk.moving_at =
          static_cast<std::uint32_t>(std::uint64_t{before} * map_.moving_bytes(map_.unit) * plan_.block_rows);
    } else {
      chunk.moving_at = static_cast<std::uint32_t>(slot);
      slot += round_up(map_.moving_bytes(map_.unit) * plan_.block_rows * plan_.chunk_units, kAlignment);
    }
    if (plan_.kept == GemmKept::held) {
      chunk.held_at = static_cast<std::uint32_t>(
          std::uint64_t{before} * map_.held_bytes(map_.unit, map_.columns) * plan_.block_tiles);
    } else {
      chunk.held_at = static_cast<std::uint32_t>(slot);
    }
  }

  void load(const GemmChunk& chunk, Span rows, Span tiles, Span units, bool kept_new, std::uint32_t c) {
    streamed_.clear();
    if (plan_.kept != GemmKept::moving) load_moving(chunk, rows, units, streamed_);
    if (plan_.kept == GemmKept::moving && kept_new) load_moving(chunk, rows, units, kept_loads_[c]);
    if (plan_.kept != GemmKept::held) load_held(chunk, tiles, units, streamed_);
    if (plan_.kept == GemmKept::held && kept_new) load_held(chunk, tiles, units, kept_loads_[c]);
  }

  // The chunk's readers end here; those of what stays at the last block of the inner loop.
  void release(std::uint32_t c) {
    for (const std::size_t piece : streamed_) words_.release(piece);
    if (!last_inner_) return;
    for (const std::size_t piece : kept_loads_[c]) words_.release(piece);
  }

  // Whole units, then the shorter last one of k.
  void load_moving(const GemmChunk& chunk, Span rows, Span units, std::vector<std::size_t>& pieces) {
    const std::uint64_t unit_bytes = map_.moving_bytes(map_.unit);
    const bool ragged = map_.depth_of(units.end - 1) != map_.unit;
    const std::uint32_t whole = units.count() - (ragged ? 1 : 0);
    const std::uint64_t panel = unit_bytes * map_.moving;
    const std::uint64_t from = plan_.dram.moving.value + units.begin * panel;
    pieces_of(chunk.moving_at, from + rows.begin * unit_bytes, panel, whole, unit_bytes * rows.count(),
              pieces);
    if (!ragged) return;
    const std::uint64_t last_bytes = map_.moving_bytes(map_.depth_of(units.end - 1));
    const auto at = static_cast<std::uint32_t>(chunk.moving_at + whole * unit_bytes * rows.count());
    pieces_of(at, from + whole * panel + rows.begin * last_bytes, 0, 1, last_bytes * rows.count(), pieces);
  }

  // Whole tiles, then the narrower last one.
  void load_held(const GemmChunk& chunk, Span tiles, Span units, std::vector<std::size_t>& pieces) {
    const std::uint32_t last_columns = map_.columns_of(tiles.end - 1);
    const bool ragged = last_columns != map_.columns;
    const std::uint32_t whole = tiles.count() - (ragged ? 1 : 0);
    const std::uint64_t tile = map_.held_bytes_before(map_.units(), map_.columns);
    const std::uint64_t before = map_.held_bytes_before(units.begin, map_.columns);
    const std::uint64_t bytes = map_.held_bytes_before(units.end, map_.columns) - before;
    const std::uint64_t from = plan_.dram.held.value + tiles.begin * tile;
    pieces_of(chunk.held_at, from + before, tile, whole, bytes, pieces);
    if (!ragged) return;
    const std::uint64_t last_before = map_.held_bytes_before(units.begin, last_columns);
    const std::uint64_t last_bytes = map_.held_bytes_before(units.end, last_columns) - last_before;
    pieces_of(static_cast<std::uint32_t>(chunk.held_at + whole * bytes), from + whole * tile + last_before, 0,
              1, last_bytes, pieces);
  }

  // One load, or one a row where the rows are too far apart or too long together for one.
  void pieces_of(std::uint32_t dst, std::uint64_t dram, std::uint64_t dram_stride, std::uint32_t rows,
                 std::uint64_t bytes, std::vector<std::size_t>& pieces) {
    if (rows == 0) return;
    if (rows == 1 || (dram_stride <= std::numeric_limits<std::uint32_t>::max() && bytes < kLongestRow)) {
      pieces.push_back(words_.acquire(load_rows(dst, DramAddress(dram), dram_stride, rows, bytes)));
      return;
    }
    for (std::uint32_t r = 0; r < rows; ++r) {
      const auto at = static_cast<std::uint32_t>(dst + r * bytes);
      pieces.push_back(words_.acquire(load_rows(at, DramAddress(dram + r * dram_stride), 0, 1, bytes)));
    }
  }

  isa::Instruction store(const GemmChunk& chunk, Span rows, Span tiles) const {
    const std::uint64_t n = map_.shape.n;
    const std::uint32_t cols = columns_of(tiles), first_col = tiles.begin * map_.columns;
    const std::uint64_t first = map_.x_held ? first_col * n + rows.begin : rows.begin * n + first_col;
    const Extent extent = map_.x_held ? Extent{cols, rows.count()} : Extent{rows.count(), cols};
    const Format format = map_.type.integer_sums() ? Format::u32 : Format::f32;
    return store_rows(DramAddress(plan_.dram.sums.value + 4 * first), 4 * n, {chunk.sums, chunk.sum_stride},
                      format, extent);
  }

  void finish() {
    isa::Instruction fence;
    fence.op = isa::Opcode::fence;
    fence.units = 0b11110;  // all
    words_.emit(fence);
    isa::Instruction halt;
    halt.op = isa::Opcode::halt;
    words_.emit(halt);
  }

  static constexpr std::uint64_t kLongestRow = 1u << 24;  // bytes

  const config::Machine& machine_;
  const GemmPlan& plan_;
  const GemmMapping& map_;
  GemmWords words_;
  GemmChunks chunks_;
  std::uint32_t next_slot_ = 0, part_ = 0;
  bool last_inner_ = false;
  std::vector<std::size_t> streamed_;                 // loads of the chunk at hand
  std::vector<std::vector<std::size_t>> kept_loads_;  // of the operand that stays, by chunk
};

}  // namespace

std::vector<isa::Word> compile_gemm(const config::Machine& machine, const GemmPlan& plan) {
  constexpr std::uint64_t kMostChunks = 4u << 20;  // about 2 GiB of words on the host
  const std::uint64_t chunks = std::uint64_t{plan.row_blocks()} * plan.tile_blocks() * plan.chunks();
  if (chunks > kMostChunks) {
    throw ConfigurationError(
        fmt::format("machine '{}': the product takes {} chunks of operands, and a program may have {}; raise "
                    "/scratchpad/capacity_kib and /accumulator/capacity_kib, or use --array-alone",
                    machine.name, with_separators(chunks), with_separators(kMostChunks)));
  }
  std::vector<isa::Word> words = GemmLowering(machine, plan).run();
  const std::uint64_t end = plan.dram.program.value + words.size() * isa::kWordBytes;
  if (end > machine.dram.capacity_bytes) {
    throw ConfigurationError(fmt::format(
        "machine '{}': operands, result and program take {}, and the DRAM has {}; {}", machine.name,
        bytes_text(end), bytes_text(machine.dram.capacity_bytes), config::larger_dram_text(machine, end)));
  }
  return words;
}

}  // namespace tokencycle::compiler
