// SPDX-License-Identifier: Apache-2.0
// Is it the right number? Compiled programs give the reference's bits on machines of every shape.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "compiler/passes/plan.h"
#include "session.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using test::CompilerSession;
using test::MachineShape;
using test::SyntheticModel;

namespace {

std::vector<std::uint32_t> random_tokens(std::size_t count, std::uint32_t vocabulary, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint32_t> tokens(count);
  for (std::uint32_t& t : tokens) t = static_cast<std::uint32_t>(random() % vocabulary);
  return tokens;
}

Format named(const char* name) {
  Format format{};
  REQUIRE(format_from_name(name, format));
  return format;
}

// A prompt in steps as large as the machine holds, then single tokens.
void check(const model::LlamaModel& model, const MachineShape& shape, std::uint32_t prompt,
           std::uint32_t generated, const compiler::Options& options = {}) {
  INFO(test::to_string(shape));
  CompilerSession session(model, test::make_machine(shape), options);
  const auto tokens = random_tokens(prompt + generated, model.shape().vocabulary, shape.rows + shape.columns);
  const std::uint32_t batch = session.compiler().batch_limit();
  INFO("batch " << batch);
  for (std::uint32_t at = 0; at < prompt;) {
    const std::uint32_t count = std::min(batch, prompt - at);
    REQUIRE(session.step({tokens.data() + at, count}, at % 2 == 0, true) == "");
    at += count;
  }
  for (std::uint32_t at = prompt; at < prompt + generated; ++at) {
    REQUIRE(session.step({tokens.data() + at, 1}) == "");
  }
}

}  // namespace

TEST_CASE("a decode step on an edge-like machine gives the reference's bits") {
  const auto model = test::make_synthetic_model({});
  check(*model, {32, 32, 512, 128}, 0, 3);
}

TEST_CASE("every array shape gives the reference's bits, in prefill batches and single tokens") {
  const auto model = test::make_synthetic_model({.width = 64, .heads = 4, .kv_heads = 2, .feed_forward = 96});
  const MachineShape shape =
      GENERATE(MachineShape{1, 1, 64, 16}, MachineShape{3, 5, 64, 16}, MachineShape{4, 4, 256, 64},
               MachineShape{8, 8, 128, 16}, MachineShape{16, 16, 512, 128}, MachineShape{33, 7, 256, 16},
               MachineShape{32, 32, 256, 64}, MachineShape{48, 20, 256, 32}, MachineShape{64, 16, 128, 16},
               MachineShape{256, 256, 1024, 256});
  check(*model, shape, 41, 3);
}

TEST_CASE("split rotary pairs, linear scaling and frequency factors") {
  const auto file = test::write_synthetic_model(
      {.head_dim = 20, .rope_dims = 12, .rope_scale = 4.0f, .rope_factors = true});
  const model::LlamaModel model(model::GgufFile(file.path()), model::RopePairs::split);
  check(model, {16, 16, 128, 16}, 20, 2);
}

// The keys' rows are encoded otherwise than the queries', whose results come first and may take the rows'
// place.
TEST_CASE("weights of one layer in different formats") {
  test::GgufWriter writer = test::synthetic_gguf({.kv_heads = 1, .matrices = Format::q8_0});
  std::vector<float> values(16 * 64);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i * 37 % 101) / 400.0f - 0.125f;
  const Format format = GENERATE(Format::f16, Format::bf16, Format::f32);
  for (const char* name : {"blk.0.attn_k.weight", "blk.1.attn_v.weight"}) {
    REQUIRE(writer.remove_tensor(name));
    writer.tensor(name, {64, 16}, format, values);
  }
  const test::TemporaryFile file(writer.bytes());
  check(model::LlamaModel(model::GgufFile(file.path())), {16, 16, 128, 16}, 20, 2);
}

TEST_CASE("a step before the last of a prompt leaves the head out") {
  const auto model = test::make_synthetic_model({});
  CompilerSession session(*model, test::make_machine({16, 16, 256, 64}));
  const auto tokens = random_tokens(20, 300, 1);
  REQUIRE(session.step({tokens.data(), 12}, false, false) == "");
  const auto& program = session.last().program;
  for (const isa::Section& s : program.sections) CHECK(program.operators[s.operator_id].name != "output");
  REQUIRE(session.step({tokens.data() + 12, 8}) == "");
}

TEST_CASE("random models on random machines give the reference's bits") {
  const auto seed = static_cast<std::uint32_t>(GENERATE(range(0, 30)));
  std::mt19937 random(seed);
  const auto pick = [&random](auto... values) {
    const std::common_type_t<decltype(values)...> all[] = {values...};
    return all[random() % sizeof...(values)];
  };
  SyntheticModel m;
  m.layers = pick(1u, 2u, 3u);
  const std::uint32_t group = pick(1u, 2u, 4u, 8u);
  m.kv_heads = pick(1u, 2u, 3u);
  m.heads = m.kv_heads * group;
  m.head_dim = pick(8u, 16u, 18u, 32u, 40u);
  m.rope_dims = pick(0u, 8u, 4u);
  m.width = pick(32u, 64u, 96u, 160u);
  m.feed_forward = pick(32u, 86u, 96u, 172u, 224u);
  m.vocabulary = pick(259u, 300u, 333u);
  m.context = pick(32u, 77u, 128u);
  m.matrices = pick(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  m.norms = pick(Format::f32, Format::f32, Format::f16);
  m.tied = pick(true, false);
  m.seed = seed;
  m.tokenizer = test::SyntheticTokenizer::none;
  MachineShape s;
  s.rows = pick(1u, 3u, 4u, 8u, 16u, 31u, 32u, 33u, 48u, 64u, 100u, 128u);
  s.columns = pick(1u, 5u, 7u, 8u, 16u, 20u, 32u, 64u);
  s.scratchpad_kib = pick(32u, 48u, 64u, 96u, 128u, 256u, 1024u);
  s.accumulator_kib = pick(1u, 2u, 4u, 16u, 64u, 256u);
  s.group_buffer_rows = pick(1u, 4u, 16u, 64u);
  s.queue_depth = pick(1u, 2u, 8u, 16u);
  compiler::Options options;
  options.kv_format = pick(Format::f16, Format::f16, Format::f32);
  if (m.head_dim == 32) {  // a block
    options.kv_format = pick(Format::q8_0, Format::q4_0, named("f8_e4m3"), named("f8_e5m2"));
    s.accumulator_kib = std::max(s.accumulator_kib, 4u);
  }
  INFO("seed " << seed);
  const auto model = test::make_synthetic_model(m);
  if (pick(true, false)) {  // hardly more than the least
    const auto demands = compiler::demands_of(model->graph(), compiler::fuse(model->graph(), options.fusions),
                                              test::make_machine(s), options.kv_format);
    const std::uint64_t least = compiler::smallest_scratchpad(demands, m.context);
    s.scratchpad_kib = static_cast<std::uint32_t>(ceil_div(least, 1024)) + pick(0u, 1u, 2u, 5u, 11u);
  }
  check(*model, s, std::min(m.context / 2, 40u), 3, options);
}
