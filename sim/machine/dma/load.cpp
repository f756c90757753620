// SPDX-License-Identifier: Apache-2.0
#include "machine/dma/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace tokencycle::machine {

using isa::Opcode;

namespace {
constexpr std::size_t kLargestBurst = 1024;  // bytes; config allows no larger one
}

LoadDma::LoadDma(const DmaContext& context, std::uint32_t index)
    : DmaEngine(context, observe::nth(observe::UnitId::load, index),
                memory::nth(memory::Requester::load, index), memory::nth(memory::Port::load, index),
                context.machine.dma.load_bursts_in_flight) {}

BurstWalk LoadDma::walk_of(const isa::Instruction& i) const {
  // Gathered rows never join, whatever their addresses: a stride of 0 differs from any row length.
  return BurstWalk(i.dram, i.op == Opcode::gather ? 0 : i.dram_stride, i.rows, i.cols, burst_bytes_);
}

Cycle LoadDma::prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t) {
  const isa::Instruction& i = transfer.entry->instruction;
  if (i.op != Opcode::gather || !transfer.walk.at_row_start()) return earliest;
  const std::uint32_t at = i.a.byte() + 4 * static_cast<std::uint32_t>(transfer.walk.row());
  memory::Scratchpad& scratchpad = context_.local.scratchpad();
  const Cycle granted = scratchpad.reserve(local_port_, now, port_.next(earliest, 4), at, 4, false);
  port_.took(granted, 4);
  std::uint32_t index = 0;
  std::memcpy(&index, scratchpad.bytes().data() + at, sizeof index);
  if (index >= i.table_rows) {
    throw SimulationError(
        fmt::format("the machine stopped at word {}: gather: index {} of row {}, but the table has {} rows",
                    transfer.entry->record.pc, index, transfer.walk.row(), i.table_rows));
  }
  transfer.walk.set_row_address(i.dram + std::uint64_t{index} * i.dram_stride);
  return granted + scratchpad.read_latency();
}

Cycle LoadDma::land(Cycle now, const InFlight& entry, std::uint64_t offset, const memory::Burst& burst) {
  const isa::Instruction& i = entry.instruction;
  memory::Scratchpad& scratchpad = context_.local.scratchpad();
  // Without values only what the host wrote is in DRAM: the row numbers of gathers are among it.
  const bool filled = context_.values == Values::computed || context_.storage.written(burst.address);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): what is used of it is filled first
  std::array<std::byte, kLargestBurst> together;
  const std::byte* data = filled ? context_.storage.view(burst.address, burst.bytes) : nullptr;
  if (filled && data == nullptr) {
    context_.storage.read(burst.address, std::span(together).first(burst.bytes));
    data = together.data();
  }
  Cycle written = now;
  wait_for_port(now, port_.next(now, std::min(burst.bytes, port_bytes_)));
  const auto write = [&](std::uint32_t at, std::uint32_t done, std::uint32_t n) {
    written = scratchpad.reserve(local_port_, now, port_.next(now, n), at, n, true);
    port_.took(written, n);
    if (filled) std::memcpy(scratchpad.bytes().data() + at, data + done, n);
  };
  // Rows that follow each other in the scratchpad as well are written together.
  const bool contiguous = i.dst_stride == i.cols;
  for (std::uint32_t done = 0; done < burst.bytes;) {
    const std::uint64_t at = offset + done;
    if (contiguous) {
      const std::uint32_t n = std::min(burst.bytes - done, port_bytes_);
      write(i.dst.byte() + static_cast<std::uint32_t>(at), done, n);
      done += n;
      continue;
    }
    const auto row = static_cast<std::uint32_t>(at / i.cols),
               in_row = static_cast<std::uint32_t>(at % i.cols);
    const std::uint32_t n = std::min({burst.bytes - done, i.cols - in_row, port_bytes_});
    write(i.dst.byte() + row * i.dst_stride + in_row, done, n);
    done += n;
  }
  return written + 1;
}

}  // namespace tokencycle::machine
