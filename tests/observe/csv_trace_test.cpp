// SPDX-License-Identifier: Apache-2.0
// Traces as tables: are the rows what was counted?
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

using Row = std::vector<std::string>;

// Fields in quotes are taken apart as RFC 4180 says.
Row fields_of(const std::string& line) {
  Row row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        row.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      row.emplace_back();
    } else {
      row.back() += line[i];
    }
  }
  return row;
}

std::vector<Row> read_csv(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE(in);
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) rows.push_back(fields_of(line));
  return rows;
}

struct Table {
  std::vector<Row> rows;
  TraceSummary summary;
};

TraceOptions options_for(const std::filesystem::path& path, const std::string& window = "") {
  TraceOptions options;
  options.path = path;
  if (!window.empty()) options.window = TraceWindow::parse(window);
  return options;
}

Table trace(TraceRun& run, const std::string& name, const std::string& window = "",
            const std::string& cut = "", std::uint64_t cap = 1 << 20) {
  const TemporaryFolder folder;
  TraceOptions options = options_for(folder / name, window);
  options.max_bytes = cap;
  const auto writer = make_csv_trace(options);
  run.add(*writer);
  run.tokens(3);
  run.close(cut);
  return {read_csv(options.path), writer->summary()};
}

}  // namespace

TEST_CASE("a token's row has its cycles and their causes, which sum to them") {
  TraceRun run;
  const auto [rows, summary] = trace(run, "a.tokens.csv");
  REQUIRE(rows.size() == 5);
  REQUIRE(rows[0].size() == 6 + kCauses);
  CHECK(Row(rows[0].begin(), rows[0].begin() + 7) ==
        Row{"index", "phase", "tokens", "start", "end", "cycles", "matrix"});
  CHECK(rows[0].back() == "dependency");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const StepCounts& step = run.steps[i];
    const std::uint64_t prompt = i == 1 ? run.steps[0].cycles() : 0;  // its first step
    CHECK(rows[i][0] == std::to_string(i - 1));
    CHECK(rows[i][1] == (i == 1 ? "prefill" : "decode"));
    CHECK(rows[i][2] == (i == 1 ? "2" : "1"));
    CHECK(rows[i][4] == std::to_string(step.end.value));
    CHECK(rows[i][5] == std::to_string(step.cycles() + prompt));
    std::uint64_t causes = 0;
    for (std::size_t c = 0; c < kCauses; ++c) {
      const std::uint64_t more = i == 1 ? run.steps[0].stack[c] : 0;
      CHECK(rows[i][6 + c] == std::to_string(step.stack[c] + more));
      causes += std::stoull(rows[i][6 + c]);
    }
    CHECK(causes == std::stoull(rows[i][5]));
  }
  CHECK(summary.format == "csv");
  CHECK(summary.entries == 4);
}

TEST_CASE("operators' rows sum to their token's cycles") {
  TraceRun run;
  const auto [rows, summary] = trace(run, "a.csv");
  REQUIRE(rows.size() == 1 + 4 * 4);
  CHECK(Row(rows[0].begin(), rows[0].begin() + 12) ==
        Row{"token", "layer", "name", "cycles", "instructions", "critical", "span_cycles", "loaded_bytes",
            "stored_bytes", "multiply_accumulates", "vector_elements", "matrix"});
  REQUIRE(rows[0].size() == 11 + kCauses);
  for (std::size_t t = 0; t < 4; ++t) {
    const StepCounts& step = run.steps[t + 1];
    for (std::size_t i = 0; i < 4; ++i) {
      OperatorUse use = step.operators[i];
      if (t == 0) use.add(run.steps[0].operators[i]);
      const isa::OperatorName& name = run.synthetic.program().operators[i];
      const std::optional<Cause> critical = largest(use.stack);
      Row expected = {std::to_string(t),
                      name.layer < 0 ? "" : std::to_string(name.layer),
                      name.name,
                      std::to_string(use.cycles),
                      std::to_string(use.instructions),
                      critical ? std::string(name_of(*critical)) : "",
                      std::to_string(use.span_cycles),
                      std::to_string(use.work.loaded_bytes),
                      std::to_string(use.work.stored_bytes),
                      std::to_string(use.work.multiply_accumulates),
                      std::to_string(use.work.vector_elements)};
      for (const std::uint64_t cycles : use.stack) expected.push_back(std::to_string(cycles));
      CHECK(rows[1 + 4 * t + i] == expected);
    }
  }
  CHECK(summary.entries == 16);
  TraceRun again;
  CHECK(trace(again, "b.operators.csv").rows == rows);
}

TEST_CASE("instructions' rows sum to their operators' rows, cause by cause, and are in order of decoding") {
  TraceRun by_instruction, by_operator;
  const auto [rows, summary] = trace(by_instruction, "a.instructions.csv");
  const auto operators = trace(by_operator, "a.operators.csv").rows;
  CHECK(Row(rows[0].begin(), rows[0].begin() + 13) == Row{"token", "layer", "operator", "word", "instruction",
                                                          "fetched", "decoded", "dispatched", "started",
                                                          "finished", "written_back", "cycles", "matrix"});
  REQUIRE(rows.size() == 1 + 5 * 101);  // a halt a step
  CHECK(summary.entries == 5 * 101);
  constexpr std::size_t kCycles = 11, kOperatorCycles = 3, kOperatorCauses = 11;
  std::map<std::pair<std::string, std::string>, std::vector<std::uint64_t>> sums;
  std::uint64_t decoded = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    REQUIRE(rows[i].size() == kCycles + 1 + kCauses);
    CHECK(std::stoull(rows[i][6]) >= decoded);
    decoded = std::stoull(rows[i][6]);
    std::vector<std::uint64_t>& sum = sums[{rows[i][0], rows[i][2]}];
    sum.resize(1 + kCauses);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += std::stoull(rows[i][kCycles + c]);
    if (rows[i][4] == "halt") CHECK((rows[i][7].empty() && rows[i][8].empty() && rows[i][9].empty()));
  }
  REQUIRE(sums.size() == operators.size() - 1);
  for (std::size_t i = 1; i < operators.size(); ++i) {
    const std::vector<std::uint64_t>& sum = sums[{operators[i][0], operators[i][2]}];
    CHECK(std::to_string(sum[0]) == operators[i][kOperatorCycles]);
    for (std::size_t c = 0; c < kCauses; ++c) {
      CHECK(std::to_string(sum[1 + c]) == operators[i][kOperatorCauses + c]);
    }
  }
}

