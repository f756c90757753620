// SPDX-License-Identifier: Apache-2.0
// Is it the right number on a machine of any shape? Arrays from one cell to 256 x 256, scratchpads from the
// smallest one that the compiler accepts, small accumulators. Both clockings agree on each.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using Json = nlohmann::json;
using test::SyntheticModel;

namespace {

void check_machine(const model::LlamaModel& model, const config::Machine& machine, std::size_t prompt,
                   std::size_t generated) {
  const auto tokens = test::random_tokens(prompt + generated, model.shape().vocabulary);
  host::Inference inference(model, machine, {.compile = {}, .check = true});
  const test::Trial trial = test::evaluate(inference, tokens, prompt);
  CHECK(test::difference(trial.logits, test::evaluate(model, Format::f16, tokens)) == "");

  host::Inference every_edge(model, machine, {.compile = {}, .clocking = machine::Clocking::every_edge});
  test::evaluate(every_edge, tokens, prompt);
  CHECK(every_edge.event_digest() == inference.event_digest());
}

// Sizes of which few divide an array's.
auto uneven_model(Format format) {
  return test::make_synthetic_model({.layers = 1,
                                     .width = 96,
                                     .heads = 3,
                                     .kv_heads = 1,
                                     .feed_forward = 172,
                                     .vocabulary = 77,
                                     .matrices = format,
                                     .tokenizer = test::SyntheticTokenizer::none});
}

Json array_of(std::uint32_t rows, std::uint32_t columns, const std::string& dataflow = "weight-stationary") {
  return {{"matrix",
           {{"rows", rows},
            {"columns", columns},
            {"dataflow", dataflow},
            {"group_buffer_rows", rows < 32 ? 16 : 0}}}};
}

// The size that the refusal of a machine's scratchpad names.
std::uint32_t smallest_scratchpad(const model::LlamaModel& model, const std::string& name) {
  try {
    const compiler::Compiler refused(model, test::machine(name, {{"scratchpad", {{"capacity_kib", 1}}}}), {});
  } catch (const ConfigurationError& error) {
    const std::string message = error.what();
    const std::string before = "capacity_kib to at least ";
    const std::size_t found = message.find(before);
    REQUIRE(found != std::string::npos);
    return static_cast<std::uint32_t>(std::stoul(message.substr(found + before.size())));
  }
  FAIL("a scratchpad of 1 KiB was accepted");
  return 0;
}

}  // namespace

TEST_CASE("arrays of any shape equal the reference") {
  const auto [rows, columns] = GENERATE(table<std::uint32_t, std::uint32_t>(
      {{3, 5}, {5, 3}, {7, 33}, {16, 16}, {31, 32}, {32, 32}, {40, 8}, {64, 64}, {96, 24}, {256, 256}}));
  const Format format = GENERATE(Format::f16, Format::q8_0);
  CAPTURE(rows, columns, name_of(format));
  const auto model = uneven_model(format);
  check_machine(*model, test::machine("edge", array_of(rows, columns)), 18, 2);
}

TEST_CASE("every dataflow equals the reference on arrays of any shape") {
  const std::string dataflow = GENERATE("input-stationary", "output-stationary", "dot-product");
  const auto [rows, columns] =
      GENERATE(table<std::uint32_t, std::uint32_t>({{1, 1}, {5, 3}, {7, 33}, {32, 4}, {40, 8}, {128, 128}}));
  const Format format = GENERATE(Format::bf16, Format::q4_0);
  CAPTURE(dataflow, rows, columns, name_of(format));
  const auto model = uneven_model(format);
  check_machine(*model, test::machine("edge", array_of(rows, columns, dataflow)), 18, 2);
}

