// SPDX-License-Identifier: Apache-2.0
// The report's page as text; tests/page looks at it in a browser.
#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>

#include "base/error.h"
#include "explore/page/page.h"
#include "explore/page/report.h"
#include "explore/small_result.h"

using namespace tokencycle;
using namespace tokencycle::explore;
using tokencycle::test::add_cycles;
using tokencycle::test::Json;
using tokencycle::test::move_cycles;
using tokencycle::test::old_result;
using tokencycle::test::small_result;

namespace {

Result result_of(const Json& document) {
  return parse_result(document, "small.json");
}

// The page, or nothing where the program was built without the chart library.
std::string page_of(const std::vector<Result>& results, std::size_t baseline = 0) {
  try {
    return report_html(results, baseline);
  } catch (const UsageError& error) {
    if (std::string(error.what()).find("npm_packages.sh") == std::string::npos) throw;
    WARN("built without uPlot: reports are refused by name, and nothing else is tested here");
    return "";
  }
}

bool has(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

std::size_t count(const std::string& page, const std::string& text) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = page.find(text, at)) != std::string::npos; at += text.size()) ++found;
  return found;
}

// A result with a pipeline of so many rows.
Json with_rows(std::size_t rows) {
  Json document = small_result();
  Json& pipeline = document["pipeline"];
  const Json row = pipeline["rows"].back();
  for (std::size_t i = pipeline["rows"].size(); i < rows; ++i) pipeline["rows"].push_back(row);
  pipeline["instructions"] = std::max<std::size_t>(rows, pipeline["instructions"].get<std::size_t>());
  return document;
}

}  // namespace

TEST_CASE("a page has all sections, and that of differences for several results alone") {
  const std::string one = page_of({result_of(small_result())});
  if (one.empty()) return;
  for (const char* id :
       {"summary", "tokens", "tree", "roofline", "timeline", "pipeline", "operators", "details"}) {
    INFO(id);
    CHECK(count(one, std::string("<section id=\"") + id + "\"") == 1);
    CHECK(count(one, std::string("href=\"#") + id + "\"") >= 1);
  }
  CHECK_FALSE(has(one, "id=\"reasons\""));
  const std::string two = page_of({result_of(small_result("a")), result_of(small_result("b"))});
  CHECK(has(two, "<section id=\"reasons\""));
  CHECK(has(two, "id=\"chooser\""));
}

TEST_CASE("a page may load nothing, and nothing in it asks for a file") {
  const std::string page = page_of({result_of(small_result())});
  if (page.empty()) return;
  CHECK(has(page,
            "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src "
            "data:\""));
  const std::regex outside("(src|href|action|poster)=(?![\"']?(#|data:))|@import|url\\((?!#|data:)",
                           std::regex::icase);
  const std::string before_scripts = page.substr(0, page.find("<script"));
  std::smatch found;
  const bool asks = std::regex_search(before_scripts, found, outside);
  INFO(found.str());
  CHECK_FALSE(asks);
}

TEST_CASE("hostile names, prompts and tokens stay text everywhere") {
  const std::string evil = "</script><img src=x onerror=alert(1)>'\"&\u2028\u202E";
  Json document = small_result(evil);
  for (const char* key : {"file", "name", "architecture", "weights", "digest"}) document["model"][key] = evil;
  document["settings"]["prompt"] = evil;
  document["text"] = evil;
  for (Json& token : document["tokens"]) token["text"] = evil;
  for (Json& counter : document["counters"]) counter["meaning"] = evil;
  document["operators"][0]["name"] = evil;
  const std::string page = page_of({result_of(document), result_of(small_result())});
  if (page.empty()) return;
  CHECK(count(page, "<img") == 0);
  CHECK(count(page, "</script>") == 3);  // data, library, page
  CHECK(count(page, "\u202E") == 0);
  CHECK(count(page, "\u2028") == 0);
  CHECK(has(page, "&lt;img src=x onerror=alert(1)&gt;"));
}

TEST_CASE("a page stays below its size, which grows with the results: twelve keep what one has") {
  const std::string page = page_of({result_of(with_rows(8192))});
  if (page.empty()) return;
  CHECK(page.size() < kReportBytes);
  CHECK(has(page, "8,192 of its 8,192 instructions"));
  const std::vector<Result> many(12, result_of(with_rows(8192)));
  const std::string large = page_of(many);
  CHECK(large.size() < report_bytes(12));
  CHECK(report_bytes(12) == kReportBytes + 11 * kFurtherBytes);
  CHECK(report_bytes(1000) == kMostReportBytes);
  CHECK(count(large, "8,192 of its 8,192 instructions") == 12);
}

TEST_CASE("a large model's operators are summed up before its page is too large") {
  Json document = small_result();
  const Json empty = {{"cycles", 0}, {"instructions", 0}};
  for (int layer = 1; layer < 400; ++layer) {
    for (int i = 0; i < 12; ++i) {
      document["operators"].push_back(
          {{"name", "blk." + std::to_string(layer) + ".an_operator_" + std::to_string(i)},
           {"layer", layer},
           {"prefill", empty},
           {"decode", empty}});
    }
  }
  const std::string page = page_of({result_of(document)});
  if (page.empty()) return;
  CHECK(page.size() < kReportBytes);
  CHECK(has(page, "operators with most cycles, of 4,7"));
}

