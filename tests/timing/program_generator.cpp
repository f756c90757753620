// SPDX-License-Identifier: Apache-2.0
#include "timing/program_generator.h"

#include <algorithm>

#include "isa/vector/function.h"
#include "timing/matrix_generator.h"
#include "timing/operand_picker.h"

namespace tokencycle::timing {

using isa::Instruction;
using isa::Opcode;

namespace {

constexpr std::uint32_t kRows = 6, kColumns = 20;  // most of an instruction
constexpr std::uint32_t kLoops = 3;                // nested

std::uint32_t whole_units(Random& random, Format f, std::uint32_t most) {
  return block_elements(f) * (in_blocks(f) ? number(random, 1, 2) : number(random, 1, most));
}

class Generator {
 public:
  Generator(Random& random, const config::Machine& machine)
      : random_(random), pick_(random, machine), matrix_(random, machine, pick_, words_) {}

  GeneratedProgram make() {
    for (int n = 0; n < 3; ++n) front_end(0);
    block(number(random_, 8, 40), 0);
    return finish();
  }
  GeneratedProgram make_matrix_loops() {
    for (std::uint32_t n = number(random_, 1, 4); n > 0; --n) {
      pick_.begin_block(0);
      for (int registers = 0; registers < 4; ++registers) {
        for (const Instruction& i : pick_.set_register(0)) emit(i);
      }
      load();
      matrix_.begin_block();
      matrix_loop(0);
      one_in(random_, 2) ? store() : vector_operation();
    }
    return finish();
  }

 private:
  GeneratedProgram finish() {
    emit(instruction(Opcode::halt));
    GeneratedProgram made{{}, pick_.dram(), pick_.scratchpad(), pick_.accumulator()};
    made.program.words = std::move(words_);
    made.program.data = pick_.random_data();
    return made;
  }
  void emit(const Instruction& i) { words_.push_back(isa::encode(i)); }
  void block(std::uint32_t instructions, std::uint32_t depth);
  void loop(std::uint32_t depth);
  void matrix_loop(std::uint32_t depth);
  template <class Body>
  void loop_of(Instruction i, std::uint32_t steps, std::uint32_t depth, const Body& body);
  void front_end(std::uint32_t depth);
  void load();
  void gather();
  void store();
  void store_integer_sums();
  void vector_operation();
  bool second_operand(Instruction& i, const isa::Range& out);
  void fill_vector(Instruction& i);

