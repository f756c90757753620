// SPDX-License-Identifier: Apache-2.0
// What the project knows of one number format: a row of the table in formats/table.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tokencycle {

// The code of a format: the number of its row. Only formats that code asks for by name have a name here;
// the others are rows and nothing else.
enum class Format : std::uint8_t {
  f32 = 0,
  f16 = 1,
  bf16 = 2,
  q8_0 = 3,
  q4_0 = 4,
  u8 = 5,
  u32 = 6,
  i8 = 7,
  i4 = 8,
  q8_1 = 9,
  q4_1 = 10,
  q8_k = 11,
};

// How the matrix unit multiplies: the type of its multipliers, each with its own rate. int8 takes 8 bits by
// 8 bits, int4 a weight of 4 bits by an activation of 8.
enum class MultiplyType : std::uint8_t { int8 = 0, int4 = 1, fp16 = 2, bf16 = 3, fp32 = 4 };
inline constexpr int kMultiplyTypes = 5;

// Elements of formats without blocks that are summed before the sum enters the fp32 accumulator: as many as
// in a block of q8_0, so that one order of additions serves arrays of every height.
inline constexpr std::uint32_t kPlainGroup = 32;

// What an element is.
enum class Numbers : std::uint8_t {
  real,     // a floating-point number of its own
  scaled,   // scale * q + offset, with the scale and the offset of its group
  integer,  // two's complement without a scale
  data,     // nothing to compute with
};

// What a machine does with the bytes of a number before the multipliers take it.
enum class Decoding : std::uint8_t {
  none,           // nothing: floating-point numbers, integers of 4 and 8 bits in order
  fields,         // bits that lie at fixed places are put together, and a constant is subtracted
  packed_scales,  // and the scales of groups are such fields too, and are multiplied by that of their block
  table,          // the bits choose a number from a table
};
inline constexpr int kDecodings = 4;

// What the second number of a group stands for.
enum class Offset : std::uint8_t {
  none,
  minimum,  // of weights: added to every element of the group
  sum,      // of activations: the sum of the group's elements, for weights that have a minimum
};

// The two numbers of a group of q.
struct GroupScale {
  float scale = 0.0f;
  float offset = 0.0f;

  template <class Archive>
  void serialize(Archive& state) {
    state(scale, offset);
  }
};

// Groups [first, first + groups) of each of `rows` rows, which lie `stride` bytes apart.
struct GroupRows {
  const std::byte* bytes;
  std::size_t stride;
  std::uint32_t rows, first, groups;
};

// What a weight meets in the matrix unit.
struct Multiplication {
  Format activations;
  MultiplyType multipliers;
};

// A function that a row may have. Whether it has one is kept apart: under sanitizers GCC takes no comparison
// of a function's address for a constant (GCC bug 71962).
template <class Function>
class RowFunction {
 public:
  constexpr RowFunction() = default;
  constexpr RowFunction(Function* function) : function_(function), present_(true) {}
  constexpr bool operator==(std::nullptr_t) const { return !present_; }
  template <class... Arguments>
  decltype(auto) operator()(Arguments... arguments) const {
    return function_(arguments...);
  }

 private:
  Function* function_ = nullptr;
  bool present_ = false;
};

struct FormatRow {
  std::string_view name;
  int ggml = -1;  // number of the type in GGUF files (enum ggml_type); -1: none
  Numbers numbers = Numbers::data;
  std::uint32_t block_elements = 1;            // elements of one encoded unit ...
  std::uint32_t block_bytes = 1;               // ... and its bytes
  std::uint32_t group_elements = kPlainGroup;  // summed before a scale applies; of blocks a divisor of them
  Offset offset = Offset::none;
  std::optional<Multiplication> as_weight =
      std::nullopt;       // none: the matrix unit does not take it as a weight
  bool in_cache = false;  // a KV cache may have it
  Decoding decoding = Decoding::none;

  // What the matrix unit's port reads for a part of a block: the elements in whole granules, which lie one
  // behind the other, and the header (scales, minimums, sums).
  std::uint32_t granule_elements = 1;
  std::uint32_t header_bytes = 0;

  // real, scaled: `blocks` whole blocks as fp32. encode is absent where nothing has to make the format.
  RowFunction<void(const std::byte* in, std::size_t blocks, float* out)> decode{};
  RowFunction<void(const float* in, std::size_t blocks, std::byte* out)> encode{};
  // scaled: group `group` of a block as q[group_elements], and its scale.
  RowFunction<GroupScale(const std::byte* block, std::uint32_t group, std::int8_t* q)> unpack{};
  // The same of many groups, as unpack_groups() of blocks.h asks for them.
  RowFunction<void(const GroupRows& rows, std::int8_t* q, float* scales, float* offsets)> unpack_rows{};
  // integer: elements [first, first + count) of a row.
  RowFunction<void(const std::byte* row, std::uint64_t first, std::size_t count, std::int8_t* out)>
      integers{};
};

}  // namespace tokencycle
