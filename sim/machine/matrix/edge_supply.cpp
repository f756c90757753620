// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/edge_supply.h"

#include <algorithm>

#include "machine/matrix/decode_stage.h"

namespace tokencycle::machine {

namespace {

// Buffers of the edges hold whole blocks of 32; of longer blocks a part.
constexpr std::uint32_t kEdgeUnit = 32;

std::uint32_t encoded_depth(Format f, std::uint32_t depth) {
  return is_scaled(f) ? static_cast<std::uint32_t>(round_up(depth, kEdgeUnit)) : depth;
}

// Lines of one operand within a chunk: line i is wanted i steps behind the chunk's first element.
struct Lines {
  std::uint32_t address, stride, count;
  std::uint64_t bytes;
  DecodeCost decode;
};

// One operand's port.
struct Edge {
  memory::Port port{};
  std::uint32_t port_bytes = 0;
  Cycle free;  // the first cycle in which it can read

  // Reads the lines, line i no sooner than `earliest` and i steps; returns the first cycle in which the
  // chunk could enter for all that this operand knows. Without a scratchpad there are no conflicts.
  Cycle read(memory::Scratchpad* scratchpad, Cycle now, std::uint64_t latency, std::uint64_t step,
             Cycle earliest, const Lines& lines) {
    Cycle enters;
    if (earliest.value > lines.decode.latency) earliest = earliest - lines.decode.latency;
    for (std::uint32_t i = 0; i < lines.count; ++i) {
      Cycle at = std::max(free, earliest + i * step);
      const Cycle begin = at;
      Cycle granted = at;
      for (std::uint64_t done = 0; done < lines.bytes; done += port_bytes) {
        const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(port_bytes, lines.bytes - done));
        const auto address = static_cast<std::uint32_t>(lines.address + i * lines.stride + done);
        granted = scratchpad == nullptr ? at : scratchpad->reserve(port, now, at, address, part, false);
        at = granted + 1;
      }
      free = std::max(at, begin + lines.decode.cycles);
      const Cycle taken = std::max(granted, begin + (lines.decode.cycles - 1));
      const std::uint64_t arrival = taken.value + latency + lines.decode.latency, skew = i * step;
      enters = std::max(enters, Cycle(arrival > skew ? arrival - skew : 0));
    }
    return enters;
  }
};

class Supply {
 public:
  Supply(const config::Matrix& matrix, const isa::Instruction& matmul, std::uint64_t step,
         std::uint64_t latency, bool decodes = true)
      : matrix_(matrix),
        i_(matmul),
        step_(step),
        latency_(latency),
        chunk_(edge_chunk(matrix)),
        decodes_(decodes) {}

  EdgeTiming run(memory::Scratchpad* scratchpad, const EdgePorts& ports, Cycle now) const {
    Edge left{ports.moving, matrix_.moving_port_bytes, now};
    Edge top{ports.stationary, matrix_.stationary_port_bytes, now};
    Cycle enters, behind = now + latency_, earliest = now;
    for (std::uint32_t k = 0; k < i_.depth; k += chunk_) {
      const std::uint32_t depth = std::min(chunk_, i_.depth - k);
      const Cycle a = left.read(scratchpad, now, latency_, step_, earliest, left_lines(k, depth));
      const Cycle b = top.read(scratchpad, now, latency_, step_, earliest, top_lines(k, depth));
      enters = std::max({behind, a, b});
      behind = enters + depth * step_;
      earliest = next_read(enters, behind);
    }
    const Cycle next = std::max({left.free, top.free, earliest, before(behind)});
    return {behind, next, next, next};
  }

 private:
  // A buffer takes its next chunk when the one before last has left it, or the last one.
  Cycle next_read(Cycle enters, Cycle behind) const {
    return matrix_.double_buffered ? before(enters) : behind;
  }
  // So early that the data arrive at `c`.
  Cycle before(Cycle c) const { return c - latency_; }

  Lines left_lines(std::uint32_t k, std::uint32_t depth) const {
    const Format f = activation_format(i_.b_format);
    const RowPart part = row_part(f, k, encoded_depth(f, depth));
    return {i_.a.byte() + part.begin, i_.a_stride, i_.rows, part.bytes, cost(f, depth)};
  }
  Lines top_lines(std::uint32_t k, std::uint32_t depth) const {
    if (i_.order == isa::TileOrder::kn) {
      return {i_.b.byte() + k * i_.b_stride, i_.b_stride, depth, row_bytes(i_.b_format, i_.cols),
              cost(i_.b_format, i_.cols)};
    }
    const RowPart part = row_part(i_.b_format, k, encoded_depth(i_.b_format, depth));
    return {i_.b.byte() + part.begin, i_.b_stride, i_.cols, part.bytes, cost(i_.b_format, depth)};
  }
  DecodeCost cost(Format f, std::uint32_t values) const {
    return decodes_ ? decode_cost(matrix_, f, values) : DecodeCost{};
  }

  const config::Matrix& matrix_;
  const isa::Instruction& i_;
  std::uint64_t step_, latency_;
  std::uint32_t chunk_;
  bool decodes_;
};

}  // namespace

std::uint32_t edge_chunk(const config::Matrix& matrix) {
  return static_cast<std::uint32_t>(round_up(std::max(matrix.rows, matrix.columns), kEdgeUnit));
}

EdgeTiming reserve_edges(memory::Scratchpad& scratchpad, const EdgePorts& ports, const config::Matrix& matrix,
                         Cycle now, const isa::Instruction& matmul, std::uint64_t step) {
  const Supply supply(matrix, matmul, step, scratchpad.read_latency());
  EdgeTiming timing = supply.run(&scratchpad, ports, now);
  timing.nominal = std::min(timing.next, supply.run(nullptr, ports, now).next);
  const Supply plain(matrix, matmul, step, scratchpad.read_latency(), false);
  timing.plain = std::min(timing.nominal, plain.run(nullptr, ports, now).next);
  return timing;
}

}  // namespace tokencycle::machine
