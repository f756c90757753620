// SPDX-License-Identifier: Apache-2.0
// Is every value that an opcode does not allow refused, with the field, the value and what is allowed?
#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "base/error.h"
#include "isa/encoding.h"

using namespace tokencycle;
using namespace tokencycle::isa;

namespace {

Instruction plain(Opcode op) {
  Instruction i;
  i.op = op;
  if (unit_of(op) != Unit::front_end) i.rows = i.cols = 32;
  switch (op) {
    case Opcode::fence:
      i.units = 2;
      break;
    case Opcode::loop:
      i.count = i.length = 1;
      break;
    case Opcode::set_address:
    case Opcode::add_address:
      i.reg = 1;
      break;
    case Opcode::read_address:
      i.reg = 1;
      i.extent = 8;
      break;
    case Opcode::multiply:
    case Opcode::matmul:
      i.depth = 1;
      i.dst = LocalAddress::accumulator(0);
      break;
    case Opcode::gather:
      i.table_rows = 1;
      break;
    case Opcode::softmax:
    case Opcode::softmax_sink:
      i.valid = 1;
      break;
    case Opcode::rotary:
      i.head = i.rotate = 2;
      break;
    case Opcode::top_k:
      i.depth = 3;
      break;
    default:
      if (class_of(op) == Class::move && op > Opcode::rotary) i.extent = 1;
      break;
  }
  return i;
}

struct Refusal {
  Opcode op;
  std::function<void(Instruction&)> spoil;
  std::string message;
};

const LocalAddress kAccumulator = LocalAddress::accumulator(0x40);

const std::vector<Refusal>& refusals() {
  using I = Instruction;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  static const std::vector<Refusal> list = {
      {Opcode::fence, [](I& i) { i.units = 0; }, "fence: units is 0x0; it must be a non-empty set"},
      {Opcode::fence, [](I& i) { i.units = 1; }, "fence: units is 0x1"},
      {Opcode::fence, [](I& i) { i.units = 0x20; }, "fence: units is 0x20"},
      {Opcode::signal, [](I& i) { i.units = 1; }, "signal: units is 0x1"},
      {Opcode::wait, [](I& i) { i.semaphore = 16; }, "wait: semaphore is 16; allowed: 0 .. 15"},
      {Opcode::wait, [](I& i) { i.units = 2; }, "wait has no field units"},
      {Opcode::loop, [](I& i) { i.count = 0; }, "loop: count is 0; it must be at least 1"},
      {Opcode::loop, [](I& i) { i.count = 1u << 24; }, "loop: count is 16777216; allowed: 0 .. 16777215"},
      {Opcode::loop, [](I& i) { i.length = 0; }, "loop: length is 0"},
      {Opcode::loop, [](I& i) { i.length = 65536; }, "loop: length is 65536; allowed: 0 .. 65535"},
      {Opcode::loop,
       [](I& i) {
         i.steps[1] = {0, 4};
       },
       "loop: step 1 adds 4 to r0, which is always zero"},
      {Opcode::loop,
       [](I& i) {
         i.steps[2] = {5, 4};
       },
       "loop: step 2 follows an unused step"},
      {Opcode::loop,
       [](I& i) {
         i.steps[0] = {16, 4};
       },
       "loop: step 0 register is 16; allowed: 0 .. 15"},
      {Opcode::send, [](I& i) { i.a = kAccumulator; }, "send: a is in the accumulator memory (a:0x40)"},
      {Opcode::send, [](I& i) { i.link = 16; }, "send: link is 16; allowed: 0 .. 15"},
      {Opcode::receive, [](I& i) { i.dst = kAccumulator; }, "receive: dst is in the accumulator memory"},
      {Opcode::receive, [](I& i) { i.rows = 0; }, "receive: rows is 0; it must be at least 1"},
      {Opcode::loop, [](I& i) { i.times = 16; }, "loop: times is 16; allowed: 0 .. 15"},
      {Opcode::set_address, [](I& i) { i.reg = 0; }, "set_address: the register is r0"},
      {Opcode::read_address, [](I& i) { i.reg = 0; }, "read_address: the register is r0"},
      {Opcode::read_address, [](I& i) { i.extent = 0; }, "read_address: extent is 0; it must be at least 1"},
      {Opcode::read_address, [](I& i) { i.a = kAccumulator; },
       "read_address: a is in the accumulator memory (a:0x40)"},
      {Opcode::read_address, [](I& i) { i.word_stride = std::uint64_t{1} << 46; },
       "read_address: word_stride is 70368744177664; with words up to 7 (extent - 1) it leads beyond the "
       "48-bit"},
      {Opcode::read_address, [](I& i) { i.word_stride = std::uint64_t{1} << 48; },
       "read_address: word_stride is 281474976710656; allowed: 0 .. 281474976710655"},
      {Opcode::add_address, [](I& i) { i.reg = 0; }, "add_address: the register is r0"},
      {Opcode::add_address, [](I& i) { i.value = std::int64_t{1} << 47; },
       "add_address: value is 140737488355328; allowed: -140737488355328 .. 140737488355327"},
      {Opcode::load, [](I& i) { i.rows = 0; }, "load: rows is 0; it must be at least 1"},
      {Opcode::load, [](I& i) { i.cols = 0; }, "load: cols is 0"},
      {Opcode::load, [](I& i) { i.rows = 65536; }, "load: rows is 65536; allowed: 0 .. 65535"},
      {Opcode::load, [](I& i) { i.cols = 1u << 24; }, "load: cols is 16777216"},
      {Opcode::load, [](I& i) { i.dst_reg = 16; }, "load: dst_reg is 16"},
      {Opcode::load, [](I& i) { i.dst_stride = 1u << 24; }, "load: dst_stride is 16777216"},
      {Opcode::load, [](I& i) { i.dram = DramAddress(std::uint64_t{1} << 48); },
       "load: dram is 281474976710656; allowed: 0 .. 281474976710655"},
      {Opcode::load, [](I& i) { i.dst = kAccumulator; }, "load: dst is in the accumulator memory (a:0x40)"},
      {Opcode::load, [](I& i) { i.a = LocalAddress::scratchpad(4); },
       "load has no field a, but it is set to 0x4"},
      {Opcode::load, [](I& i) { i.swap = true; }, "load has no field swap"},
      {Opcode::load, [](I& i) { i.scalar = 1.0f; }, "load has no field scalar"},
      {Opcode::gather, [](I& i) { i.dst = kAccumulator; }, "gather: dst is in the accumulator memory"},
      {Opcode::gather, [](I& i) { i.a = kAccumulator; }, "gather: a is in the accumulator memory"},
      {Opcode::gather, [](I& i) { i.table_rows = 0; }, "gather: table_rows is 0; it must be at least 1"},
      {Opcode::gather, [](I& i) { i.a_stride = 4; }, "gather has no field a_stride"},
      {Opcode::store, [](I& i) { i.a_format = i.dst_format = Format::q8_0; },
       "store: a_format is q8_0; allowed: f32, f16, bf16, u8, u32"},
      {Opcode::store, [](I& i) { i.dst_format = Format::u8; }, "store converts only f32 to f16 or bf16"},
      {Opcode::store, [](I& i) { i.a_format = Format::f16; }, "dst_format is f32 and a_format f16"},
      {Opcode::store,
       [](I& i) {
         i.a = kAccumulator;
         i.a_format = i.dst_format = Format::f16;
       },
       "store: a is in the accumulator memory, which holds f32, but a_format is f16"},
      {Opcode::preload, [](I& i) { i.a = kAccumulator; }, "preload: a is in the accumulator memory"},
      {Opcode::preload, [](I& i) { i.a_format = Format::u8; },
       "preload: a_format is u8; allowed: f32, f16, bf16, q8_0, q4_0, i8, i4"},
      {Opcode::preload, [](I& i) { i.a_format = static_cast<Format>(63); }, "a_format is unknown format 63"},
      {Opcode::preload, [](I& i) { i.k_offset = 256; }, "preload: k_offset is 256; allowed: 0 .. 255"},
      {Opcode::preload,
       [](I& i) {
         i.order = TileOrder::kn;
         i.a_format = Format::q4_0;
       },
       "preload: a_format is q4_0 and order kn; a block format needs order nk"},
      {Opcode::preload,
       [](I& i) {
         i.order = TileOrder::kn;
         i.k_offset = 32;
       },
       "preload: k_offset is 32; with order kn it is a position within the group, 0 .. 31"},
      {Opcode::multiply, [](I& i) { i.a_format = Format::u32; },
       "multiply: a_format is u32; allowed: f32, f16, bf16, q8_0, q4_0, i8, i4"},
      {Opcode::multiply,
       [](I& i) {
         i.a_format = Format::i4;
         i.k_offset = 3;
       },
       "multiply: k_offset is 3; i4 lies two a byte and needs an even one"},
      {Opcode::matmul, [](I& i) { i.b_format = Format::u8; }, "matmul: b_format is u8; allowed: f32"},
      {Opcode::matmul,
       [](I& i) {
         i.b_format = Format::q4_0;
         i.order = TileOrder::kn;
       },
       "matmul: b_format is q4_0 and order kn; a block format needs order nk"},
      {Opcode::matmul, [](I& i) { i.depth = 0; }, "matmul: depth is 0"},
      {Opcode::matmul, [](I& i) { i.a = kAccumulator; }, "matmul: a is in the accumulator memory"},
      {Opcode::matmul, [](I& i) { i.b = kAccumulator; }, "matmul: b is in the accumulator memory"},
      {Opcode::matmul, [](I& i) { i.dst = LocalAddress::scratchpad(8); },
       "matmul: dst is in the scratchpad (s:0x8)"},
      {Opcode::matmul, [](I& i) { i.swap = true; }, "matmul has no field swap"},
      {Opcode::multiply, [](I& i) { i.a = kAccumulator; }, "multiply: a is in the accumulator memory"},
      {Opcode::multiply, [](I& i) { i.depth = 0; }, "multiply: depth is 0"},
      {Opcode::multiply, [](I& i) { i.dst = LocalAddress::scratchpad(8); },
       "multiply: dst is in the scratchpad (s:0x8); it must be in the accumulator memory"},
      {Opcode::multiply, [](I& i) { i.b = LocalAddress::scratchpad(1); }, "multiply has no field b"},
      {Opcode::add, [](I& i) { i.dst = kAccumulator; }, "add: dst is in the accumulator memory"},
      {Opcode::add, [](I& i) { i.b = kAccumulator; }, "add: b is in the accumulator memory"},
      {Opcode::copy, [](I& i) { i.a_format = Format::f16; }, "copy has no field a_format"},
      {Opcode::silu, [](I& i) { i.rows = 0; }, "silu: rows is 0"},
      {Opcode::scale, [](I& i) { i.scalar = kInfinity; }, "scale: scalar is inf; it must be finite"},
      {Opcode::rms_norm, [](I& i) { i.scalar = std::numeric_limits<float>::quiet_NaN(); },
       "rms_norm: scalar is nan"},
      {Opcode::rms_norm, [](I& i) { i.b_stride = 4; }, "rms_norm has no field b_stride"},
      {Opcode::convert, [](I& i) { i.dst_format = Format::u32; }, "convert: dst_format is u32"},
      {Opcode::convert,
       [](I& i) {
         i.dst_format = Format::q8_0;
         i.cols = 33;
       },
       "convert: cols is 33; q8_0 needs a multiple of 32"},
      {Opcode::convert,
       [](I& i) {
         i.a = kAccumulator;
         i.a_format = Format::bf16;
       },
       "convert: a is in the accumulator memory"},
      {Opcode::softmax, [](I& i) { i.valid = 0; }, "softmax: valid is 0"},
      {Opcode::softmax, [](I& i) { i.dst_format = Format::q8_0; },
       "dst_format is q8_0; allowed: f32, f16, bf16"},
      {Opcode::softmax, [](I& i) { i.scalar = -kInfinity; }, "softmax: scalar is -inf"},
      {Opcode::softmax_sink, [](I& i) { i.valid = 0; }, "softmax_sink: valid is 0"},
      {Opcode::softmax_sink, [](I& i) { i.scalar = 1; }, "softmax_sink has no field scalar"},
      {Opcode::softmax_sink, [](I& i) { i.b = kAccumulator; },
       "softmax_sink: b is in the accumulator memory"},
      {Opcode::rotary, [](I& i) { i.head = 1; }, "rotary: head is 1; it must be at least 2"},
      {Opcode::rotary, [](I& i) { i.rotate = 1; }, "rotary: rotate is 1; it must be even, 2 .. head (2)"},
      {Opcode::rotary, [](I& i) { i.rotate = 0; }, "rotary: rotate is 0"},
      {Opcode::rotary, [](I& i) { i.rotate = 4; }, "rotary: rotate is 4"},
      {Opcode::rotary, [](I& i) { i.cols = 33; }, "rotary: cols is 33; it must be a multiple of head (2)"},
      {Opcode::transpose, [](I& i) { i.a_format = Format::q8_0; }, "transpose: a_format is q8_0"},
      {Opcode::transpose,
       [](I& i) {
         i.a = kAccumulator;
         i.a_format = Format::f16;
       },
       "transpose: a is in the accumulator memory"},
      {Opcode::argmax, [](I& i) { i.cols = 0; }, "argmax: cols is 0"},
      {Opcode::top_k, [](I& i) { i.depth = 33; }, "top_k: depth is 33; a row has 32 places (cols)"},
      {Opcode::top_k, [](I& i) { i.depth = 0; }, "top_k: depth is 0"},
      {opcode(Class::move, 2), [](I& i) { i.extent = 0; }, "take: extent is 0; it must be at least 1"},
      {opcode(Class::map, 6), [](I& i) { i.scalar = 1; }, "tanh has no field scalar"},
      {Opcode::nop, [](I& i) { i.rows = 1; }, "nop has no field rows"},
      {Opcode::halt, [](I& i) { i.units = 2; }, "halt has no field units"},
  };
  return list;
}

}  // namespace

TEST_CASE("the plain form of every opcode is valid") {
  for (const Opcode op : opcodes()) {
    const Instruction i = plain(op);
    INFO(name_of(i.op));
    CHECK(decode(encode(i)) == i);
  }
}

TEST_CASE("encode refuses what an opcode does not allow") {
  for (const Refusal& refusal : refusals()) {
    Instruction i = plain(refusal.op);
    refusal.spoil(i);
    INFO(name_of(i.op) << ": " << refusal.message);
    CHECK_THROWS_AS(encode(i), ProgramError);
    CHECK_THROWS_WITH(encode(i), Catch::Contains(refusal.message));
  }
}

TEST_CASE("fp32 operands of the vector unit and of store may lie in the accumulator memory") {
  for (Opcode op : {Opcode::store, Opcode::add, Opcode::mul, Opcode::scale, Opcode::copy, Opcode::convert,
                    Opcode::silu, Opcode::rms_norm, Opcode::softmax, Opcode::rotary, Opcode::transpose,
                    Opcode::reduce_sum, Opcode::reduce_max, Opcode::argmax}) {
    Instruction i = plain(op);
    i.a = kAccumulator;
    INFO(name_of(op));
    CHECK(decode(encode(i)).a == kAccumulator);
  }
}
