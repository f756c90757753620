// SPDX-License-Identifier: Apache-2.0
// Are wrong texts, unknown keys and impossible combinations refused, all at once and with a remedy?
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "base/error.h"
#include "config/rules.h"
#include "machine_text.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// A tree with several values changed.
Json changed(std::initializer_list<std::pair<std::string, Json>> values) {
  Json tree = complete();
  for (const auto& [path, value] : values) tree[at(path)] = value;
  return tree;
}

}  // namespace

TEST_CASE("syntax errors have line and column") {
  CHECK_THAT(errors_of_text(""), StartsWith("sample.json:1:1: this is not JSON"));
  CHECK_THAT(errors_of_text("{\"a\": 1,}"), StartsWith("sample.json:1:9: this is not JSON"));
  CHECK_THAT(errors_of_text("{\n  \"a\": 1\n  \"b\": 2\n}"), StartsWith("sample.json:3:5: this is not JSON"));
  CHECK_THAT(errors_of_text("{\"a\": 1} x"), StartsWith("sample.json:1:10: this is not JSON"));
  CHECK_THAT(errors_of_text("{\"a\": nan}"), StartsWith("sample.json:1:8: this is not JSON"));
  CHECK_THAT(errors_of_text("{\n\"a\": 1e999}"), StartsWith("sample.json:2:") && Contains("1e999"));
  CHECK_THAT(errors_of_text("{} // comment"), StartsWith("sample.json:1:4: this is not JSON"));
}

