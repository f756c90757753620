// SPDX-License-Identifier: Apache-2.0
// compare --align: what it says accounts for the difference of two results sums to it.
#include <catch2/catch.hpp>
#include <map>

#include "command_line.h"

using Catch::Contains;
using Json = nlohmann::json;
using namespace tokencycle;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

std::string result_of(const Scratch& scratch, const std::string& model, const std::string& machine,
                      const std::vector<std::string>& more = {}) {
  std::string file = scratch / (machine + std::to_string(more.size()) + ".json");
  std::vector<std::string> words = {"run", "-m", model, "-c", machine,    "-n",
                                    "2",   "-p", "abc", "-q", "--result", file};
  words.insert(words.end(), more.begin(), more.end());
  REQUIRE(launch(words).exit_code == 0);
  return file;
}

Json aligned(const std::string& a, const std::string& b) {
  return test::launch_json({"compare", "--align", a, b});
}

using Place = std::pair<std::string, int>;  // operator, layer

// Cycles of a side by operator, of what is listed.
std::map<Place, std::uint64_t> by_operator(const Json& alignment, const std::string& phase,
                                           const std::string& side) {
  std::map<Place, std::uint64_t> sums;
  for (const Json& d : alignment["differences"]) {
    if (d["phase"] == phase) sums[{d["operator"], d["layer"]}] += d[side + "_cycles"].get<std::uint64_t>();
  }
  return sums;
}

void check_side(const Json& alignment, const Json& result, const std::string& side) {
  std::map<std::string, std::map<Place, std::uint64_t>> wanted;
  for (const Json& op : result["operators"]) {
    for (const char* phase : {"prefill", "decode"}) {
      const auto cycles = op[phase]["cycles"].get<std::uint64_t>();
      if (cycles != 0) wanted[phase][{op["name"], op["layer"]}] += cycles;
    }
  }
  std::uint64_t all = 0;
  for (const char* phase : {"prefill", "decode"}) {
    auto listed = by_operator(alignment, phase, side);
    std::erase_if(listed, [](const auto& entry) { return entry.second == 0; });
    CHECK(listed == wanted[phase]);
    all += alignment[phase][side + "_cycles"].get<std::uint64_t>();
  }
  CHECK(all == result["cycles"].get<std::uint64_t>());
  // Of one decode token, the instructions' shares are the operators' cycles.
  const Json& instructions = alignment["instructions"];
  const std::size_t column = side == "a" ? 4 : 5;
  std::map<Place, std::uint64_t> shares;
  std::uint64_t count = 0;
  for (const Json& row : instructions["rows"]) {
    if (row[column].is_null()) continue;
    shares[{row[0], row[1]}] += row[column].get<std::uint64_t>();
    count += row[2] == "the step's end" ? 0 : 1;
  }
  std::erase_if(shares, [](const auto& entry) { return entry.second == 0; });
  CHECK(shares == wanted["decode"]);
  CHECK(count <= result["pipeline"]["instructions"].get<std::uint64_t>());
  CHECK(instructions[side + "_cycles"] == result["tokens"][1]["cycles"]);
}

std::int64_t sum_of(const Json& alignment) {
  std::int64_t sum = 0;
  for (const Json& d : alignment["differences"]) sum += d["difference"].get<std::int64_t>();
  return sum;
}

}  // namespace

TEST_CASE("--align accounts for each cycle of the difference of two machines") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 64, .matrices = Format::q8_0});
  const std::string other = GENERATE("edge-dot", "edge-os", "tiny");
  CAPTURE(other);
  const std::string a = result_of(scratch, model, "edge"), b = result_of(scratch, model, other);
  const Json alignment = aligned(a, b), one = test::json_of(a), two = test::json_of(b);
  check_side(alignment, one, "a");
  check_side(alignment, two, "b");
  const std::int64_t difference = two["cycles"].get<std::int64_t>() - one["cycles"].get<std::int64_t>();
  CHECK(difference != 0);
  CHECK(sum_of(alignment) == difference);
  std::int64_t of_token = 0;
  for (const Json& row : alignment["instructions"]["rows"]) of_token += row[6].get<std::int64_t>();
  CHECK(of_token == alignment["decode"]["difference"].get<std::int64_t>());
  const Outcome text = launch({"compare", "--align", a, b});
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, Contains("cycles by operator, instruction and cause") &&
                           Contains("cycles of token 1's instructions"));
}

TEST_CASE("--align finds no difference of a result with itself, and only those of what was changed") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::string a = result_of(scratch, model, "edge");
  const Json same = aligned(a, a);
  for (const Json& d : same["differences"]) CHECK(d["difference"] == 0);
  for (const Json& row : same["instructions"]["rows"]) CHECK(row[6] == 0);
  // Without values: the same cycles.
  const std::string timing = scratch / "timing.json";
  REQUIRE(launch({"run", "-m", model, "-c", "edge", "--timing-only", "--tokens", "@" + a, "-q", "--result",
                  timing})
              .exit_code == 0);
  const Json timed = aligned(a, timing);
  for (const Json& row : timed["instructions"]["rows"]) CHECK(row[6] == 0);
  CHECK(sum_of(timed) == 0);
  CHECK(launch({"compare", "--align", "-m", model, "-c", "edge", "-c", "edge", "-n", "2", "-q"}).exit_code ==
        0);
}

TEST_CASE("--align says what a result must have") {
  const Scratch scratch;
  const std::string model = scratch.model(), a = result_of(scratch, model, "tiny");
  const std::string few = result_of(scratch, model, "tiny", {"--pipeline-instructions", "3"});
  const Json without = aligned(a, few);
  CHECK(without["instructions"].is_null());
  CHECK_THAT(without["no_instructions"].get<std::string>(),
             Contains(few + " has 3 of the") && Contains("--pipeline-instructions"));
  const std::string first = result_of(
      scratch, model, "tiny", {"--pipeline-token", "0", "--batch", "1", "--pipeline-instructions", "100000"});
  CHECK_THAT(aligned(a, first)["no_instructions"].get<std::string>(), Contains("several steps"));
  Json old = test::json_of(a);
  for (Json& op : old["operators"]) {
    for (const char* phase : {"prefill", "decode"})
      op[phase] = {{"cycles", op[phase]["cycles"]}, {"instructions", op[phase]["instructions"]}};
  }
  const Outcome refused = launch({"compare", "--align", a, scratch.file("old.json", old.dump())});
  CHECK(refused.exit_code == 7);
  CHECK_THAT(refused.err, Contains("old.json: /operators have no stacks"));
  CHECK(launch({"compare", "--align", a}).exit_code == 2);
  CHECK(launch({"compare", "--align", a, a, a}).exit_code == 2);
  CHECK(launch({"compare", "--align", a, a, "-o", scratch / "page.html"}).exit_code == 2);
}
