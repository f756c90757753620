// SPDX-License-Identifier: Apache-2.0
// Are products right on whole machines? Every machine of configs/, dataflow and type; arrays and memories of
// any size; and a wrong value is found.
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "host/gemm/gemm.h"
#include "host/gemm/values.h"
#include "numerics/blocks.h"
#include "support/configs.h"

using namespace tokencycle;
using host::GemmOptions;
using host::GemmReport;
using host::GemmShape;
using host::GemmType;
using host::GemmValues;

namespace {

// Each cycle of a run has one cause, the matrix unit one state, and no array does more than it can.
void check_accounts(const config::Machine& machine, const GemmReport& report) {
  REQUIRE(report.run);
  std::uint64_t stack = 0, states = 0;
  for (const std::uint64_t cycles : report.run->stack) stack += cycles;
  for (const std::uint64_t cycles : report.run->matrix) states += cycles;
  CHECK(stack == report.run->cycles);
  CHECK(states == report.run->cycles);
  // A program's tiles come in from the side, in as many cycles as the array has columns, not rows.
  if (machine.matrix.rows <= machine.matrix.columns) CHECK(report.run->cycles >= report.array.cycles);
  CHECK(report.utilisation_percent(machine, report.array.cycles) <= 100.0);
  CHECK(report.mapping_percent(machine) <= 100.0);
}

using Random = std::mt19937;
std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

config::Machine random_machine(Random& random, const config::Machine& base) {
  config::Machine m = base;
  static constexpr std::uint32_t kSides[] = {1, 2, 3, 5, 8, 16, 31, 32, 33, 64, 70};
  m.matrix.rows = kSides[number(random, 0, std::size(kSides) - 1)];
  m.matrix.columns = kSides[number(random, 0, std::size(kSides) - 1)];
  m.matrix.dataflow = static_cast<config::Dataflow>(number(random, 0, config::kDataflows - 1));
  m.matrix.double_buffered = number(random, 0, 3) != 0;
  m.matrix.back_to_back = number(random, 0, 3) != 0;
  m.matrix.group_buffer_rows = number(random, 1, 20);
  if (number(random, 0, 3) == 0) {
    m.matrix.tiling = {number(random, 0, 30), number(random, 0, 30), 32 * number(random, 0, 2)};
  }
  m.dispatch.queue_depth = number(random, 1, 8);
  m.scoreboard.entries = number(random, 1, 16);
  m.scratchpad.capacity_bytes = 16 * 1024 * number(random, 1, 4);
  m.accumulator.capacity_bytes = 1024 * number(random, 1, 8);
  return config::parse_machine(config::to_json(m), "random machine", TOKENCYCLE_SOURCE_DIR "/configs");
}

GemmShape random_shape(Random& random, const GemmType& type) {
  const auto side = [&] { return number(random, 1, number(random, 0, 2) == 0 ? 8 : 100); };
  GemmShape shape{side(), side(), side()};
  if (is_scaled(type.w)) shape.k = kPlainGroup * number(random, 1, 4);
  return shape;
}

}  // namespace

TEST_CASE("every machine multiplies every type in every dataflow as the reference does") {
  for (config::Machine machine : test::one_core_machines()) {
    for (int d = 0; d < config::kDataflows; ++d) {
      machine.matrix.dataflow = static_cast<config::Dataflow>(d);
      machine.matrix.group_buffer_rows = std::max(machine.matrix.group_buffer_rows, 1u);
      for (const GemmType& type : host::kGemmTypes) {
        for (const GemmShape& shape : {GemmShape{37, 41, 64}, GemmShape{1, 70, 96}, GemmShape{65, 3, 32}}) {
          CAPTURE(machine.name, config::name_of(machine.matrix.dataflow), type.name, shape.m, shape.n,
                  shape.k);
          GemmOptions options;
          options.type = type;
          const GemmReport report = host::run_gemm(machine, {"", shape}, options);
          CHECK(report.run->checked == std::uint64_t{shape.m} * shape.n);
          check_accounts(machine, report);
        }
      }
    }
  }
}

TEST_CASE("products are right on arrays and memories of any size, and take the same cycles without values") {
  Random random(11);
  const config::Machine tiny = config::read_machine(TOKENCYCLE_SOURCE_DIR "/configs/tiny.json");
  int ran = 0;
  for (int i = 0; i < 60; ++i) {
    const config::Machine machine = random_machine(random, tiny);
    GemmOptions options;
    options.type = host::kGemmTypes[number(random, 0, host::kGemmTypes.size() - 1)];
    options.seed = static_cast<std::uint64_t>(i);
    const GemmShape shape = random_shape(random, options.type);
    CAPTURE(config::to_json(machine), options.type.name, shape.m, shape.n, shape.k);
    try {
      const GemmReport report = host::run_gemm(machine, {"", shape}, options);
      check_accounts(machine, report);
      options.timing_only = true;
      const GemmReport timed = host::run_gemm(machine, {"", shape}, options);
      CHECK(timed.run->cycles == report.run->cycles);
      CHECK(timed.run->matrix == report.run->matrix);
      CHECK(timed.run->checked == 0);
      ++ran;
    } catch (const ConfigurationError& refused) {  // the smallest tiles of some need more, i4 two rows
      const bool thin = options.type.w == Format::i4 && machine.matrix.rows == 1;
      CHECK_THAT(refused.what(), Catch::Contains(thin ? "/matrix/rows" : "KiB"));
    }
  }
  CHECK(ran > 45);
}