  Random& random_;
  OperandPicker pick_;
  std::vector<isa::Word> words_;
  MatrixGenerator matrix_;
};

void Generator::block(std::uint32_t instructions, std::uint32_t depth) {
  pick_.begin_block(depth);
  matrix_.begin_block();
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
      case 9:
        matrix_.emit_some();
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
  matrix_.end_block();
}

void Generator::loop(std::uint32_t depth) {
  matrix_.end_block();
  Instruction i = instruction(Opcode::loop);
  i.count = number(random_, 1, 4);
  if (one_in(random_, 4)) {
    if (const auto read = pick_.read_count(depth)) {
      emit(*read);
      i.times = read->reg;
      i.count = kLargestIndex;
    }
  }
  loop_of(i, number(random_, 0, 3), depth, [&] { block(number(random_, 1, 5), depth + 1); });
}

// Long enough for an iteration to come again, alone or with another loop in it.
void Generator::matrix_loop(std::uint32_t depth) {
  matrix_.end_block();
  Instruction i = instruction(Opcode::loop);
  i.count = number(random_, 2, depth == 0 ? 12 : 24);
  loop_of(i, 3, depth, [&] {
    pick_.begin_block(depth + 1);
    matrix_.begin_block();
    for (std::uint32_t n = number(random_, 1, 2); n > 0; --n) {
      matrix_.emit_some();
      if (depth == 0 && one_in(random_, 2)) matrix_loop(1);
    }
    matrix_.end_block();
  });
}

// `i` is the loop but for its steps, of which there are so many at most, and its length.
template <class Body>
void Generator::loop_of(Instruction i, std::uint32_t steps, std::uint32_t depth, const Body& body) {
  for (std::size_t s = 0; s < steps; ++s) {
    const std::optional<isa::LoopStep> step = pick_.step_register(i.count);
    if (!step) break;
    i.steps[s] = *step;
  }
  const std::size_t at = words_.size();
  emit(instruction(Opcode::nop));  // the loop's word, once the body's length is known
  body();
  if (words_.size() == at + 1) emit(instruction(Opcode::nop));
  i.length = static_cast<std::uint32_t>(words_.size() - at - 1);
  words_[at] = isa::encode(i);
  pick_.begin_block(depth + 1);
  pick_.end_steps(i);
  matrix_.begin_block();
}

void Generator::front_end(std::uint32_t depth) {
  if (one_in(random_, 8)) return emit(instruction(Opcode::nop));
  if (one_in(random_, 4)) {
    Instruction fence = instruction(Opcode::fence);
    fence.units = static_cast<std::uint8_t>(number(random_, 1, 15) << 1);
    return emit(fence);
  }
  if (one_in(random_, 4)) {  // each wait has its signal before it
    Instruction signal = instruction(Opcode::signal), wait = instruction(Opcode::wait);
    signal.units = static_cast<std::uint8_t>(number(random_, 0, 15) << 1);
    signal.semaphore = wait.semaphore = static_cast<std::uint8_t>(number(random_, 0, isa::kSemaphores - 1));
    emit(signal);
    if (one_in(random_, 2)) load();
    return emit(wait);
  }
  for (const Instruction& i : one_in(random_, 3) ? pick_.read_register(depth) : pick_.set_register(depth))
    emit(i);
}

void Generator::load() {
  Instruction i = instruction(Opcode::load);
  const Format f = pick_.any_format();
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, in_blocks(f) ? 3 : 40) * block_bytes(f);
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
  i.cols = number(random_, 1, in_blocks(f) ? 1 : 12) * block_bytes(f);
  i.dst_stride = pick_.stride(f, i.cols, false);
  i.dram_stride = pick_.stride(f, i.cols, true);
  i.table_rows = kLargestIndex + 1;
  if (pick_.local(f, i.rows, i.dst_stride, i.cols, i.dst, i.dst_reg) &&
      pick_.local(Format::u32, i.rows, 4, 4, i.a, i.a_reg) &&
      pick_.in_dram(f, i.table_rows, i.dram_stride, i.cols, i)) {
    emit(i);
  }
}

void Generator::store() {
  Instruction i = instruction(Opcode::store);
  const Format areas = pick_.any_format();
  if (areas == Format::i8 && one_in(random_, 2)) return store_integer_sums();
  const bool blocks = in_blocks(areas), bytes = blocks || areas == Format::i8 || areas == Format::i4;
  i.a_format = bytes ? Format::u8 : areas;
  const bool narrow = areas == Format::f32 && one_in(random_, 2);
  const Format target = narrow ? (one_in(random_, 2) ? Format::f16 : Format::bf16) : areas;
  i.dst_format = bytes ? Format::u8 : target;
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

// int32 sums end as operands of i8: any bytes are.
void Generator::store_integer_sums() {
  Instruction i = instruction(Opcode::store);
  i.a_format = i.dst_format = Format::u32;
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, 12);
  const std::uint32_t bytes = i.cols * 4;
  i.a_stride = pick_.stride(Format::u32, bytes, true);
  i.dram_stride = pick_.stride(Format::i8, bytes, false);
  if (pick_.in_accumulator(Format::u32, i.rows, i.a_stride, bytes, i.a, i.a_reg) &&
      pick_.in_dram(Format::i8, i.rows, i.dram_stride, bytes, i)) {
    emit(i);
  }
}

void Generator::vector_operation() {
  const auto functions = isa::vector_functions();
  const isa::VectorFunction& f =
      functions[number(random_, 0, static_cast<std::uint32_t>(functions.size()) - 1)];
  const Opcode op = f.op;
  // Roots and quotients of random numbers are soon NaN everywhere, which would compare nothing.
  if (f.name == "sqrt" || f.name == "rsqrt" || f.name == "div") return;
  Instruction i = instruction(op);
  i.rows = number(random_, 1, kRows);
  i.cols = number(random_, 1, kColumns);
  fill_vector(i);
  const bool reduces = f.result == isa::Result::one || f.result == isa::Result::several;
  const bool by_index = f.indexed != isa::Indexed::nothing;
  const bool turns = f.result == isa::Result::turned;
  Format target = turns ? i.a_format : i.dst_format;
  if (isa::class_of(op) == isa::Class::select && i.cols <= kLargestIndex + 1 && one_in(random_, 2))
    target = Format::u32;
  const auto dst_rows = static_cast<std::uint32_t>(isa::result_rows(i));
  const auto a_rows = static_cast<std::uint32_t>(isa::first_rows(i));
  const auto dst_bytes = static_cast<std::uint32_t>(isa::result_row_bytes(i));
  const auto a_bytes = static_cast<std::uint32_t>(row_bytes(i.a_format, isa::first_columns(i)));
  i.a_stride = pick_.stride(i.a_format, a_bytes, true);
  i.dst_stride = pick_.stride(target, dst_bytes, false);
  if (!pick_.readable(i.a_format, a_rows, i.a_stride, a_bytes, i.a, i.a_reg)) return;
  const bool in_place = !reduces && !turns && !by_index && i.a_format == target && target == Format::f32 &&
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
  if (!in_place && pick_.span_of(i.a, i.a_reg, a_rows, i.a_stride, a_bytes).overlaps(out)) return;
  if (f.second != isa::Second::none && !second_operand(i, out)) return;
  emit(i);
}

// Places b outside of the result's bytes.
bool Generator::second_operand(Instruction& i, const isa::Range& out) {
  const auto rows = static_cast<std::uint32_t>(isa::second_rows(i));
  const auto bytes = static_cast<std::uint32_t>(isa::second_columns(i) * 4);
  const bool strides = (isa::vector_function(i.op).fields() & isa::set_of(isa::Field::b_stride)) != 0;
  i.b_stride = !strides ? 0 : pick_.stride(Format::f32, bytes, true);
  const bool indices = isa::vector_function(i.op).indexed != isa::Indexed::nothing;
  return pick_.local(indices ? Format::u32 : Format::f32, rows, isa::second_stride(i), bytes, i.b, i.b_reg) &&
         !pick_.span_of(i.b, i.b_reg, rows, isa::second_stride(i), bytes).overlaps(out);
}

void Generator::fill_vector(Instruction& i) {
  const auto real = [&](float least, float most) {
    return std::uniform_real_distribution<float>(least, most)(random_);
  };
  switch (i.op) {
    case Opcode::softmax:
      i.scalar = real(0.1f, 1.0f);
      i.valid = number(random_, 1, kColumns + 2);
      i.causal = one_in(random_, 2);
      i.dst_format = pick_.plain_format();
      break;
    case Opcode::softmax_sink:
      i.valid = number(random_, 1, kColumns + 2);
      i.causal = one_in(random_, 2);
      i.per_row = one_in(random_, 2);
      i.dst_format = pick_.plain_format();
      break;
    case Opcode::convert:
      i.a_format = pick_.number_format();
      i.dst_format = pick_.number_format();
      if (in_blocks(i.a_format) || in_blocks(i.dst_format)) {
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
    case Opcode::top_k:
      i.depth = number(random_, 1, i.cols);
      break;
    default:
      if (isa::vector_function(i.op).indexed != isa::Indexed::nothing)
        i.extent = kLargestIndex + number(random_, 1, 4);
      i.per_row = isa::class_of(i.op) == isa::Class::zip && one_in(random_, 4);
      if ((isa::vector_function(i.op).more & isa::set_of(isa::Field::scalar)) == 0) break;
      i.scalar = isa::class_of(i.op) == isa::Class::norm ? real(1e-6f, 1e-2f) : real(-0.5f, 0.5f);
      break;
  }
}

}  // namespace

GeneratedProgram generate_program(Random& random, const config::Machine& machine) {
  return Generator(random, machine).make();
}

GeneratedProgram generate_matrix_loops(Random& random, const config::Machine& machine) {
  return Generator(random, machine).make_matrix_loops();
}

}  // namespace tokencycle::timing
