// SPDX-License-Identifier: Apache-2.0
#include "core/vector_passes.h"

#include <array>

namespace tokencycle::core {

using config::VectorFunction;
using isa::Opcode;

namespace {

using enum VectorFunction;

constexpr std::array kAdd = {add};
constexpr std::array kMul = {mul};
constexpr std::array kCopy = {copy};
constexpr std::array kConvert = {convert};
constexpr std::array kQuantize = {mul, quantize};
constexpr std::array kReduce = {reduce};
constexpr std::array kSilu = {VectorFunction::exp, add, divide};
constexpr std::array kSquareSum = {mul, reduce};
constexpr std::array kNormalise = {divide, mul, mul};
constexpr std::array kScaledMax = {mul, reduce};
constexpr std::array kExpSum = {mul, add, VectorFunction::exp, reduce};
constexpr std::array kExpDivide = {mul, add, VectorFunction::exp, divide, convert};
constexpr std::array kRotary = {rotary};

constexpr std::array kAddPasses = {VectorPass{kAdd, true, true}};
constexpr std::array kMulPasses = {VectorPass{kMul, true, true}};
constexpr std::array kScalePasses = {VectorPass{kMul, false, true}};
constexpr std::array kCopyPasses = {VectorPass{kCopy, false, true}};
constexpr std::array kConvertPasses = {VectorPass{kConvert, false, true}};
constexpr std::array kQuantizePasses = {VectorPass{kReduce, false, false},
                                        VectorPass{kQuantize, false, true}};
constexpr std::array kSiluPasses = {VectorPass{kSilu, false, true}};
constexpr std::array kNormPasses = {VectorPass{kSquareSum, false, false}, VectorPass{kNormalise, true, true}};
// The exponentials are computed twice rather than kept: a row may be longer than any register file.
constexpr std::array kSoftmaxPasses = {VectorPass{kScaledMax, false, false},
                                       VectorPass{kExpSum, false, false},
                                       VectorPass{kExpDivide, false, true}};
constexpr std::array kRotaryPasses = {VectorPass{kRotary, true, true}};
constexpr std::array kReducePasses = {VectorPass{kReduce, false, false}};

}  // namespace

std::span<const VectorPass> passes_of(const isa::Instruction& i) {
  switch (i.op) {
    case Opcode::add:
      return kAddPasses;
    case Opcode::mul:
      return kMulPasses;
    case Opcode::scale:
      return kScalePasses;
    case Opcode::copy:
    case Opcode::transpose:
      return kCopyPasses;
    case Opcode::convert:
      return block_elements(i.dst_format) > 1 ? std::span<const VectorPass>(kQuantizePasses)
                                              : std::span<const VectorPass>(kConvertPasses);
    case Opcode::silu:
      return kSiluPasses;
    case Opcode::rms_norm:
      return kNormPasses;
    case Opcode::softmax:
      return kSoftmaxPasses;
    case Opcode::rotary:
      return kRotaryPasses;
    case Opcode::reduce_sum:
    case Opcode::reduce_max:
    case Opcode::argmax:
      return kReducePasses;
    default:
      return {};
  }
}

}  // namespace tokencycle::core