TEST_CASE("the smallest scratchpad that a refusal names is enough") {
  Random random(12);
  const config::Machine edge = config::read_machine(TOKENCYCLE_SOURCE_DIR "/configs/edge.json");
  for (int i = 0; i < 40; ++i) {
    config::Machine machine = random_machine(random, edge);
    machine.matrix.rows = machine.matrix.columns = 256;
    machine.accumulator.capacity_bytes = 64 * 1024;
    const GemmType type = host::kGemmTypes[number(random, 0, host::kGemmTypes.size() - 1)];
    const GemmShape shape{300, 300, 320};
    machine.scratchpad.capacity_bytes = 1024;
    std::string message;
    try {
      host::Product(machine, type, shape);
    } catch (const ConfigurationError& refused) {
      message = refused.what();
    }
    CAPTURE(message, type.name, config::to_json(machine));
    const std::size_t at = message.find("at least ");
    if (message.empty()) continue;
    REQUIRE(at != std::string::npos);
    const auto least = static_cast<std::uint32_t>(std::stoul(message.substr(at + 9)));
    machine.scratchpad.capacity_bytes = least * 1024;
    CHECK_NOTHROW(host::Product(machine, type, shape));
    machine.scratchpad.capacity_bytes = (least - 1) * 1024;
    CHECK_THROWS_AS(host::Product(machine, type, shape), ConfigurationError);
  }
}

namespace {

// One element as a number.
double element(const host::GemmOperand& operand, std::uint32_t row, std::uint32_t k) {
  if (operand.format == Format::i8) return static_cast<std::int8_t>(operand.row(row)[k]);
  if (operand.format == Format::i4) {
    const int pair = std::to_integer<int>(operand.row(row)[k / 2]);
    return static_cast<std::int8_t>((k % 2 == 0 ? pair << 4 : pair) & 0xF0) / 16;
  }
  std::vector<float> all(operand.k);
  decode_row(operand.format, {operand.row(row), row_bytes(operand.format, operand.k)}, 0, all);
  return all[k];
}

}  // namespace

TEST_CASE("the reference of a product is the sum of its products") {
  for (const GemmType& type : host::kGemmTypes) {
    const GemmShape shape{3, 5, 64};
    GemmValues values(type, shape, 7);
    for (std::uint32_t m = 0; m < shape.m; ++m) {
      const std::vector<std::uint32_t> row = values.expected_row(m);
      for (std::uint32_t n = 0; n < shape.n; ++n) {
        CAPTURE(type.name, m, n);
        double sum = 0, size = 0;
        for (std::uint32_t k = 0; k < shape.k; ++k) {
          const double product = element(values.x(), m, k) * element(values.w(), n, k);
          sum += product;
          size += std::abs(product);
        }
        CHECK(size > 0);
        if (type.integer_sums()) {
          CHECK(static_cast<std::int32_t>(row[n]) == static_cast<std::int32_t>(sum));
        } else {
          CHECK(std::abs(std::bit_cast<float>(row[n]) - sum) <= 1e-5 * size);  // 64 roundings of 2^-24
        }
      }
    }
  }
}

TEST_CASE("other seeds are other operands, the same seed the same") {
  const GemmShape shape{4, 4, 32};
  const GemmValues a(host::kGemmTypes[0], shape, 1), b(host::kGemmTypes[0], shape, 1),
      c(host::kGemmTypes[0], shape, 2);
  CHECK(a.x().bytes == b.x().bytes);
  CHECK(a.w().bytes == b.w().bytes);
  CHECK(a.x().bytes != c.x().bytes);
  CHECK(a.x().bytes != a.w().bytes);
}

TEST_CASE("a wrong sum is named with its place and both values") {
  const GemmShape shape{5, 6, 32};
  for (const GemmType& type : host::kGemmTypes) {
    GemmValues values(type, shape, 3);
    memory::DramStorage dram(1 << 20);
    std::vector<std::uint32_t> all;
    for (std::uint32_t m = 0; m < shape.m; ++m) {
      const std::vector<std::uint32_t> row = values.expected_row(m);
      all.insert(all.end(), row.begin(), row.end());
    }
    dram.write(DramAddress(64), std::as_bytes(std::span(all)));
    CHECK_NOTHROW(values.check(dram, DramAddress(64)));
    all[3 * shape.n + 4] ^= 1;  // the last bit of one sum
    dram.write(DramAddress(64), std::as_bytes(std::span(all)));
    CHECK_THROWS_AS(values.check(dram, DramAddress(64)), CheckError);
    CHECK_THROWS_WITH(values.check(dram, DramAddress(64)),
                      Catch::Contains("Y[3][4]") && Catch::Contains("reference"));
  }
}

TEST_CASE("a product computed without hazard checks is found wrong") {
  const config::Machine machine = config::read_machine(TOKENCYCLE_SOURCE_DIR "/configs/tiny.json");
  const GemmShape shape{40, 40, 64};
  const GemmType& type = host::kGemmTypes[0];
  const host::Product product(machine, type, shape);
  const compiler::DramLayout& layout = product.layout();
  const std::vector<isa::Word> words = product.compile().program.words;
  for (const bool ignore : {false, true}) {
    GemmValues values(type, shape, 0);
    machine::Accelerator accelerator(machine, machine::Clocking::gated);
    if (ignore) accelerator.ignore_hazards();
    values.place(layout, accelerator.dram());
    accelerator.dram().write(layout.program, std::as_bytes(std::span(words)));
    accelerator.execute(layout.program, static_cast<std::uint32_t>(words.size()));
    if (ignore) {
      CHECK_THROWS_AS(values.check(accelerator.dram(), layout.logits), CheckError);
    } else {
      CHECK_NOTHROW(values.check(accelerator.dram(), layout.logits));
    }
  }
}
