// SPDX-License-Identifier: Apache-2.0
// Are wrong DRAM presets and standards refused with the place, the value and a remedy?
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "dram_files.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;

const DramJson kRemoved(DramJson::value_t::discarded);
constexpr const char* kPreset = "lpddr5-6400.json";
constexpr const char* kStandard = "standards/lpddr5.json";

// Pointers of all values inside `value`, parents before children.
void collect(const DramJson& value, const std::string& at, std::vector<std::string>& out) {
  if (!value.is_structured()) return;
  for (const auto& [key, member] : value.items()) {
    const std::string path = at + "/" + key;
    out.push_back(path);
    collect(member, path, out);
  }
}

// Of sources, constraints and the meanings of parameters a few stand for all: these are read alike.
std::vector<std::string> pointers(const DramJson& tree) {
  std::vector<std::string> all;
  collect(tree, "", all);
  std::erase_if(all, [](const std::string& path) {
    const bool row = path.starts_with("/constraints/") && !path.starts_with("/constraints/0/");
    const bool parameter = path.starts_with("/parameters/") && path.find("/nR") == std::string::npos;
    return row || parameter || path.starts_with("/sources/");
  });
  return all;
}

bool is_element(const std::string& path) {
  return path.find_first_not_of("0123456789", path.rfind('/') + 1) == std::string::npos;
}

// What a preset or standard may lack. A value has ns or clocks; a rail lacks the currents not published.
bool is_optional(const std::string& path) {
  for (const char* end : {"/note", "/about", "/part", "/needs", "/reach", "/window", "/other", "/at_most",
                          "/rounding", "/energy/meaning", "/energy/range", "_ma"}) {
    if (path.ends_with(end)) return true;
  }
  const bool time = path.starts_with("/timing/") || path.starts_with("/refresh/");
  return is_element(path) || (time && (path.ends_with("/ns") || path.ends_with("/clocks")));
}

}  // namespace

TEST_CASE("a DRAM preset or standard without one of its keys is refused, and the message names it") {
  const DramCopy copy;
  for (const char* file : {kPreset, kStandard, "hbm2e-3600.json"}) {
    const std::string read = std::string(file).starts_with("standards") ? kPreset : file;
    for (const std::string& path : pointers(json_of(copy.folder() / file))) {
      if (is_optional(path)) continue;
      INFO(file << " without " << path);
      const std::string errors = copy.errors_with(file, path, kRemoved, read);
      CHECK_THAT(errors, Contains(file));
      CHECK_THAT(errors, Contains(path.substr(path.rfind('/') + 1)));
    }
  }
}

TEST_CASE("a value of a wrong type or size anywhere in a DRAM description is refused under its path") {
  const DramCopy copy;
  for (const char* file : {kPreset, kStandard}) {
    const std::string read = std::string(file).starts_with("standards") ? kPreset : file;
    for (const std::string& path : pointers(json_of(copy.folder() / file))) {
      if (path == "/refresh/per_bank" || path == "/energy") continue;  // below; null is a value there
      for (const DramJson& value : {DramJson(-1), DramJson(nullptr), DramJson(1e300), DramJson(""),
                                    DramJson::array(), DramJson(18446744073709551615u)}) {
        INFO(file << ": " << path << " = " << value.dump());
        const std::string errors = copy.errors_with(file, path, value, read);
        const std::size_t slash = path.rfind('/');
        const bool command =
            path.find("/before/") != std::string::npos || path.find("/after/") != std::string::npos;
        // A wrong command of a list is reported at the list.
        CHECK_THAT(errors, Contains(is_element(path) && command ? path.substr(0, slash) : path));
      }
    }
  }
}

TEST_CASE("unknown keys of DRAM descriptions are refused with the nearest known one") {
  const DramCopy copy;
  const auto errors = [&](const std::string& pointer, const DramJson& value) {
    return copy.errors_with(kPreset, pointer, value, kPreset);
  };
  CHECK_THAT(errors("/organisation", 1),
             Contains("/organisation: unknown key; did you mean \"organization\"?"));
  CHECK_THAT(errors("/organization/row", 1), Contains("did you mean \"rows\"?"));
  CHECK_THAT(errors("/timing/nRCDD", 1),
             Contains("/timing/nRCDD: unknown parameter of LPDDR5; did you mean \"nRCD\"?"));
  CHECK_THAT(errors("/timing/nRCD/clock", 1), Contains("did you mean \"clocks\"?"));
  CHECK_THAT(errors("/standard", "LPDDR55"),
             Contains("/standard: no standard \"LPDDR55\"") && Contains("\"lpddr5\""));
  CHECK_THAT(errors("/standard", "../lpddr5"), Contains("/standard: no standard"));
  CHECK_THAT(errors("/standard", "lpddr5"),
             Contains("/standard: \"lpddr5\", but that file describes \"LPDDR5\""));
  CHECK_THAT(errors("/energy/form", "guess"),
             Contains("allowed: \"currents\", \"per_command\", \"average\""));
}

