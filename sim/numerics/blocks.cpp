// SPDX-License-Identifier: Apache-2.0
#include "numerics/blocks.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace tokencycle {
namespace {

constexpr std::uint32_t kMostBlock = 256, kMostGroup = 64;  // elements

constexpr bool buffers_suffice() {
  return std::all_of(kFormatTable.begin(), kFormatTable.end(), [](const FormatRow& r) {
    return r.block_elements <= kMostBlock && (r.numbers != Numbers::scaled || r.group_elements <= kMostGroup);
  });
}
static_assert(buffers_suffice());

[[noreturn]] void refuse(const char* what, Format f, const char* why) {
  throw std::invalid_argument(std::string(what) + " of format " + std::string(name_of(f)) + ", " + why);
}

void check_decode(Format f, std::size_t bytes, std::uint64_t first, std::size_t count) {
  const std::uint64_t held = bytes / block_bytes(f) * block_elements(f);
  if (first <= held && count <= held - first) return;
  throw std::invalid_argument("decode_row: elements " + std::to_string(first) + " to " +
                              std::to_string(first + count) + " of a " + std::string(name_of(f)) +
                              " row that holds " + std::to_string(held));
}

void check_encode(Format f, std::size_t count, std::size_t bytes) {
  if (count % block_elements(f) == 0 && bytes == row_bytes(f, count)) return;
  throw std::invalid_argument("encode_row: " + std::to_string(count) + " values into " +
                              std::to_string(bytes) + " bytes of " + std::string(name_of(f)) + " (" +
                              std::to_string(block_bytes(f)) + " bytes hold " +
                              std::to_string(block_elements(f)) + ")");
}

// Whole blocks straight into `out`, ragged ends through a copy.
void decode_elements(const FormatRow& r, const std::byte* row, std::uint64_t first, std::span<float> out) {
  const std::size_t unit = r.block_elements;
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t element = first + done;
    const std::size_t offset = element % unit, left = out.size() - done;
    const std::byte* block = row + element / unit * r.block_bytes;
    if (offset == 0 && left >= unit) {
      r.decode(block, left / unit, out.data() + done);
      done += left / unit * unit;
      continue;
    }
    std::array<float, kMostBlock> values;
    const std::size_t n = std::min(unit - offset, left);
    r.decode(block, 1, values.data());
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(offset), n, out.data() + done);
    done += n;
  }
}

}  // namespace

void decode_row(Format f, std::span<const std::byte> row, std::uint64_t first, std::span<float> out) {
  const FormatRow& r = row_of(f);
  if (r.numbers == Numbers::data) refuse("decode_row", f, "which does not hold numbers to compute with");
  check_decode(f, row.size(), first, out.size());
  if (out.empty()) return;
  if (r.numbers != Numbers::integer) return decode_elements(r, row.data(), first, out);
  std::array<std::int8_t, kMostBlock> q;
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t n = std::min(q.size(), out.size() - done);
    r.integers(row.data(), first + done, n, q.data());
    std::copy_n(q.begin(), n, out.data() + done);
    done += n;
  }
}

void encode_row(Format f, std::span<const float> values, std::span<std::byte> row) {
  const FormatRow& r = row_of(f);
  check_encode(f, values.size(), row.size());
  if (r.encode == nullptr) refuse("encode_row", f, "which nothing here makes from fp32");
  if (!values.empty()) r.encode(values.data(), values.size() / r.block_elements, row.data());
}

namespace {

// unpack_row for groups that are parts of the format's own.
void unpack_parts(const FormatRow& r, const std::byte* row, std::uint32_t first, std::uint32_t count,
                  std::uint32_t group, std::int8_t* q, GroupScale* scales) {
  const std::uint32_t own = r.group_elements, in_block = r.block_elements / own, end = first + count;
  for (std::uint32_t e = first / own * own; e < end; e += own) {
    std::array<std::int8_t, kMostGroup> whole;
    const std::byte* block = row + std::size_t{e / r.block_elements} * r.block_bytes;
    const GroupScale scale = r.unpack(block, e / own % in_block, whole.data());
    const std::uint32_t from = std::max(e, first), to = std::min(e + own, end);
    std::copy_n(whole.data() + (from - e), to - from, q + (from - first));
    for (std::uint32_t g = from / group; g * group < to; ++g) scales[g - first / group] = scale;
  }
}

}  // namespace

void unpack_row(Format f, const std::byte* row, std::uint32_t first, std::uint32_t count, std::uint32_t group,
                std::int8_t* q, GroupScale* scales) {
  const FormatRow& r = row_of(f);
  const std::uint32_t own = r.group_elements, in_block = r.block_elements / own;
  if (own == group && first % r.block_elements == 0 && count % r.block_elements == 0) {  // the usual
    const std::byte* block = row + std::size_t{first / r.block_elements} * r.block_bytes;
    for (std::uint32_t done = 0; done < count; done += r.block_elements, block += r.block_bytes) {
      for (std::uint32_t g = 0; g < in_block; ++g, q += own) *scales++ = r.unpack(block, g, q);
    }
    return;
  }
  if (group < own) return unpack_parts(r, row, first, count, group, q, scales);
  const std::uint32_t begin = first / group * group, end = (first + count + group - 1) / group * group;
  for (std::uint32_t e = begin; e < end; e += own) {
    const std::byte* block = row + std::size_t{e / r.block_elements} * r.block_bytes;
    const std::uint32_t index = e / own % in_block;
    GroupScale scale;
    if (e >= first && e + own <= first + count) {
      scale = r.unpack(block, index, q + (e - first));
    } else {  // a part of a group, or a group beside the elements whose offset counts
      std::array<std::int8_t, kMostGroup> whole;
      scale = r.unpack(block, index, whole.data());
      const std::uint32_t from = std::max(e, first), to = std::min(e + own, first + count);
      if (from < to) std::copy_n(whole.data() + (from - e), to - from, q + (from - first));
    }
    GroupScale& out = scales[(e - begin) / group];
    if (e % group == 0) {
      out = scale;
    } else {
      out.offset += scale.offset;
    }
  }
}

}  // namespace tokencycle