TEST_CASE("a window of the table of instructions keeps those that it touches") {
  TraceRun whole, token, cycles, operators;
  const auto all = trace(whole, "a.instructions.csv").rows;
  const auto count_if = [&](const auto& wanted) { return std::count_if(all.begin() + 1, all.end(), wanted); };
  const auto rows_in = [](TraceRun& run, const std::string& window) {
    return static_cast<std::ptrdiff_t>(trace(run, "a.instructions.csv", window).rows.size()) - 1;
  };
  CHECK(rows_in(token, "token:2") == 101);
  const std::uint64_t at = whole.steps[2].step.start.value + 40;
  const auto in_flight =
      count_if([&](const Row& r) { return std::stoull(r[6]) < at + 20 && std::stoull(r[10]) >= at; });
  CHECK(in_flight > 0);
  CHECK(rows_in(cycles, "cycle:" + std::to_string(at) + ".." + std::to_string(at + 20)) == in_flight);
  const auto of_attention = count_if([](const Row& r) { return r[2] == "blk.0.attn"; });
  CHECK(of_attention > 0);
  CHECK(rows_in(operators, "op:*attn") ==
        of_attention + count_if([](const Row& r) { return r[2] == "blk.1.attn"; }));
}

TEST_CASE("a window of a table keeps its tokens, and of operators their rows") {
  TraceRun tokens, operators, cycles, both;
  CHECK(trace(tokens, "a.tokens.csv", "token:1..2").rows.size() == 3);
  const auto rows = trace(operators, "a.csv", "op:blk.*").rows;
  CHECK(rows.size() == 1 + 3 * 4);
  CHECK(rows[1][2] == "blk.0.attn");
  TraceRun plain;
  trace(plain, "a.csv");
  const std::uint64_t in_token_1 = plain.steps[2].step.start.value + 10;
  const std::string window = "cycle:" + std::to_string(in_token_1) + ".." + std::to_string(in_token_1 + 1);
  const auto one = trace(cycles, "a.tokens.csv", window).rows;
  REQUIRE(one.size() == 2);
  CHECK(one[1][0] == "1");
  CHECK(one[1][5] == std::to_string(plain.steps[2].cycles()));
}

TEST_CASE("a table that reaches its cap, or a run that ends early, is marked in a last line") {
  TraceRun full, cut;
  const auto [rows, summary] = trace(full, "a.tokens.csv", "", "", 800);
  CHECK(summary.bytes <= 800);
  REQUIRE(rows.size() > 2);
  CHECK(rows.back()[0].starts_with("# truncated at cycle "));
  CHECK(summary.truncated_at == full.steps[rows.size() - 2].end);
  CHECK(summary.entries == rows.size() - 2);
  CHECK(trace(cut, "a.csv", "", "interrupted at token 3").rows.back() == Row{"# interrupted at token 3"});
}

TEST_CASE("a table that is dropped in a step has the step's part and says so") {
  const TemporaryFolder folder;
  for (const char* name : {"a.tokens.csv", "a.csv"}) {
    SyntheticRun synthetic(1);
    std::uint64_t start = 0;
    {
      const auto writer = make_csv_trace(options_for(folder / name));
      EventHub hub;
      hub.subscribe(*writer);
      start = synthetic.now().value;
      writer->begin_step(synthetic.step_info(0));
      synthetic.step(hub, 100, synthetic.now() + 400);
    }
    const auto rows = read_csv(folder / name);
    CHECK(rows.back() == Row{"# interrupted"});
    if (rows[0][0] == "index") {
      CHECK(std::stoull(rows[1][4]) - start > 350);
      CHECK(std::stoull(rows[1][4]) - start <= 400);
    } else {
      std::uint64_t cycles = 0;
      for (std::size_t i = 1; i + 1 < rows.size(); ++i) cycles += std::stoull(rows[i][3]);
      CHECK(cycles > 350);
      CHECK(cycles <= 400);
      CHECK(rows[4][3] == "0");  // its last operator had not begun
    }
  }
}

TEST_CASE("names with commas and quotes survive in a table") {
  const TemporaryFolder folder;
  isa::Program program = synthetic_program(8);
  program.operators[1].name = "a,\"b\"";
  const auto writer = make_csv_trace(options_for(folder / "a.csv"));
  writer->begin_step({&program, Cycle(1), 0, 1, "program"});
  writer->end_step(Cycle(10));
  writer->close(Cycle(10), "");
  const auto rows = read_csv(folder / "a.csv");
  REQUIRE(rows.size() == 5);
  CHECK(rows[2][2] == "a,\"b\"");
  CHECK(rows[4][3] == "9");
}
