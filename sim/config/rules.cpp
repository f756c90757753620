// SPDX-License-Identifier: Apache-2.0
#include "config/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace tokencycle::config {
namespace {

constexpr std::uint32_t kWordBytes =
    32;  // one instruction word, as isa::kWordBytes (a library above this one)

using Found = std::optional<std::string>;

std::uint32_t bytes_a_cycle(const Scratchpad& s) {
  return s.banks * s.bank_bytes;
}

// An access wider than all banks together would need a bank twice in its cycle, even if it is aligned.
Rule port_fits(const std::string& path, std::uint32_t (*port_bytes)(const Machine&)) {
  return {
      {path, "/scratchpad/banks", "/scratchpad/bank_bytes"},
      fmt::format("`{}` <= banks x bank_bytes: an aligned access touches no bank twice", path),
      [port_bytes](const Machine& m) -> Found {
        const std::uint32_t width = bytes_a_cycle(m.scratchpad);
        if (port_bytes(m) <= width) return {};
        return fmt::format(
            "{} is wider than the scratchpad's {} banks of {} bytes; allowed: at most {}, or add banks or "
            "widen them",
            port_bytes(m), m.scratchpad.banks, m.scratchpad.bank_bytes, width);
      }};
}

Found more_bursts_than_banks(const Machine& m) {
  if (m.dma.bursts_per_cycle <= m.scratchpad.banks) return {};
  return fmt::format("{} is more than the scratchpad's {} banks; allowed: at most {}, or add banks",
                     m.dma.bursts_per_cycle, m.scratchpad.banks, m.scratchpad.banks);
}

Found narrow_scratchpad(const Machine& m) {
  if (bytes_a_cycle(m.scratchpad) >= 8) return {};
  return fmt::format("{} bank(s) of {} bytes; banks x bank_bytes must be at least 8: add banks or widen them",
                     m.scratchpad.banks, m.scratchpad.bank_bytes);
}

Found uneven_banks(const Machine& m) {
  const std::uint32_t width = bytes_a_cycle(m.scratchpad);
  if (m.scratchpad.capacity_bytes % width == 0) return {};
  return fmt::format(
      "{} KiB do not divide evenly into rows of banks x bank_bytes = {} bytes; use a multiple of {} KiB",
      m.scratchpad.capacity_bytes / 1024, width, width / 1024);
}

Found beat_too_wide(const Machine& m) {
  const std::uint32_t width = bytes_a_cycle(m.scratchpad);
  if (m.vector.lanes * 4 <= width) return {};
  return fmt::format(
      "{} lanes read {} bytes of fp32 a beat, the scratchpad's {} banks of {} bytes give {} a cycle; "
      "allowed: at "
      "most {} lanes, or add banks or widen them",
      m.vector.lanes, m.vector.lanes * 4, m.scratchpad.banks, m.scratchpad.bank_bytes, width, width / 4);
}

// Passes are whole groups of 32 or parts of one; formats with shorter groups divide them.
constexpr std::uint32_t kGroup = kPlainGroup;

Found no_group_buffer(const Machine& m) {
  if (m.matrix.dataflow == Dataflow::output_stationary) return {};  // a cell keeps its sum
  const std::uint32_t pass = std::min(m.matrix.rows, m.matrix.tiling.k == 0 ? kGroup : m.matrix.tiling.k);
  if (pass >= kGroup || m.matrix.group_buffer_rows >= 1) return {};
  return fmt::format(
      "{} rows of the group buffer, and passes of {} k values, which need several for a group of {}; "
      "allowed: "
      "at least 1, or an array of {} rows or more without a smaller tiling/k",
      m.matrix.group_buffer_rows, pass, kGroup, kGroup);
}

// A pass that crosses a group's border has to begin at one.
Found uneven_tile(const Machine& m) {
  const std::uint32_t k = m.matrix.tiling.k;
  if (k % kGroup == 0) return {};
  if (m.matrix.dataflow == Dataflow::output_stationary) {
    return fmt::format("{}; allowed on an output-stationary array: a multiple of {}", k, kGroup);
  }
  if (k < kGroup) return {};
  return fmt::format("{}; allowed: at most {}, or a multiple of {}", k, kGroup, kGroup);
}

Found no_multiplier(const Machine& m) {
  for (const std::uint32_t cycles : m.matrix.cycles_per_row) {
    if (cycles != 0) return {};
  }
  return "the machine multiplies no type at all; give at least one of int8, int4, fp16, bf16, fp32, for "
         "example "
         "\"fp16\": 1";
}

Found accumulator_too_small(const Machine& m) {
  const std::uint32_t row = m.matrix.columns * 4;
  if (m.accumulator.capacity_bytes >= row) return {};
  return fmt::format(
      "{} KiB hold no row of {} fp32 sums ({} bytes); allowed: at least {} KiB, or fewer columns",
      m.accumulator.capacity_bytes / 1024, m.matrix.columns, row, (row + 1023) / 1024);
}

Found fetch_buffer_too_small(const Machine& m) {
  const std::uint32_t needed = 2 * m.dram.burst_bytes / kWordBytes;
  if (m.fetch.buffer_words >= needed) return {};
  return fmt::format(
      "{} words hold less than two bursts of {} bytes; allowed: at least {}, so that one is read while the "
      "other "
      "executes",
      m.fetch.buffer_words, m.dram.burst_bytes, needed);
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = {
      {{"/fetch/buffer_words", "/dram/burst_bytes"},
       "`/fetch/buffer_words` >= 2 x burst_bytes / 32: the buffer holds two bursts",
       fetch_buffer_too_small},
      port_fits("/dma/port_bytes", [](const Machine& m) { return m.dma.port_bytes; }),
      {{"/dma/bursts_per_cycle", "/scratchpad/banks"},
       "`/dma/bursts_per_cycle` <= banks: each burst of a cycle takes a bank of its own",
       more_bursts_than_banks},
      port_fits("/matrix/stationary_port_bytes",
                [](const Machine& m) { return m.matrix.stationary_port_bytes; }),
      port_fits("/matrix/moving_port_bytes", [](const Machine& m) { return m.matrix.moving_port_bytes; }),
      {{"/matrix/group_buffer_rows", "/matrix/rows", "/matrix/tiling/k", "/matrix/dataflow"},
       "`/matrix/group_buffer_rows` >= 1 when rows or tiling/k < 32, except output-stationary: a group of 32 "
       "takes several passes",
       no_group_buffer},
      {{"/matrix/tiling/k", "/matrix/dataflow"},
       "`/matrix/tiling/k` is a multiple of 32, or less than 32 unless output-stationary: passes begin at "
       "groups' borders",
       uneven_tile},
      {{"/matrix/cycles_per_row"}, "`/matrix/cycles_per_row` names at least one type", no_multiplier},
      {{"/vector/lanes", "/scratchpad/banks", "/scratchpad/bank_bytes"},
       "`/vector/lanes` x 4 <= banks x bank_bytes: a beat's fp32 operand is read in one cycle",
       beat_too_wide},
      {{"/scratchpad/banks", "/scratchpad/bank_bytes"},
       "`/scratchpad/banks` x bank_bytes >= 8",
       narrow_scratchpad},
      {{"/scratchpad/capacity_kib", "/scratchpad/banks", "/scratchpad/bank_bytes"},
       "`/scratchpad/capacity_kib` is a multiple of banks x bank_bytes: all banks are of one size",
       uneven_banks},
      {{"/accumulator/capacity_kib", "/matrix/columns"},
       "`/accumulator/capacity_kib` x 1024 >= columns x 4: one row of sums fits",
       accumulator_too_small},
  };
  return table;
}

}  // namespace tokencycle::config
