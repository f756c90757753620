// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/plan.h"

#include <algorithm>

#include "compiler/emit/operations.h"
#include "compiler/passes/place.h"

namespace tokencycle::compiler {
namespace {

constexpr std::uint32_t kLargestChunk = 64 * 1024;
constexpr std::uint32_t kFairRows = 8;  // moving rows that keep an array reasonably busy

std::uint64_t aligned(std::uint64_t bytes) {
  return round_up(bytes, kAlignment);
}

std::uint32_t moving_rows(const AttentionHeads& a, const AttentionBlock& b) {
  return b.kv_heads * b.rows * a.group;
}

// Bytes of a panel of the cache in the ring: its rows as stored and, where values are decoded, behind them
// those.
std::uint64_t panel_bytes(const Demands& d, std::uint64_t rows, std::uint64_t cols) {
  const Format taken = value_format(d.kv_format);
  const std::uint64_t stored = rows * row_bytes(d.kv_format, cols);
  return taken == d.kv_format ? stored : aligned(stored) + rows * row_bytes(taken, cols);
}

// Bytes of the ring that the smallest chunk of everything that streams needs.
std::uint64_t smallest_ring(const Demands& d, std::uint64_t positions,
                            const std::vector<AttentionBlock>& blocks) {
  std::uint64_t panel = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    // Of keys; of values fewer when result_columns says so.
    const std::uint64_t kv_columns = std::uint64_t{blocks[i].kv_heads} * d.attentions[i].head_dim;
    panel = std::max(panel, panel_bytes(d, std::min<std::uint64_t>(positions, kPlainGroup), kv_columns));
  }
  return aligned(std::max({std::uint64_t{d.whole_row_bytes}, std::uint64_t{d.smallest_rectangle}, panel}));
}

// The largest weight chunk: an eighth of the ring when a tile of whole rows fits there, so that several
// loads run ahead of the array; a larger share in a small ring.
std::uint32_t chunk_limit(const Demands& d, std::uint32_t ring) {
  const auto down = [](std::uint32_t bytes) { return bytes / kAlignment * kAlignment; };
  for (const std::uint32_t share : {8u, 4u, 2u}) {
    if (ring / share >= d.widest_tile)
      return down(std::min(ring / share, std::max(kLargestChunk, d.widest_tile + kAlignment)));
  }
  return ring / 2 >= aligned(d.smallest_rectangle) ? down(ring / 2) : down(ring);
}

// The next smaller block, or false at the smallest. KV heads go first as long as what is loaded of a row
// fills a DRAM burst; fewer rows at once mean reading the cache more often.
bool shrink(const Demands& d, const AttentionHeads& a, AttentionBlock& b) {
  constexpr std::uint32_t kBurst = 64;
  const std::uint32_t head_bytes = static_cast<std::uint32_t>(row_bytes(d.kv_format, a.head_dim));
  if (b.kv_heads > 1 && (b.rows == 1 || (b.kv_heads / 2) * head_bytes >= kBurst)) {
    b.kv_heads = (b.kv_heads + 1) / 2;
  } else if (b.rows > 1) {
    b.rows = (b.rows + 1) / 2;
  } else {
    return false;
  }
  return true;
}

bool is_single(const AttentionBlock& b) {
  return b.kv_heads == 1 && b.rows == 1;
}

bool fits_accumulator(const Demands& d, const AttentionHeads& a, const AttentionBlock& b) {
  const std::uint64_t rows = moving_rows(a, b);
  return rows <= kRowLimit && rows * a.result_dim <= d.accumulator_half &&
         rows * std::min(d.columns, kPlainGroup) <= d.accumulator_half;
}

AttentionBlock smallest_block(const Demands& d, const AttentionHeads& a) {
  const std::uint32_t columns = std::min(a.result_dim, d.accumulator_half / a.group);
  const std::uint32_t block = block_elements(d.kv_format);
  return {1, 1, std::max(columns / block * block, block)};
}

// The next smaller block of a gated stage's columns: whole blocks, which the encoding needs. fp32 rows are
// not encoded and stay whole.
bool shrink(const Demands& d, std::uint32_t& gated_block) {
  if (gated_block <= d.gated_cut || !d.gated_in_blocks) return false;
  gated_block = static_cast<std::uint32_t>(round_up(gated_block / 2, d.gated_cut));
  return true;
}

std::uint32_t smallest_gated_block(const Demands& d) {
  std::uint32_t block = d.gated_columns;
  while (shrink(d, block)) {
  }
  return block;
}

// Blocks as large as they may be when the resident buffers end at `target` at most.
class Search {
 public:
  Search(const Demands& d, const Liveness& live, std::uint32_t end, std::uint64_t target,
         const StepShape& shape)
      : d_(d), live_(live), end_(end), target_(target), shape_(shape), gated_block_(d.gated_columns) {
    for (const AttentionHeads& a : d.attentions)
      blocks_.push_back({std::max(a.kv_heads, 1u), shape.longest, a.result_dim});
  }

