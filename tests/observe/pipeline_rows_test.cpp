// SPDX-License-Identifier: Apache-2.0
// Rows of one token's instructions: the right token, the first ones, in order of decoding?
#include "observe/analysis/pipeline_rows.h"

#include <catch2/catch.hpp>

#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

struct Recorded {
  PipelineRows rows;
  std::vector<InstructionRecord> all;                  // of the run, by sequence
  std::vector<std::pair<std::uint64_t, Cycle>> steps;  // instructions before each, start
  Cycle end;
};

// A prompt in two steps, then tokens 1 to `last`, of 60 instructions and a halt each.
Recorded record(std::uint32_t wanted, std::uint32_t most, std::uint32_t last) {
  struct Collector : Observer {
    void on_event(const Event&) override {}
    void on_retired(const InstructionRecord& r) override {
      if (all.size() <= r.sequence) all.resize(r.sequence + 1);
      all[r.sequence] = r;
    }
    std::vector<InstructionRecord> all;
  };
  Recorded result{PipelineRows(wanted, most), {}, {}, {}};
  Collector collector;
  EventHub hub;
  hub.subscribe(result.rows);
  hub.subscribe(collector);
  SyntheticRun run(7);
  for (std::uint32_t step = 0; step < last + 2; ++step) {
    const std::uint32_t token = step == 0 ? 0 : step - 1;
    result.steps.emplace_back(collector.all.size(), run.now());
    result.rows.begin_step(run.step_info(token));
    result.end = run.step(hub, 60);
    result.rows.end_step(result.end);
  }
  result.all = collector.all;
  return result;
}

}  // namespace

TEST_CASE("the rows of a token are its first instructions in order of decoding") {
  const Recorded r = record(2, 40, 4);
  const auto [first, start] = r.steps[3];  // token 2
  REQUIRE(r.rows.any());
  CHECK(r.rows.token() == 2);
  CHECK(r.rows.start() == start);
  CHECK(r.rows.end() == r.steps[4].second);
  CHECK(r.rows.instructions() == 61);
  CHECK(r.rows.operators().size() == 4);
  const auto rows = r.rows.rows();
  REQUIRE(rows.size() == 40);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const InstructionRecord& expected = r.all[first + i];
    CHECK(rows[i].record.sequence == first + i);
    CHECK(rows[i].record.pc == expected.pc);
    CHECK(rows[i].record.written_back == expected.written_back);
    CHECK(rows[i].operator_index == static_cast<int>(std::min(expected.pc / 16, 3u)));
  }
}

TEST_CASE("the steps of a long prompt are one token") {
  const Recorded r = record(0, 1000, 2);
  CHECK(r.rows.token() == 0);
  CHECK(r.rows.instructions() == 122);
  CHECK(r.rows.rows().size() == 122);
  CHECK(r.rows.start() == Cycle(1));
  CHECK(r.rows.end() == r.steps[2].second);
}

TEST_CASE("a run with fewer tokens than asked for shows its last one, and no rows asked for are none") {
  const Recorded last = record(9, 1000, 2);
  CHECK(last.rows.token() == 2);
  CHECK(last.rows.end() == last.end);
  CHECK(last.rows.rows().front().record.sequence == last.steps.back().first);
  CHECK_FALSE(record(1, 0, 2).rows.any());
}
