// SPDX-License-Identifier: Apache-2.0
// Reads a trace with the tests' strict readers and prints what it says as JSON:
//   trace_facts FILE.kanata | FILE.vcd | --padded FILE.vcd
// --padded: numbers may have leading zeros, as GTKWave's converter writes them. Exit code 1 and the broken
// rule for a file that is not valid.
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/kanata_linter.h"
#include "support/vcd_reader.h"

using namespace tokencycle::test;
using Json = nlohmann::ordered_json;

namespace {

Json facts_of_kanata(const std::string& text) {
  Json retired = Json::array();  // cycles, of the instructions in their order
  for (const KanataOp& op : lint_kanata(text)) retired.push_back(op.end);
  return {{"instructions", retired.size()}, {"retired", retired}};
}

Json facts_of_vcd(const std::string& text, const VcdRules& rules) {
  const VcdDump dump = read_vcd(text, rules);
  Json signals, changes = Json::object();
  for (const auto& [path, signal] : dump.signals) {
    signals.push_back(path);
    changes[path] = signal.changes.size();
  }
  Json tokens = Json::array();  // when step.token changed, and to what
  for (const VcdChange& c : dump.signals.at("step.token").changes)
    tokens.push_back({{"cycle", c.time}, {"token", std::stoull(c.value, nullptr, 2)}});
  return {{"first", dump.first},   {"last", dump.last},  {"changes", dump.changes},
          {"changes_of", changes}, {"signals", signals}, {"tokens", tokens}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool padded = words.size() == 2 && words[0] == "--padded";
  if (words.size() != (padded ? 2u : 1u)) {
    std::cerr << "usage: trace_facts FILE.kanata | FILE.vcd | --padded FILE.vcd\n";
    return 2;
  }
  try {
    std::ifstream in(words.back(), std::ios::binary);
    if (!in) throw std::runtime_error("cannot be read");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const bool kanata = words.back().ends_with(".kanata");
    std::cout << (kanata ? facts_of_kanata(text) : facts_of_vcd(text, {!padded})).dump() << "\n";
  } catch (const std::exception& error) {
    std::cerr << words.back() << ": " << error.what() << "\n";
    return 1;
  }
  return 0;
}
