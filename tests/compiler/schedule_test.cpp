// SPDX-License-Identifier: Apache-2.0
// Where the loads of the ring go, on drafts made by hand and on a compiled step.
#include <catch2/catch.hpp>

#include "compiler/emit/load_schedule.h"
#include "session.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using compiler::Chunk;
using compiler::Draft;

namespace {

// `count` words, each executed once; the words are told apart by the value that they set.
Draft plain_words(std::uint32_t count) {
  Draft d;
  for (std::uint32_t i = 0; i < count; ++i) {
    isa::Instruction word;
    word.op = isa::Opcode::set_address;
    word.reg = 1;
    word.value = i;
    d.words.push_back(isa::encode(word));
    d.operator_ids.push_back(i < count / 2 ? 0 : 1);
    d.executed.push_back(i);
    d.breakable.push_back(true);
  }
  return d;
}

void add_chunk(Draft& d, std::uint32_t begin, std::uint32_t end, std::uint32_t acquired,
               std::uint32_t released) {
  isa::Instruction load;
  load.op = isa::Opcode::load;
  load.dst = isa::LocalAddress::scratchpad(begin);
  load.rows = 1;
  load.cols = end - begin;
  Chunk chunk{begin, end, acquired, released, 0, 1, true, isa::encode(load)};
  d.chunks.push_back(chunk);
}

// Program order: the number of a word, or -1 for a load.
std::vector<int> order(const compiler::CompiledStep& step) {
  std::vector<int> result;
  for (const isa::Word& word : step.program.words) {
    const isa::Instruction i = isa::decode(word);
    result.push_back(i.op == isa::Opcode::load ? -1 : static_cast<int>(i.value));
  }
  return result;
}

std::vector<int> scheduled(const Draft& d, std::uint32_t ahead, std::uint32_t lag) {
  compiler::CompiledStep step;
  compiler::schedule_loads(d, {ahead, lag}, step);
  return order(step);
}

}  // namespace

TEST_CASE("loads into free bytes go to the front, as many as the queue holds") {
  Draft d = plain_words(6);
  add_chunk(d, 0, 64, 1, 2);
  add_chunk(d, 64, 128, 3, 4);
  add_chunk(d, 128, 192, 5, 6);
  CHECK(scheduled(d, 8, 2) == std::vector<int>{-1, -1, -1, 0, 1, 2, 3, 4, 5});
  CHECK(scheduled(d, 2, 2) == std::vector<int>{-1, -1, 0, -1, 1, 2, 3, 4, 5});
  CHECK(scheduled(d, 1, 2) == std::vector<int>{-1, 0, -1, 1, 2, -1, 3, 4, 5});
  for (Chunk& chunk : d.chunks) chunk.earliest = 1;
  CHECK(scheduled(d, 8, 2) == std::vector<int>{0, -1, -1, -1, 1, 2, 3, 4, 5});
}

TEST_CASE("a load over another chunk waits for its last reader, and a little longer where there is time") {
  Draft d = plain_words(8);
  add_chunk(d, 0, 64, 0, 2);
  add_chunk(d, 32, 96, 7, 8);
  CHECK(scheduled(d, 8, 0) == std::vector<int>{-1, 0, 1, -1, 2, 3, 4, 5, 6, 7});
  CHECK(scheduled(d, 8, 3) == std::vector<int>{-1, 0, 1, 2, 3, 4, -1, 5, 6, 7});
  // Later than its reader would be too late: at once, then.
  CHECK(scheduled(d, 8, 5) == std::vector<int>{-1, 0, 1, -1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("no load stands within a loop, and none overtakes another") {
  Draft d = plain_words(8);
  for (std::size_t w : {3, 4, 5}) d.breakable[w] = false;
  add_chunk(d, 0, 64, 0, 2);
  add_chunk(d, 0, 64, 7, 8);
  add_chunk(d, 64, 128, 7, 8);
  CHECK(scheduled(d, 8, 2) == std::vector<int>{-1, 0, 1, 2, 3, 4, 5, -1, -1, 6, 7});
}

TEST_CASE("taps and sections follow their words") {
  Draft d = plain_words(4);
  add_chunk(d, 0, 64, 2, 3);
  d.taps.push_back({1, 3, 1, {}, 4, 0, 1, 1});
  compiler::CompiledStep step;
  compiler::schedule_loads(d, {8, 2}, step);
  REQUIRE(step.taps.size() == 1);
  CHECK(step.taps[0].from == 2);
  CHECK(step.taps[0].after == 4);
  CHECK(step.program.sections == std::vector<isa::Section>{{0, 1, 1}, {1, 2, 0}, {3, 2, 1}});
}

TEST_CASE("a compiled step keeps the load queue full from its first words on and ends with fence and halt") {
  const auto model = test::make_synthetic_model({});
  const compiler::Compiler compiler(*model, test::make_machine({32, 32, 512, 128}), {});
  const auto step = compiler.compile(compiler::one_sequence(50, 1));
  const auto opcode = [&](std::size_t word) { return isa::decode(step.program.words[word]).op; };
  CHECK(opcode(0) == isa::Opcode::load);  // token ids
  CHECK(opcode(1) == isa::Opcode::gather);
  for (std::size_t w = 2; w < 10; ++w) CHECK(opcode(w) == isa::Opcode::load);
  const std::size_t words = step.program.words.size();
  CHECK(opcode(words - 2) == isa::Opcode::fence);
  CHECK(opcode(words - 1) == isa::Opcode::halt);
  // Sections are ascending and disjoint, and cover all but the last two words.
  std::uint32_t at = 0;
  for (const isa::Section& s : step.program.sections) {
    CHECK(s.first == at);
    at = s.first + s.count;
  }
  CHECK(at == words - 2);
  CHECK(compiler.compile(compiler::one_sequence(50, 1)).program == step.program);
}
