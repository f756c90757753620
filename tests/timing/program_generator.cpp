// SPDX-License-Identifier: Apache-2.0
#include "timing/program_generator.h"

#include <algorithm>

#include "timing/operand_picker.h"

namespace tokencycle::timing {

using isa::Instruction;
using isa::Opcode;

namespace {

constexpr std::uint32_t kRows = 6, kColumns = 20;  // most of an instruction
constexpr std::uint32_t kLoops = 3;                // nested

std::uint32_t whole_units(Random& random, Format f, std::uint32_t most) {
  return block_elements(f) * (block_elements(f) > 1 ? number(random, 1, 2) : number(random, 1, most));
}

class Generator {
 public:
  Generator(Random& random, const config::Machine& machine)
      : random_(random), machine_(machine), pick_(random, machine) {}

  GeneratedProgram make() {
    for (int n = 0; n < 3; ++n) front_end(0);
    block(number(random_, 8, 40), 0);
    emit(instruction(Opcode::halt));
    GeneratedProgram made{{}, pick_.dram(), pick_.scratchpad(), pick_.accumulator()};
    made.program.words = std::move(words_);
    made.program.data = pick_.random_data();
    return made;
  }

 private:
  void emit(const Instruction& i) { words_.push_back(isa::encode(i)); }
  void block(std::uint32_t instructions, std::uint32_t depth);
  void loop(std::uint32_t depth);
  void front_end(std::uint32_t depth);
  void load();
  void gather();
  void store();
  void vector_operation();
  bool second_operand(Instruction& i, const isa::Range& out);
  void fill_vector(Instruction& i);
  void preload();
  bool multiply();
  void empty_shadow();

  Random& random_;
  const config::Machine& machine_;
  OperandPicker pick_;
  std::vector<isa::Word> words_;

  // The matrix unit as the program leaves it; known inside one block only.
  std::optional<Instruction> shadow_, active_, open_group_;
};

// Loops begin and end with an empty shadow tile and no open group, so that iterations are alike.
void Generator::block(std::uint32_t instructions, std::uint32_t depth) {
  pick_.begin_block(depth);
  active_.reset();
  for (std::uint32_t n = 0; n < instructions; ++n) {
    switch (number(random_, 0, 13)) {
      case 0:
      case 1:
      case 2:
        load();
        break;
      case 3:
        gather();
        break;
      case 4:
      case 5:
        store();
        break;
      case 6:
      case 7:
      case 8:
        shadow_ && !one_in(random_, 8) ? static_cast<void>(multiply()) : preload();  // or a second one
        break;
      case 9:
        if (active_ || shadow_) multiply();
        break;
      case 10:
        front_end(depth);
        break;
      case 11:
        if (depth < kLoops) loop(depth);
        break;
      default:
        vector_operation();
        break;
    }
  }
  empty_shadow();
}

void Generator::loop(std::uint32_t depth) {
  empty_shadow();
  Instruction i = instruction(Opcode::loop);
  i.count = number(random_, 1, 4);
  for (std::size_t s = 0, steps = number(random_, 0, 3); s < steps; ++s) {
    const std::optional<isa::LoopStep> step = pick_.step_register(i.count);
    if (!step) break;
    i.steps[s] = *step;
  }
  const std::size_t at = words_.size();
  emit(instruction(Opcode::nop));  // the loop's word, once the body's length is known
  block(number(random_, 1, 5), depth + 1);
  if (words_.size() == at + 1) emit(instruction(Opcode::nop));
  i.length = static_cast<std::uint32_t>(words_.size() - at - 1);
  words_[at] = isa::encode(i);
  pick_.begin_block(depth + 1);
  pick_.end_steps(i);
  active_.reset();
}

void Generator::front_end(std::uint32_t depth) {
  if (one_in(random_, 8)) return emit(instruction(Opcode::nop));
  if (one_in(random_, 4)) {
    Instruction fence = instruction(Opcode::fence);
    fence.units = static_cast<std::uint8_t>(number(random_, 1, 15) << 1);
    return emit(fence);
  }
  for (const Instruction& i : pick_.set_register(depth)) emit(i);
}

void Generator::load() {
  Instruction i = instruction(Opcode::load);
  const Format f = pick_.any_format();
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, block_elements(f) > 1 ? 3 : 40) * block_bytes(f);
  i.dst_stride = pick_.stride(f, i.cols, false);
  i.dram_stride = pick_.stride(f, i.cols, true);
  if (pick_.local(f, i.rows, i.dst_stride, i.cols, i.dst, i.dst_reg) &&
      pick_.in_dram(f, i.rows, i.dram_stride, i.cols, i)) {
    emit(i);
  }
}

void Generator::gather() {
  Instruction i = instruction(Opcode::gather);
  const Format f = pick_.number_format();  // not the indices themselves
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, block_elements(f) > 1 ? 1 : 12) * block_bytes(f);
  i.dst_stride = pick_.stride(f, i.cols, false);
  i.dram_stride = pick_.stride(f, i.cols, true);
  if (pick_.local(f, i.rows, i.dst_stride, i.cols, i.dst, i.dst_reg) &&
      pick_.local(Format::u32, i.rows, 4, 4, i.a, i.a_reg) &&
      pick_.in_dram(f, kLargestIndex + 1, i.dram_stride, i.cols, i)) {
    emit(i);
  }
}

