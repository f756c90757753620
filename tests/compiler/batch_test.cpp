// SPDX-License-Identifier: Apache-2.0
// Is a batch that is too small for its prompt found, and is the scratchpad that would do the smallest that
// does?
#include <catch2/catch.hpp>

#include "compiler/passes/batch.h"
#include "session.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using compiler::Compiler;

namespace {

config::Machine machine_of(std::uint32_t kib) {
  config::Machine machine = test::make_machine({8, 8, kib, 64});
  machine.dram.channel_gb_per_s =
      1;  // q8_0: 34 cycles for 32 weights, which 64 cells multiply in half a cycle
  machine.dram.channels = 1;
  machine.clock_ghz = 1;
  return machine;
}

}  // namespace

TEST_CASE("a batch is useful up to where multiplying takes as long as reading the weights") {
  const auto model = test::make_synthetic_model({.context = 128, .matrices = Format::q8_0});
  config::Machine machine = machine_of(64);
  // 34 bytes a block at a byte a cycle, 32 products in 64 cells at 1 cycle a row: 34 / 0.5.
  machine.matrix.cycles_per_row[static_cast<std::size_t>(MultiplyType::int8)] = 1;
  CHECK(compiler::useful_batch(model->graph(), machine) == 68);
  machine.dram.channels = 4;
  CHECK(compiler::useful_batch(model->graph(), machine) == 17);
  machine.matrix.cycles_per_row[static_cast<std::size_t>(MultiplyType::int8)] = 2;
  CHECK(compiler::useful_batch(model->graph(), machine) == 9);
}

TEST_CASE("the scratchpad that would do is the smallest that holds the batch") {
  const auto model = test::make_synthetic_model({.context = 128, .matrices = Format::q8_0});
  const std::uint32_t kib = GENERATE(64, 80, 96, 128);
  const std::uint32_t prompt = GENERATE(20, 60, 128);
  INFO(kib << " KiB, " << prompt << " tokens");
  const Compiler small(*model, machine_of(kib), {});
  const auto batch = small.small_batch(prompt);
  const std::uint32_t useful = std::min(prompt, compiler::useful_batch(model->graph(), machine_of(kib)));
  REQUIRE(batch.has_value() == (small.batch_limit() < useful));
  if (!batch) return;
  CHECK(batch->tokens == small.batch_limit());
  CHECK(batch->useful == useful);
  REQUIRE(batch->scratchpad_kib > kib);
  CHECK(Compiler(*model, machine_of(batch->scratchpad_kib), {}).batch_limit() >= useful);
  CHECK_FALSE(Compiler(*model, machine_of(batch->scratchpad_kib), {}).small_batch(prompt));
  const config::Machine less = machine_of(batch->scratchpad_kib - 1);
  CHECK(Compiler(*model, less, {}).batch_limit() < useful);
}

TEST_CASE("a batch that was asked for, or that something else limits, is not the scratchpad's") {
  const auto model = test::make_synthetic_model({.context = 128, .matrices = Format::q8_0});
  CHECK(Compiler(*model, machine_of(64), {Format::f16, 0, 0}).small_batch(128));
  CHECK_FALSE(Compiler(*model, machine_of(64), {Format::f16, 0, 2}).small_batch(128));
  config::Machine narrow = machine_of(64);
  narrow.accumulator.capacity_bytes = 1024;  // half of it: sums of a few rows
  const auto batch = Compiler(*model, narrow, {}).small_batch(128);
  REQUIRE(batch);
  CHECK(batch->scratchpad_kib == 0);
}