TEST_CASE("a forced tiling changes no value, on every dataflow") {
  const std::string dataflow =
      GENERATE("weight-stationary", "input-stationary", "output-stationary", "dot-product");
  const auto model = test::make_synthetic_model({.layers = 1, .feed_forward = 172, .matrices = Format::q8_0});
  const auto machine = [&](const Json& tiling) {
    Json changes = array_of(64, 16, dataflow);
    changes["matrix"]["tiling"] = tiling;
    changes["matrix"]["group_buffer_rows"] = 24;
    return test::machine("edge", changes);
  };
  const auto cycles = [&](const config::Machine& m) {
    host::Inference inference(*model, m, {});
    return test::evaluate(inference, test::random_tokens(9, model->shape().vocabulary), 8).cycles();
  };
  const std::uint64_t free = cycles(machine(Json::object()));
  for (const Json& tiling :
       {Json{{"k", 32}}, Json{{"m", 3}}, Json{{"n", 5}}, Json{{"m", 2}, {"n", 9}, {"k", 32}}}) {
    CAPTURE(dataflow, tiling.dump());
    check_machine(*model, machine(tiling), 8, 1);
    CHECK(cycles(machine(tiling)) != free);
  }
  if (dataflow != "output-stationary") check_machine(*model, machine({{"k", 12}}), 8, 1);
}

TEST_CASE("an array of one cell equals the reference") {
  const Format format = GENERATE(Format::f32, Format::q4_0);
  const auto model = test::make_synthetic_model({.layers = 1,
                                                 .width = 32,
                                                 .heads = 2,
                                                 .kv_heads = 1,
                                                 .feed_forward = 43,
                                                 .vocabulary = 40,
                                                 .matrices = format,
                                                 .tokenizer = test::SyntheticTokenizer::none});
  check_machine(*model, test::machine("edge", array_of(1, 1)), 5, 2);
}

TEST_CASE("the smallest scratchpad works, and one KiB less is refused with the size that does") {
  const Format format = GENERATE(Format::f32, Format::q8_0);
  const std::string name = GENERATE("tiny", "edge", "gemmini");
  CAPTURE(name_of(format), name);
  const auto model = test::make_synthetic_model({.feed_forward = 172, .context = 300, .matrices = format});
  const std::uint32_t smallest = smallest_scratchpad(*model, name);
  CAPTURE(smallest);
  REQUIRE(smallest > 1);
  const auto with = [&name](std::uint32_t kib) {
    return test::machine(name, {{"scratchpad", {{"capacity_kib", kib}}}});
  };
  CHECK_THROWS_WITH(compiler::Compiler(*model, with(smallest - 1), {}),
                    Catch::Contains("at least " + std::to_string(smallest)));
  check_machine(*model, with(smallest), 7, 2);
  for (const std::uint32_t kib : {smallest + 1, 2048u}) {
    CAPTURE(kib);
    check_machine(*model, with(kib), 7, 1);
  }
}

TEST_CASE("accumulators from the smallest on equal the reference") {
  const std::uint32_t kib = GENERATE(1, 2, 3, 8);
  CAPTURE(kib);
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = Format::q8_0});
  check_machine(*model, test::machine("gemmini", {{"accumulator", {{"capacity_kib", kib}}}}), 40, 2);
}

TEST_CASE("the least of everything: single entries, narrow ports, one lane, one request") {
  const Json least = {
      {"fetch", {{"buffer_words", 4}, {"requests_in_flight", 1}}},
      {"scoreboard", {{"entries", 1}}},
      {"dispatch", {{"queue_depth", 1}}},
      {"dma", {{"load_bursts_in_flight", 1}, {"store_bursts_in_flight", 1}, {"port_bytes", 4}}},
      {"matrix", {{"double_buffered", false}, {"back_to_back", false}, {"stationary_port_bytes", 4}}},
      {"vector", {{"lanes", 1}}},
      {"scratchpad", {{"banks", 1}, {"bank_bytes", 8}, {"capacity_kib", 64}}},
      {"writeback", {{"ports", 1}}},
      {"dram",
       {{"requests_in_flight", 1},
        {"system",
         {{"channels", 1},
          {"mapping", nullptr},
          {"read_queue", 1},
          {"write_queue", 1},
          {"activated_queue", 1}}}}}};
  Json narrow = least;
  narrow["matrix"]["moving_port_bytes"] = 4;
  const auto model = test::make_synthetic_model({.layers = 1, .matrices = Format::q8_0});
  check_machine(*model, test::machine("edge", narrow), 5, 2);
}