  std::optional<Plan> run() {
    for (;;) {
      for (std::size_t i = 0; i < blocks_.size(); ++i) {
        if (is_single(blocks_[i])) blocks_[i] = smallest_block(d_, d_.attentions[i]);
      }
      const std::uint64_t ring = smallest_ring(d_, shape_.positions, blocks_);
      const std::uint64_t allowed = std::min(target_, end_ > ring ? end_ - ring : 0);
      Placement placed = place(d_, live_, shape_.tokens, shape_.positions, blocks_, gated_block_);
      if (placed.bytes <= allowed && usable()) {
        Plan plan = std::move(placed.plan);
        plan.ring_begin = static_cast<std::uint32_t>(placed.bytes);
        plan.ring_end = static_cast<std::uint32_t>(end_);
        plan.chunk_bytes = chunk_limit(d_, plan.ring_bytes());
        return plan;
      }
      if (placed.gated_bytes > allowed && shrink(d_, gated_block_)) continue;
      if (!shrink_blocks()) return std::nullopt;
    }
  }

 private:
  bool usable(std::size_t i) const {
    return is_single(blocks_[i]) || fits_accumulator(d_, d_.attentions[i], blocks_[i]);
  }
  bool usable() const {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (!usable(i)) return false;
    }
    return true;
  }
  // Those that the accumulator memory cannot hold, else all.
  bool shrink_blocks() {
    const bool all = usable();
    bool shrunk = false;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (all || !usable(i)) shrunk |= shrink(d_, d_.attentions[i], blocks_[i]);
    }
    return shrunk;
  }

  const Demands& d_;
  const Liveness& live_;
  std::uint64_t end_, target_;
  StepShape shape_;
  std::vector<AttentionBlock> blocks_;  // for each of the attentions
  std::uint32_t gated_block_;
};

}  // namespace

std::optional<Plan> plan_scratchpad(const Demands& d, std::uint32_t capacity, const StepShape& shape) {
  const std::uint32_t end = capacity / kAlignment * kAlignment;
  const std::uint64_t roomy = std::uint64_t{end} * 3 / 5;
  const Liveness live = find_liveness(d);
  std::optional<Plan> plan = Search(d, live, end, roomy, shape).run();
  if (!plan) return Search(d, live, end, end, shape).run();
  plan->comfortable = true;
  for (std::size_t i = 0; i < d.attentions.size(); ++i) {
    const std::uint32_t group = d.attentions[i].group;
    plan->comfortable &= plan->attention[i].rows * group >= std::min(kFairRows, shape.longest * group);
  }
  return plan;
}

std::uint64_t smallest_scratchpad(const Demands& d, std::uint32_t positions) {
  std::vector<AttentionBlock> blocks;
  for (const AttentionHeads& a : d.attentions) blocks.push_back(smallest_block(d, a));
  return place(d, find_liveness(d), 1, positions, blocks, smallest_gated_block(d)).bytes +
         smallest_ring(d, positions, blocks);
}

std::uint64_t smallest_accumulator(const Demands& d) {
  return std::uint64_t{d.largest_group()} * 8 * block_elements(d.kv_format);
}

}  // namespace tokencycle::compiler
