// SPDX-License-Identifier: Apache-2.0
#include "proof/tile_work.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "proof/operands.h"
#include "proof/regions.h"

namespace tokencycle::proof {

namespace {

class TileWork {
 public:
  TileWork(Trial& trial, Random& random) : trial_(trial), random_(random), regions_(trial) {}

  void run(std::uint32_t passes) {
    isa::Instruction preload = tile();
    trial_.program.push_back(preload);
    for (std::uint32_t done = 0; done < passes;) {
      // The passes of one tile; the next tile is loaded somewhere among them.
      const std::uint32_t count = chance(random_, 0.6) ? 1 : pick(random_, 1, 4);
      std::vector<isa::Instruction> with_tile;
      for (std::uint32_t i = 0; i < count && (i == 0 || !unfinished_); ++i) {
        with_tile.push_back(pass(preload, i == 0));
      }
      done += static_cast<std::uint32_t>(with_tile.size());
      preload = tile();
      if (done < passes) {
        const std::uint32_t place = pick(random_, 1, static_cast<std::uint32_t>(with_tile.size()));
        with_tile.insert(with_tile.begin() + place, preload);
      }
      trial_.program.insert(trial_.program.end(), with_tile.begin(), with_tile.end());
    }
  }

 private:
  // A group that continues in the next pass.
  struct Unfinished {
    std::uint32_t offset, rows, cols;
    Format tile, moving;
  };

  std::uint32_t size(std::uint32_t most) { return trial_.size(random_, most); }

  isa::Instruction tile() {
    const config::Matrix& m = trial_.matrix();
    isa::Instruction i;
    i.op = isa::Opcode::preload;
    i.a_format = unfinished_ ? unfinished_->tile : random_format(random_, trial_.wish.integers);
    if (!unfinished_ && i.a_format == Format::q4_1 && chance(random_, 0.3)) {
      i.a_format = Format::q8_1;  // the tile holds activations
    }
    const std::uint32_t group = group_of(i.a_format);
    const bool blocks = is_scaled(i.a_format);
    i.order =
        !blocks && (trial_.wish.integers || chance(random_, 0.5)) ? isa::TileOrder::kn : isa::TileOrder::nk;
    std::uint32_t offset = chance(random_, 0.3) ? 2 * pick(random_, 0, group / 2 - 1) : 0;
    if (unfinished_) offset = unfinished_->offset;
    i.k_offset = offset + (i.order == isa::TileOrder::nk ? kPlainGroup * pick(random_, 0, 2) : 0);
    // A pass that does not begin with a group ends with it at the latest.
    i.rows = size(offset == 0 ? m.rows : std::min(m.rows, group - offset));
    i.cols = std::max(size(m.columns), unfinished_ ? unfinished_->cols : 0);
    const bool kn = i.order == isa::TileOrder::kn;
    const std::uint32_t elements = kn ? i.cols : i.k_offset + i.rows;
    i.a_stride = static_cast<std::uint32_t>(row_bytes(i.a_format, elements));
    i.a = isa::LocalAddress::scratchpad(
        append_lines(random_, trial_.stationary, i.a_format, kn ? i.rows : i.cols, elements));
    return i;
  }

  Format moving_format(Format tile) {
    if (unfinished_) return unfinished_->moving;
    if (tile == Format::q8_0 && chance(random_, 0.3)) return Format::q4_0;  // the tile holds activations
    if (tile == Format::q8_1) return Format::q4_1;
    if (tile == Format::i8 && chance(random_, 0.3)) return Format::i4;
    return activation_format(tile);
  }

  isa::Instruction pass(const isa::Instruction& tile, bool first) {
    isa::Instruction i;
    i.op = isa::Opcode::multiply;
    i.swap = first;
    i.a_format = moving_format(tile.a_format);
    const std::uint32_t group = group_of(tile.a_format);
    i.k_offset = tile.k_offset % group + kPlainGroup * pick(random_, 0, 2);
    i.depth = size(tile.rows);
    i.rows = unfinished_            ? unfinished_->rows
             : chance(random_, 0.1) ? pick(random_, 1, 40)
                                    : pick(random_, 1, 8);
    i.cols = unfinished_ ? unfinished_->cols : size(tile.cols);
    i.open = !unfinished_;
    const std::uint32_t end = (i.k_offset + i.depth) % group;
    const bool integer = kind_of(i.a_format) == test::Kind::integer;
    i.close = integer || end == 0 || end % 2 != 0 || chance(random_, 0.4);
    unfinished_.reset();
    if (!i.close) unfinished_ = Unfinished{end, i.rows, i.cols, tile.a_format, i.a_format};
    i.transposed = chance(random_, 0.3);
    choose_region(i, integer, group);
    const std::uint32_t elements = i.k_offset + i.depth;
    i.a_stride = static_cast<std::uint32_t>(row_bytes(i.a_format, elements));
    i.a = isa::LocalAddress::scratchpad(append_lines(random_, trial_.moving, i.a_format, i.rows, elements));
    return i;
  }

  // Rows follow each other by a step at least, and a total is folded so long behind its last sum.
  void choose_region(isa::Instruction& i, bool integer, std::uint32_t group) {
    const config::Matrix& m = trial_.matrix();
    const std::uint32_t step = *std::min_element(m.cycles_per_row.begin(), m.cycles_per_row.end());
    const std::uint32_t groups = (i.k_offset % group + i.depth + group - 1) / group;
    regions_.choose(random_, i, integer, std::uint64_t{i.rows} * step, 0,
                    integer ? 0 : std::uint64_t{groups} * m.scale_latency_cycles);
  }

  Trial& trial_;
  Random& random_;
  RegionChooser regions_;
  std::optional<Unfinished> unfinished_;
};

}  // namespace

void add_tile_work(Trial& trial, Random& random, std::uint32_t passes) {
  TileWork(trial, random).run(pick(random, 1, passes));
}

}  // namespace tokencycle::proof
