// SPDX-License-Identifier: Apache-2.0
#include "support/array_registers_dot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tokencycle::test {

namespace {

constexpr std::uint32_t kOne = 0x3F80'0000u;  // 1.0f
constexpr std::uint32_t kLongest = 32;        // group of floats

// Neighbours are added; an odd last one passes through.
std::vector<std::uint32_t> add_pairs(const std::vector<std::uint32_t>& numbers) {
  std::vector<std::uint32_t> sums;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    sums.push_back(i + 1 < numbers.size() ? numbers[i] + numbers[i + 1] : numbers[i]);
  }
  return sums;
}

// How often add_pairs leaves more than one number.
std::size_t levels(std::size_t inputs) {
  std::size_t n = 0;
  for (; inputs > 1; inputs = (inputs + 1) / 2) ++n;
  return n;
}

}  // namespace

DotRegisters::DotRegisters(const ArrayShape& shape)
    : shape_(shape), tree_(levels(shape.rows)), chain_(std::min(shape.rows, kLongest)) {
  for (auto& bank : tile_) bank.resize(std::size_t{shape.rows} * shape.columns);
  for (std::uint32_t c = 0; c < shape.columns; ++c) tails_.emplace_back(shape, c);
}

bool DotRegisters::empty() const {
  const auto idle = [](const std::optional<Stage>& stage) { return !stage.has_value(); };
  return !multipliers_ && !below_ && std::all_of(tree_.begin(), tree_.end(), idle) &&
         std::all_of(chain_.begin(), chain_.end(), idle) &&
         std::all_of(tails_.begin(), tails_.end(), [](const ColumnTail& t) { return t.empty(); });
}

// Groups are added each by itself; plain integers go on through a second tree over the segments' sums.
std::size_t DotRegisters::stages_of(const RowControl& control) const {
  const std::size_t segment = std::min<std::size_t>(shape_.rows, control.group);
  if (control.kind == Kind::real) return segment;
  const std::size_t segments = (shape_.rows + segment - 1) / segment;
  return levels(segment) + (control.kind == Kind::integer ? levels(segments) : 0);
}

void DotRegisters::clock(const Inputs& inputs) {
  // (1) What the edge drives; float sums of a continued group come out of the buffer into the first adder.
  if (inputs.row) arrive(*inputs.row);
  if (std::optional<Stage>& first = chain_.front(); first && first->age == 0 && !first->control.open) {
    for (std::uint32_t c = 0; c < shape_.columns; ++c) {
      first->segments[c][0].sum = tails_[c].take_waiting(first->control.row);
    }
  }
  // (2) The sums below the columns.
  for (std::uint32_t c = 0; c < shape_.columns; ++c) {
    std::optional<RowSums> arrived;
    if (below_) {
      arrived = RowSums{below_->control, {}};
      for (std::size_t s = 0; s < below_->segments[c].size(); ++s) {
        const Segment& below = below_->segments[c][s];
        arrived->sums[s] = {below.sum, below.scale, below.offset};
      }
    }
    tails_[c].clock(cycle_, arrived, results_);
  }
  below_.reset();
  // (3) The clock's edge, from the last stage to the first.
  advance(tree_);
  advance(chain_);
  if (multipliers_) advance_multipliers();
  if (inputs.line) write_line(*inputs.line);
  ++cycle_;
}

void DotRegisters::arrive(const MovingRow& row) {
  if (multipliers_) {
    throw RegisterFault(fmt::format("cycle {}: pass {} row {} comes while pass {} row {} is multiplied",
                                    cycle_, row.control.pass, row.control.row, multipliers_->control.pass,
                                    multipliers_->control.row));
  }
  multipliers_ = row;
  multipliers_age_ = 0;
  if (row.control.swap) active_ ^= 1u;
}

void DotRegisters::advance_multipliers() {
  if (++multipliers_age_ < multipliers_->control.step) return;
  const MovingRow row = *std::exchange(multipliers_, std::nullopt);
  Stage stage{row.control, 0, {}};
  for (std::uint32_t c = 0; c < shape_.columns; ++c) stage.segments.push_back(products(row, c));
  hand_on(row.control.kind == Kind::real ? chain_ : tree_, 0, std::move(stage));
}

std::vector<DotRegisters::Segment> DotRegisters::products(const MovingRow& row, std::uint32_t c) const {
  const std::uint32_t group = row.control.group;
  std::vector<Segment> segments((shape_.rows + group - 1) / group);
  for (std::uint32_t k = 0; k < shape_.rows; ++k) {
    const Operand &x = row.elements[k], &w = weight(k, c);
    Segment& segment = segments[k / group];
    // A float product is -0 plus itself: the sign of a zero stays.
    const std::uint32_t zero = row.control.kind == Kind::real ? 0x8000'0000u : 0;
    segment.numbers.push_back(k < row.depth ? multiply_add(row.control.kind, zero, x.bits, w.bits) : 0);
    segment.scale = x.scale * w.scale;  // the last row's is the segment's
    segment.offset = offset_product(x, w);
  }
  return segments;
}

void DotRegisters::advance(Pipeline& pipeline) {
  for (std::size_t i = pipeline.size(); i-- > 0;) {
    if (!pipeline[i] || ++pipeline[i]->age < pipeline[i]->control.step) continue;
    Stage stage = *std::exchange(pipeline[i], std::nullopt);
    for (std::vector<Segment>& column : stage.segments) {
      if (&pipeline == &chain_) {
        for (Segment& s : column) {
          if (i < s.numbers.size()) s.sum = multiply_add(Kind::real, s.sum, s.numbers[i], kOne);
        }
      } else if (i < levels(std::min<std::size_t>(shape_.rows, stage.control.group))) {
        for (Segment& s : column) s.numbers = add_pairs(s.numbers);
      } else {
        std::vector<std::uint32_t> sums;
        for (const Segment& s : column) sums.push_back(s.numbers[0]);
        sums = add_pairs(sums);
        column.resize(sums.size());
        for (std::size_t s = 0; s < sums.size(); ++s) column[s].numbers = {sums[s]};
      }
    }
    hand_on(pipeline, i + 1, std::move(stage));
  }
}

// Into the next stage's registers, behind the last one into those below the columns.
void DotRegisters::hand_on(Pipeline& pipeline, std::size_t stage, Stage&& contents) {
  const bool last = stage == stages_of(contents.control);
  std::optional<Stage>& next = last ? below_ : pipeline[stage];
  if (next) {
    throw RegisterFault(fmt::format("cycle {}: pass {} row {} runs into pass {} row {}", cycle_,
                                    contents.control.pass, contents.control.row, next->control.pass,
                                    next->control.row));
  }
  contents.age = 0;
  if (last && &pipeline == &tree_) {
    for (std::vector<Segment>& column : contents.segments) {
      for (Segment& s : column) s.sum = s.numbers[0];
    }
  }
  next = std::move(contents);
}

void DotRegisters::write_line(const TileLine& line) {
  std::vector<Operand>& spare = tile_[active_ ^ 1u];
  for (std::uint32_t i = 0; i < line.words.size(); ++i) {
    const std::uint32_t k = line.of_column ? i : line.index, c = line.of_column ? line.index : i;
    spare[std::size_t{k} * shape_.columns + c] = line.words[i];
  }
}

}  // namespace tokencycle::test