TEST_CASE("more results than a page can hold are refused by their number") {
  if (page_of({result_of(small_result())}).empty()) return;
  const std::vector<Result> many(4000, result_of(small_result()));
  CHECK_THROWS_WITH(report_html(many, 0), Catch::Contains("4000 results do not fit"));
}

TEST_CASE("a result from before details of operators has a page that says what is missing") {
  const std::string page = page_of({result_of(old_result())});
  if (page.empty()) return;
  CHECK(has(page, "older than causes by operator"));
  CHECK(has(page, "no counts of operations by operator"));
  CHECK(has(page, "no values over time"));
  CHECK(has(page, "no instructions of a token"));
}

TEST_CASE("the command of an operator has the run's settings, each as one word") {
  Json document = small_result();
  document["settings"]["prompt"] = "it's $HOME";
  Result result = result_of(document);
  result.model.file = "a b.gguf";
  result.machine = "edge";
  result.settings.new_tokens = 3;
  result.settings.context = 64;
  result.settings.batch = 8;
  const std::string command = trace_command(result, "blk.0.attn_q");
  CHECK(command == "tokencycle run -m 'a b.gguf' -c edge -p 'it'\\''s $HOME' -n 3" +
                       std::string(result.settings.ignore_eos ? " --ignore-eos" : "") +
                       " --context 64 --batch 8 --trace op.pftrace --trace-window op:blk.0.attn_q");

  result.settings.temperature = 0.7;
  result.settings.top_k = 40;
  result.settings.top_p = 0.95;
  result.settings.seed = 18446744073709551615ull;
  result.settings.kv_format = "f32";
  result.settings.rope_pairs = "split";
  result.settings.prompt = "-n";
  const std::string sampled = trace_command(result, "output");
  CHECK(has(sampled, " --temperature 0.7 --top-k 40 --top-p 0.95 --seed 18446744073709551615"));
  CHECK(has(sampled, " --kv-type f32 --rope split"));
  CHECK(has(sampled, " --prompt=-n "));

  result.settings.timing_only = true;
  CHECK(has(trace_command(result, "output"), " --timing-only --tokens @small.json"));
}

TEST_CASE("the tree's levels sum up, and equal results have no changed cycles") {
  const std::string page = page_of({result_of(small_result("a")), result_of(small_result("b"))});
  if (page.empty()) return;
  CHECK(has(page, "as many as on a."));
  CHECK(count(page, "<b>prefill</b>") == 2);
  CHECK(count(page, "<b>decode</b>") == 2);
}

TEST_CASE("a difference is told in words with the causes that make most of it") {
  Json slower = old_result("b");
  add_cycles(slower, 1, "dram_latency", 20);
  move_cycles(slower, 1, "matrix", "scratchpad", 10);
  const std::string page = page_of({result_of(old_result("a")), result_of(slower)});
  if (page.empty()) return;
  // Of two decode tokens of 40 and 60 cycles the first has 20 more, and 10 go from one cause to another.
  CHECK(has(page, " takes 60 cycles on b, 10 more than the 50 on a"));
  CHECK(has(
      page,
      "There are more cycles of <b>dram_latency</b> (+10), <b>scratchpad</b> (+5); on the other hand fewer "
      "cycles of <b>matrix</b> (−5)."));
}

TEST_CASE("tokens of a long run share bars, and a first token far above the others is cut") {
  Result result = result_of(small_result());
  const ResultToken decode = result.tokens[1];
  for (auto& cycles : result.tokens[0].stack) cycles *= 10;
  result.tokens.resize(2000, decode);
  const std::string page = page_of({result});
  if (page.empty()) return;
  CHECK(has(page, "mean of the tokens 1 to "));
  CHECK(has(page, "Each bar behind the first is the mean of up to "));
  CHECK(has(page, "class=\"cut\""));
  CHECK(has(page, "1,000 cycles</text>"));
}

TEST_CASE("keys beyond those that a page has room for are counted") {
  Json other = small_result("b");
  for (int i = 0; i < 500; ++i) other["configuration"]["values"]["key_" + std::to_string(i)] = i;
  const std::string page = page_of({result_of(small_result()), result_of(other)});
  if (page.empty()) return;
  CHECK(has(page, "<tr><td>and "));
}

TEST_CASE("a roofline has a roof for each unit whose peak is known") {
  Json document = small_result();
  Json& values = document["configuration"]["values"];
  values["vector"] = {{"lanes", 16}};
  values["matrix"]["cycles_per_row"] = {{"int8", 1}, {"fp16", 2}};
  for (const char* bytes : {"loaded_bytes", "stored_bytes"}) document["operators"][0]["decode"][bytes] = 0;
  const std::string page = page_of({result_of(document)});
  if (page.empty()) return;
  CHECK(has(page, ">array, int8: 256 Gop/s<"));
  CHECK(has(page, ">array, fp16: 128 Gop/s<"));
  CHECK(has(page, ">vector unit: 32.0 Gop/s<"));
  CHECK(has(page, ">DRAM: 20.0 GB/s<"));
  CHECK(has(page, "text-anchor=\"middle\">no bytes</text>"));
}

TEST_CASE("a run that was interrupted before its first token has a page that says so") {
  Result result = result_of(small_result());
  result.tokens.clear();
  result.operators.clear();
  result.interrupted_at = 1234;
  const std::string page = page_of({result, result_of(small_result("b"))});
  if (page.empty()) return;
  CHECK(has(page, "was interrupted at cycle 1,234"));
  CHECK(has(page, "<section id=\"details\""));
}