void Generator::store() {
  Instruction i = instruction(Opcode::store);
  const Format areas = pick_.any_format();
  const bool blocks = block_elements(areas) > 1;
  i.a_format = blocks ? Format::u8 : areas;
  const bool narrow = areas == Format::f32 && one_in(random_, 2);
  const Format target = narrow ? (one_in(random_, 2) ? Format::f16 : Format::bf16) : areas;
  i.dst_format = blocks ? Format::u8 : target;
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, 30) * (blocks ? block_bytes(areas) : 1);
  if (blocks) i.cols = std::min(i.cols, 3 * block_bytes(areas));
  const std::uint32_t from = i.cols * block_bytes(i.a_format), to = i.cols * block_bytes(i.dst_format);
  i.a_stride = pick_.stride(areas, from, true);
  i.dram_stride = pick_.stride(target, to, false);
  if (pick_.readable(areas, i.rows, i.a_stride, from, i.a, i.a_reg) &&
      pick_.in_dram(target, i.rows, i.dram_stride, to, i)) {
    emit(i);
  }
}

void Generator::preload() {
  Instruction i = instruction(Opcode::preload);
  i.a_format = pick_.number_format();
  if (machine_.matrix.cycles_per_row[static_cast<std::size_t>(multiply_type(i.a_format))] == 0) return;
  const bool blocks = block_elements(i.a_format) > 1;
  i.order = blocks || one_in(random_, 2) ? isa::TileOrder::nk : isa::TileOrder::kn;
  const bool nk = i.order == isa::TileOrder::nk;
  i.cols = number(random_, 1, machine_.matrix.columns);
  i.k_offset =
      number(random_, 0, nk ? 3 : 0) * kBlock + (one_in(random_, 2) ? 0 : number(random_, 0, kBlock - 1));
  const std::uint32_t within = i.k_offset % kBlock;
  i.rows = number(random_, 1,
                  std::min(machine_.matrix.rows, within == 0 ? machine_.matrix.rows : kBlock - within));
  const std::uint32_t lines = nk ? i.cols : i.rows, unit = block_elements(i.a_format);
  const std::uint32_t elements =
      nk ? static_cast<std::uint32_t>(round_up(i.k_offset + i.rows, unit)) : i.cols;
  const auto bytes = static_cast<std::uint32_t>(row_bytes(i.a_format, elements));
  i.a_stride = pick_.stride(i.a_format, bytes, true);
  if (!pick_.local(i.a_format, lines, i.a_stride, bytes, i.a, i.a_reg)) return;
  emit(i);
  shadow_ = i;
}

bool Generator::multiply() {
  Instruction i = instruction(Opcode::multiply);
  i.swap = shadow_ && (!active_ || one_in(random_, 2));
  const Instruction& tile = i.swap ? *shadow_ : *active_;
  i.a_format = activation_format(tile.a_format);
  i.depth = one_in(random_, 4) ? number(random_, 1, tile.rows) : tile.rows;  // often all of the tile
  i.cols = one_in(random_, 4) ? number(random_, 1, tile.cols) : tile.cols;
  i.k_offset = number(random_, 0, 2) * kBlock + tile.k_offset % kBlock;
  i.accumulate = one_in(random_, 2);
  const bool continues = open_group_ && open_group_->cols == i.cols &&
                         multiply_type(open_group_->a_format) == multiply_type(i.a_format) &&
                         one_in(random_, 2);
  i.open = !continues;
  i.close = machine_.matrix.group_buffer_rows == 0 || !one_in(random_, 3);
  const bool waits = !i.open || !i.close;
  i.rows = continues
               ? open_group_->rows
               : number(random_, 1, waits ? std::min(kRows, machine_.matrix.group_buffer_rows) : 2 * kRows);
  const std::uint32_t unit = block_elements(i.a_format);
  const auto bytes = static_cast<std::uint32_t>(row_bytes(i.a_format, round_up(i.k_offset + i.depth, unit)));
  i.a_stride = pick_.stride(i.a_format, bytes, true);
  i.dst_stride = pick_.stride(Format::f32, i.cols * 4, false);
  if (!pick_.local(i.a_format, i.rows, i.a_stride, bytes, i.a, i.a_reg) ||
      !pick_.in_accumulator(i.rows, i.dst_stride, i.cols * 4, i.dst, i.dst_reg)) {
    return false;
  }
  emit(i);
  if (i.swap) {
    active_ = shadow_;
    shadow_.reset();
  }
  open_group_ = i.close ? std::nullopt : std::optional(i);
  return true;
}