TEST_CASE("wrong standards are refused under their path") {
  const DramCopy copy;
  const auto errors = [&](const std::string& pointer, const DramJson& value) {
    return copy.errors_with(kStandard, pointer, value, kPreset);
  };
  CHECK_THAT(errors("/constraints/3/clocks", "nCCD_X"),
             Contains("/constraints/3/clocks: unknown symbol nCCD_X; did you mean \"nCCD_"));
  CHECK_THAT(errors("/constraints/3/clocks", "nBL * 2"),
             Contains("/constraints/3/clocks: \"nBL * 2\" is no sum"));
  CHECK_THAT(errors("/constraints/0/before/0", "RDB"),
             Contains("\"RDB\" is not a command of /commands; did you mean"));
  CHECK_THAT(errors("/commands/RDD", DramJson{{"bus", 0}, {"clocks", 1}}), Contains("unknown command"));
  CHECK_THAT(errors("/commands/RD/bus", 1), Contains("/commands/RD/bus: 1 is not allowed"));
  CHECK_THAT(errors("/commands/SYNC_RD", kRemoved), Contains("one of SYNC_RD and SYNC_WR is missing"));
  CHECK_THAT(errors("/parameters/nNEW", DramJson{{"meaning", "m"}, {"section", "s"}}),
             Contains("no sum uses nNEW"));
  CHECK_THAT(errors("/parameters/nAAD", kRemoved), Contains("/at_most/0/clocks: unknown symbol nAAD"));
  CHECK_THAT(errors("/constraints/0/other", true), Contains("/constraints/0/other: true is only allowed"));
  CHECK_THAT(errors("/constraints/0/other", "yes"),
             Contains("/constraints/0/other: \"yes\" is not allowed; allowed: true or false"));
  CHECK_THAT(errors("/parameters/tRCD", DramJson{{"meaning", "m"}, {"section", "s"}}),
             Contains("/parameters/tRCD: not a timing symbol"));
  CHECK_THAT(errors("/data/read_first", "nCL - nCL"),
             Contains("/timing: read_first of LPDDR5, nCL - nCL, is 0 clocks; allowed: 1 .. "));
  CHECK_THAT(errors("/data/read_last", "nCL"),
             Contains("/timing: read_last of LPDDR5, nCL, is 17 clocks; allowed: 18 .. "));
  CHECK_THAT(errors("/data_clock", kRemoved), Contains("/data_clock: missing"));
  const DramJson first = json_of(copy.folder() / kStandard)["constraints"][0];
  CHECK_THAT(errors("/constraints/-", first), Contains("for the second time"));
  std::filesystem::remove(copy.folder() / kStandard);
  CHECK_THAT(copy.errors_of_device(kPreset), Contains("/standard: no standard \"LPDDR5\""));
}

TEST_CASE("a standard of more parameters than anybody reads is refused at once") {
  const DramCopy copy;
  DramJson parameters = json_of(copy.folder() / kStandard)["parameters"];
  for (int i = 0; i < 20000; ++i) parameters["nZ" + std::to_string(i)] = {{"meaning", "m"}, {"section", "s"}};
  const std::string count = std::to_string(parameters.size());
  CHECK_THAT(copy.errors_with(kStandard, "/parameters", parameters, kPreset),
             Contains("/parameters: " + count + " members; allowed: at most 256"));
}

