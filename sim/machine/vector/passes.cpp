// SPDX-License-Identifier: Apache-2.0
#include "machine/vector/passes.h"

#include <array>

namespace tokencycle::machine {

using config::VectorFunction;
using isa::Opcode;

namespace {

using F = VectorFunction;

constexpr std::array kAdd = {F::add};
constexpr std::array kMul = {F::mul};
constexpr std::array kCopy = {F::copy};
constexpr std::array kConvert = {F::convert};
constexpr std::array kQuantize = {F::mul, F::quantize};
constexpr std::array kReduce = {F::reduce};
constexpr std::array kSilu = {F::exp, F::add, F::divide};
constexpr std::array kSquareSum = {F::mul, F::reduce};
constexpr std::array kNormalise = {F::divide, F::mul, F::mul};
constexpr std::array kScaledMax = {F::mul, F::reduce};
constexpr std::array kExpSum = {F::mul, F::add, F::exp, F::reduce};
constexpr std::array kExpDivide = {F::mul, F::add, F::exp, F::divide, F::convert};
constexpr std::array kRotary = {F::rotary};

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

}  // namespace tokencycle::machine
