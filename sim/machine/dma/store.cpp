// SPDX-License-Identifier: Apache-2.0
#include "machine/dma/store.h"

#include <algorithm>
#include <cstring>

#include "numerics/blocks.h"

namespace tokencycle::machine {

StoreDma::StoreDma(const DmaContext& context, std::uint32_t index)
    : DmaEngine(context, observe::nth(observe::UnitId::store, index),
                memory::nth(memory::Requester::store, index), memory::nth(memory::Port::store, index),
                context.machine.dma.store_bursts_in_flight),
      data_(tags(context.machine, context.machine.dma.store_bursts_in_flight)) {}

BurstWalk StoreDma::walk_of(const isa::Instruction& i) const {
  return BurstWalk(i.dram, i.dram_stride, i.rows, row_bytes(i.dst_format, i.cols), burst_bytes_);
}

Cycle StoreDma::prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t tag) {
  const isa::Instruction& i = transfer.entry->instruction;
  const BurstWalk::Piece piece = transfer.walk.piece();
  const std::uint32_t from_size = block_bytes(i.a_format), to_size = block_bytes(i.dst_format);
  const std::uint64_t to_row = std::uint64_t{i.cols} * to_size;
  std::vector<std::byte>& data = data_[tag];
  data.clear();
  Cycle read = earliest;
  // Row by row of the source; a piece spans several when their destinations are contiguous.
  for (std::uint64_t at = piece.offset; at < piece.offset + piece.bytes;) {
    const auto row = static_cast<std::uint32_t>(at / to_row);
    const std::uint64_t in_row = at % to_row;
    const std::uint64_t n = std::min(piece.offset + piece.bytes - at, to_row - in_row);
    // Whole elements around the bytes, also when a burst's border cuts one.
    const std::uint64_t first = in_row / to_size, count = ceil_div(in_row + n, to_size) - first;
    const isa::LocalAddress source =
        i.a + static_cast<std::uint32_t>(std::uint64_t{row} * i.a_stride + first * from_size);
    const std::span<const std::byte> encoded = context_.local.at(source, count * from_size);
    if (!i.a.in_accumulator()) {
      for (std::uint32_t done = 0; done < encoded.size(); done += port_bytes_) {
        const auto beat =
            std::min<std::uint32_t>(port_bytes_, static_cast<std::uint32_t>(encoded.size()) - done);
        const Cycle begins = port_.next(earliest, beat);
        if (at == piece.offset && done == 0) wait_for_port(earliest, begins);
        const Cycle granted =
            context_.local.scratchpad().reserve(local_port_, now, begins, source.byte() + done, beat, false);
        port_.took(granted, beat);
        read = granted + context_.local.scratchpad().read_latency();
      }
    }
    if (context_.values == Values::computed) convert(i, encoded, in_row - first * to_size, n, data);
    at += n;
  }
  return read;
}

void StoreDma::convert(const isa::Instruction& i, std::span<const std::byte> encoded, std::uint64_t skip,
                       std::uint64_t bytes, std::vector<std::byte>& out) {
  const std::size_t count = encoded.size() / block_bytes(i.a_format);
  std::vector<std::byte> converted(count * block_bytes(i.dst_format));
  if (i.a_format == i.dst_format) {
    std::memcpy(converted.data(), encoded.data(), converted.size());
  } else {
    std::vector<float> values(count);
    decode_row(i.a_format, encoded, 0, values);
    encode_row(i.dst_format, values, converted);
  }
  const auto begin = converted.begin() + static_cast<std::ptrdiff_t>(skip);
  out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(bytes));
}

Cycle StoreDma::land(Cycle now, const InFlight&, std::uint64_t, const memory::Burst& burst) {
  if (context_.values == Values::computed) context_.storage.write(burst.address, data_[burst.tag]);
  return now;
}

}  // namespace tokencycle::machine