// Takes a preloaded tile with the smallest multiply there is.
void Generator::empty_shadow() {
  open_group_.reset();
  while (shadow_) {
    active_.reset();
    if (multiply()) break;
  }
  open_group_.reset();
}

void Generator::vector_operation() {
  const auto op = static_cast<Opcode>(
      number(random_, static_cast<std::uint32_t>(Opcode::add), static_cast<std::uint32_t>(Opcode::argmax)));
  Instruction i = instruction(op);
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, kColumns);
  fill_vector(i);
  const bool reduces = op == Opcode::reduce_sum || op == Opcode::reduce_max || op == Opcode::argmax;
  const bool turns = op == Opcode::transpose;
  Format target = op == Opcode::transpose ? i.a_format : i.dst_format;
  if (op == Opcode::argmax && i.cols <= kLargestIndex + 1 && one_in(random_, 2)) target = Format::u32;
  const std::uint32_t dst_rows = turns ? i.cols : i.rows;
  const auto dst_bytes = static_cast<std::uint32_t>(reduces ? 4 : row_bytes(target, turns ? i.rows : i.cols));
  const auto a_bytes = static_cast<std::uint32_t>(row_bytes(i.a_format, i.cols));
  i.a_stride = pick_.stride(i.a_format, a_bytes, true);
  i.dst_stride = pick_.stride(target, dst_bytes, false);
  if (!pick_.readable(i.a_format, i.rows, i.a_stride, a_bytes, i.a, i.a_reg)) return;
  const bool in_place = !reduces && !turns && i.a_format == target && target == Format::f32 &&
                        !i.a.in_accumulator() && i.a_stride >= dst_bytes && one_in(random_, 3);
  if (in_place) {
    i.dst = i.a;
    i.dst_reg = i.a_reg;
    i.dst_stride = i.a_stride;
  } else if (!pick_.local(target, dst_rows, i.dst_stride, dst_bytes, i.dst, i.dst_reg)) {
    return;
  }
  // Row by row or all at once must be the same: operands are the result itself or lie elsewhere.
  const isa::Range out = pick_.span_of(i.dst, i.dst_reg, dst_rows, i.dst_stride, dst_bytes);
  if (!in_place && pick_.span_of(i.a, i.a_reg, i.rows, i.a_stride, a_bytes).overlaps(out)) return;
  const bool binary =
      op == Opcode::add || op == Opcode::mul || op == Opcode::rms_norm || op == Opcode::rotary;
  if (binary && !second_operand(i, out)) return;
  emit(i);
}

// Places b outside of the result's bytes.
bool Generator::second_operand(Instruction& i, const isa::Range& out) {
  const std::uint32_t rows = i.op == Opcode::rms_norm ? 1 : i.rows;
  const std::uint32_t bytes = (i.op == Opcode::rotary ? i.rotate : i.cols) * 4;
  i.b_stride = i.op == Opcode::rms_norm ? 0 : pick_.stride(Format::f32, bytes, true);
  return pick_.local(Format::f32, rows, i.b_stride, bytes, i.b, i.b_reg) &&
         !pick_.span_of(i.b, i.b_reg, rows, i.b_stride, bytes).overlaps(out);
}

void Generator::fill_vector(Instruction& i) {
  const auto real = [&](float least, float most) {
    return std::uniform_real_distribution<float>(least, most)(random_);
  };
  switch (i.op) {
    case Opcode::scale:
      i.scalar = real(-0.5f, 0.5f);
      break;
    case Opcode::rms_norm:
      i.scalar = real(1e-6f, 1e-2f);
      break;
    case Opcode::softmax:
      i.scalar = real(0.1f, 1.0f);
      i.valid = number(random_, 1, kColumns + 2);
      i.causal = one_in(random_, 2);
      i.dst_format = pick_.plain_format();
      break;
    case Opcode::convert:
      i.a_format = pick_.number_format();
      i.dst_format = pick_.number_format();
      if (block_elements(i.a_format) > 1 || block_elements(i.dst_format) > 1) {
        i.cols = whole_units(random_, Format::q8_0, 2);
      }
      break;
    case Opcode::transpose:
      i.a_format = pick_.plain_format();
      break;
    case Opcode::rotary:
      i.head = number(random_, 2, 12);
      i.rotate = 2 * number(random_, 1, i.head / 2);
      i.cols = i.head * number(random_, 1, 3);
      i.pairs = one_in(random_, 2) ? isa::RotaryPairs::adjacent : isa::RotaryPairs::split;
      break;
    default:
      break;
  }
}

}  // namespace

GeneratedProgram generate_program(Random& random, const config::Machine& machine) {
  return Generator(random, machine).make();
}

}  // namespace tokencycle::timing