TEST_CASE("times that no device can have are refused") {
  const DramCopy copy;
  const auto errors = [&](const std::string& pointer, const DramJson& value) {
    return copy.errors_with(kPreset, pointer, value, kPreset);
  };
  const auto clocks = [](int n) { return DramJson{{"clocks", n}, {"source", "test"}}; };
  CHECK_THAT(errors("/timing/nRC", clocks(48)),
             Contains("/timing/nRC: 48 clocks are below nRAS + nRP, 49 clocks"));
  CHECK(errors("/timing/nRC", clocks(49)).empty());
  CHECK_THAT(errors("/refresh/nREFI", clocks(168)), Contains("/refresh/nREFI: 168 clocks between refreshes"));
  CHECK_THAT(errors("/refresh/nREFI", clocks(3119)),
             Contains("/refresh/per_bank/nREFIpb: 390 clocks; 8 REFpb"));
  CHECK(errors("/refresh/nREFI", clocks(3120)).empty());
  CHECK_THAT(errors("/timing/nCL", clocks(0)), Contains("/timing/nCL/clocks: 0 is not allowed"));
  CHECK_THAT(errors("/timing/nBL", clocks(3)), Contains("/timing/nBL: 3 clocks exceed nCCD_S, 2 clocks") &&
                                                   Contains("are not burst_length 16"));
  CHECK_THAT(errors("/timing/nRCD/ns", 1e9), Contains("/timing/nRCD: 1000000000 ns are 800000000 clocks"));
  CHECK_THAT(errors("/refresh/nREFI", DramJson{{"ns", 1}, {"source", "test"}}), Contains("are 0 clocks"));
  CHECK_THAT(errors("/refresh/nREFI/clocks", 3120),
             Contains("/refresh/nREFI: \"ns\" and \"clocks\" of an interval; keep one of the two"));
  CHECK_THAT(errors("/timing/nREFI", clocks(5000)),
             Contains("/refresh/nREFI: given twice, also at /timing/nREFI"));
  CHECK_THAT(errors("/refresh/per_bank", nullptr),
             Contains("nREFIpb: missing") && Contains("nPBR2ACT: missing"));
  CHECK_THAT(errors("/timing/nRCD", DramJson{{"source", "test"}}), Contains("/timing/nRCD: has no value"));
  CHECK_THAT(errors("/clock/tck_ps", 1200),
             Contains("/clock/tck_ps: 1200 ps with 8 beats a clock are 6666.7 MT/s"));
}

TEST_CASE("an organization whose numbers do not fit each other is refused") {
  const DramCopy copy;
  const auto errors = [&](const std::string& key, const DramJson& value) {
    return copy.errors_with(kPreset, "/organization/" + key, value, kPreset);
  };
  CHECK_THAT(errors("rows", 24576),
             Contains("/organization/rows: 24576 is not allowed") && Contains("power of two"));
  CHECK_THAT(errors("rows", 65536), Contains("capacity_mib: 1024 MiB, but") && Contains("are 2048 MiB"));
  CHECK_THAT(errors("device_gbit", 16), Contains("1 devices of 16 Gbit do not make 1 channels of 1024 MiB"));
  CHECK_THAT(errors("burst_bytes", 64),
             Contains("burst_bytes: 64, but 16 beats of rank_width_bits 16 are 256 bits"));
  CHECK_THAT(errors("device_width_bits", 8), Contains("1 devices of 8 bits are not channel_width_bits 16"));
  CHECK_THAT(errors("rank_width_bits", 8), Contains("are those of every rank"));
  CHECK_THAT(errors("columns", 8), Contains("8 are no whole number of bursts of 16"));
  CHECK_THAT(errors("bank_groups", 1), Contains("REFpb of LPDDR5 refreshes two"));
}

TEST_CASE("all that is wrong with a preset is reported at once") {
  const DramCopy copy;
  DramJson tree = json_of(copy.folder() / kPreset);
  tree["timing"]["nRCD"]["ns"] = -18;
  tree["organization"]["ranks"] = 3;
  tree["energy"]["rails"][0]["v"] = "1.05";
  tree["refresh"]["postponable"] = 1000;
  tree["speed"] = 1;
  const std::string errors = copy.errors_with(kPreset, tree.dump(), kPreset);
  for (const char* path : {"/timing/nRCD/ns: -18", "/organization/ranks: 3", "/energy/rails/0/v: \"1.05\"",
                           "/refresh/postponable: 1000", "/speed: unknown key"}) {
    CHECK_THAT(errors, Contains(path));
  }
}

TEST_CASE("texts that are no JSON, duplicate keys and cut or garbled texts are refused without harm") {
  const DramCopy copy;
  CHECK_THAT(copy.errors_with(kPreset, "{\"name\": NaN}", kPreset), Contains("this is not JSON"));
  CHECK_THAT(copy.errors_with(kPreset, "[1]", kPreset), Contains("allowed: an object"));
  for (const char* file : {kPreset, kStandard}) {
    const std::string text = json_of(copy.folder() / file).dump();
    CHECK_THAT(copy.errors_with(file, "{\"schema\":1," + text.substr(1), kPreset),
               Contains("/schema: this key is given twice"));
    for (std::size_t cut = 0; cut < text.size(); cut += 97) {
      CHECK_THAT(copy.errors_with(file, text.substr(0, cut), kPreset), Contains("this is not JSON"));
    }
    std::mt19937 random(7);
    for (int i = 0; i < 150; ++i) {
      std::string garbled = text;
      for (int k = 0; k < 3; ++k) garbled[random() % text.size()] = static_cast<char>(random() % 256);
      // Most changes hit explanatory text and are allowed; any other one must be a ConfigurationError.
      const std::string errors = copy.errors_with(file, garbled, kPreset);
      CHECK((errors.empty() || errors.find(copy.folder().string()) == 0));
    }
  }
}

}  // namespace tokencycle::config