TEST_CASE("messages about ill-formed text are themselves plain ASCII and short") {
  for (const std::string& bad : {std::string("{\"a\": \"\xff\xfe\"}"), std::string("{\"a\": \"\x01\"}"),
                                 "{\"" + std::string(100000, 'k') + "\x02\": 1}", std::string("\0\0", 2),
                                 "{\"\xe2\x80\xae\": 1, \"" + std::string(5000, 'u') + "\": 2}"}) {
    const std::string message = errors_of_text(bad);
    REQUIRE_FALSE(message.empty());
    CHECK(message.size() < 20000);
    CHECK(std::all_of(message.begin(), message.end(),
                      [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
  }
}

TEST_CASE("duplicate keys are refused with their path") {
  std::string text = complete().dump();
  text.insert(text.find("\"rows\""), "\"rows\":8,");
  CHECK_THAT(errors_of_text(text), Contains("sample.json: /matrix/rows: this key is given twice"));
  text = complete().dump();
  text.insert(1, "\"dram\":{\"x\":{}},");
  CHECK_THAT(errors_of_text(text),
             Contains("/dram: this key is given twice") && Contains("/dram/x: unknown key"));
}

TEST_CASE("size and depth are bounded") {
  CHECK(errors_of_text(complete().dump() + std::string(1000, ' ')).empty());
  CHECK_THAT(errors_of_text(std::string((1 << 20) + 1, ' ')), Contains("1048577 bytes are more than"));
  CHECK_THAT(errors_of_text(std::string(1 << 20, '[')), Contains("nested deeper than 16"));
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "{\"a\":";
  CHECK_THAT(errors_of_text(deep), Contains("/a/a/a: objects nested deeper than 16"));
}

TEST_CASE("a text that is no object is refused") {
  for (const std::string text : {"[]", "3", "\"machine\"", "null", "true"}) {
    CHECK_THAT(errors_of_text(text), Contains("(whole file)") && Contains("allowed: an object"));
  }
}

TEST_CASE("unknown keys are refused with the nearest known one") {
  CHECK_THAT(errors(with("/matrix/rowz", 1)), Contains("/matrix/rowz: unknown key; did you mean \"rows\"?"));
  CHECK_THAT(errors(with("/clock_mhz", 1)), Contains("/clock_mhz: unknown key; did you mean \"clock_ghz\"?"));
  CHECK_THAT(errors(with("/scratchpad/capacity_kb", 1)), Contains("did you mean \"capacity_kib\"?"));
  CHECK_THAT(errors(with("/vector/functions/divides", 1)), Contains("did you mean \"divide\"?"));
  CHECK_THAT(errors(with("/rows", 1)), Contains("/rows: unknown key; did you mean /matrix/rows?"));
  CHECK_THAT(errors(with("/writeback/frobnicate", 1)), Contains("remove it; known here: ports"));
  CHECK_THAT(errors(with("/matrix/cycles_per_row/int88", 1)), Contains("did you mean \"int8\"?"));
  CHECK_THAT(errors(with("/a~1b~0", 1)), Contains("/a~1b~0: unknown key"));  // JSON pointer escapes
  CHECK_THAT(errors(with("/", 1)), Contains("/: unknown key"));              // the empty key
}

TEST_CASE("a section of the wrong type, or missing, is one violation") {
  CHECK_THAT(errors(with("/dram", 3)),
             StartsWith("sample.json: /dram: 3 is of type number; allowed: an object with the keys model, "));
  CHECK_THAT(errors(without("/matrix")),
             StartsWith("sample.json: /matrix: missing; add the object \"matrix\""));
  CHECK_THAT(errors(without("/vector/functions/exp")),
             StartsWith("sample.json: /vector/functions/exp: missing"));
  CHECK_THAT(errors(with("/fetch", nullptr)), StartsWith("sample.json: /fetch: null is of type null"));
}

TEST_CASE("all violations are listed, each with the source") {
  Json tree = changed({{"/matrix/rows", 0},
                       {"/matrix/colums", 8},
                       {"/dram/latency_ns", "slow"},
                       {"/vector/lanes", 64},
                       {"/clock_ghz", 11}});
  tree.erase("watchdog_cycles");
  const std::string message = errors(tree);
  CHECK_THAT(message, StartsWith("sample.json: 6 errors in this machine description:\n"));
  for (const std::string path : {"/matrix/rows", "/matrix/colums", "/dram/latency_ns", "/vector/lanes",
                                 "/clock_ghz", "/watchdog_cycles"}) {
    CHECK_THAT(message, Contains("\n  sample.json: " + path + ": "));
  }
}

TEST_CASE("a long list of violations is cut and counted") {
  Json tree = complete();
  for (int i = 0; i < 5000; ++i) tree["unknown_" + std::to_string(i)] = i;
  const std::string message = errors(tree);
  CHECK_THAT(message, StartsWith("sample.json: 5000 errors") && Contains("\n  and 4900 more"));
}

TEST_CASE("rules that join keys: refused one step beyond, allowed at the limit") {
  struct Case {
    std::string path;
    Json refused, allowed;
    std::string range;
  };
  const std::vector<Case> cases = {
      // 8 banks of 16 bytes: 128 bytes a cycle
      {"/dma/port_bytes", changed({{"/dma/port_bytes", 129}}), changed({{"/dma/port_bytes", 128}}),
       "at most 128"},
      {"/dma/bursts_per_cycle", changed({{"/dma/bursts_per_cycle", 9}}),
       changed({{"/dma/bursts_per_cycle", 8}}), "at most 8"},
      {"/matrix/stationary_port_bytes", changed({{"/matrix/stationary_port_bytes", 129}}),
       changed({{"/matrix/stationary_port_bytes", 128}}), "at most 128"},
      {"/matrix/moving_port_bytes", changed({{"/matrix/moving_port_bytes", 129}}),
       changed({{"/matrix/moving_port_bytes", 128}}), "at most 128"},
      {"/vector/lanes", changed({{"/vector/lanes", 64}}), changed({{"/vector/lanes", 32}}),
       "at most 32 lanes"},
      {"/fetch/buffer_words", changed({{"/fetch/buffer_words", 7}}), changed({{"/fetch/buffer_words", 8}}),
       "at least 8"},
      {"/matrix/group_buffer_rows",
       changed({{"/matrix/group_buffer_rows", 0}, {"/matrix/rows", 31}, {"/matrix/tiling/k", 32}}),
       changed({{"/matrix/group_buffer_rows", 0}, {"/matrix/rows", 32}, {"/matrix/tiling/k", 32}}),
       "at least 1"},
      {"/accumulator/capacity_kib", changed({{"/accumulator/capacity_kib", 1}, {"/matrix/columns", 257}}),
       changed({{"/accumulator/capacity_kib", 1}, {"/matrix/columns", 256}}), "at least 2 KiB"},
      {"/scratchpad/capacity_kib",
       changed({{"/scratchpad/capacity_kib", 5}, {"/scratchpad/banks", 64}, {"/scratchpad/bank_bytes", 64}}),
       changed({{"/scratchpad/capacity_kib", 8}, {"/scratchpad/banks", 64}, {"/scratchpad/bank_bytes", 64}}),
       "multiple of 4 KiB"},
      {"/matrix/cycles_per_row", changed({{"/matrix/cycles_per_row", Json::object()}}),
       changed({{"/matrix/cycles_per_row", Json{{"int4", 1}}}}), "at least one of int8"},
  };
  for (const Case& c : cases) {
    INFO(c.path);
    CHECK_THAT(errors(c.refused), StartsWith("sample.json: " + c.path + ": ") && Contains(c.range));
    CHECK(errors(c.allowed).empty());
  }
}

TEST_CASE("the narrowest scratchpad has eight bytes a cycle") {
  const auto narrow = [](int banks, int bank_bytes, int port, int lanes) {
    return errors(changed({{"/scratchpad/banks", banks},
                           {"/scratchpad/bank_bytes", bank_bytes},
                           {"/dma/port_bytes", port},
                           {"/dma/bursts_per_cycle", 1},
                           {"/matrix/stationary_port_bytes", port},
                           {"/matrix/moving_port_bytes", port},
                           {"/vector/lanes", lanes}}));
  };
  CHECK_THAT(narrow(1, 4, 4, 1), StartsWith("sample.json: /scratchpad/banks: 1 bank(s) of 4 bytes"));
  CHECK(narrow(1, 8, 8, 2).empty());
  CHECK(narrow(2, 4, 8, 2).empty());
}

TEST_CASE("a rule over a value that is wrong on its own stays silent") {
  const std::string message = errors(changed({{"/scratchpad/banks", 3}}));
  CHECK_THAT(message, StartsWith("sample.json: /scratchpad/banks: 3 is not allowed"));
  CHECK_THAT(message, !Contains("\n"));
  CHECK_THAT(errors(with("/matrix/cycles_per_row", Json{{"int8", 0}})), !Contains("no type at all"));
}

TEST_CASE("a forced tile of k values ends at groups' borders, and shorter ones need a group buffer") {
  CHECK(errors(with("/matrix/tiling/k", 96)).empty());
  CHECK_THAT(errors(with("/matrix/tiling/k", 40)),
             Contains("/matrix/tiling/k: 40; allowed: at most 32, or a"));
  CHECK_THAT(errors(changed({{"/matrix/rows", 64}, {"/matrix/group_buffer_rows", 0}})),
             Contains("passes of 13 k values"));
  CHECK(errors(changed({{"/matrix/rows", 64}, {"/matrix/group_buffer_rows", 0}, {"/matrix/tiling/k", 32}}))
            .empty());
  // A cell of an output-stationary array keeps its sum as long as it takes.
  CHECK_THAT(errors(changed({{"/matrix/dataflow", "output-stationary"}, {"/matrix/tiling/k", 13}})),
             Contains("13; allowed on an output-stationary array: a multiple of 32"));
  CHECK(errors(changed({{"/matrix/dataflow", "output-stationary"},
                        {"/matrix/tiling/k", 32},
                        {"/matrix/group_buffer_rows", 0}}))
            .empty());
}

TEST_CASE("each rule is exercised above") {
  CHECK(rules().size() == 12);
}

}  // namespace tokencycle::config
