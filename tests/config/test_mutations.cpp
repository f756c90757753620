// SPDX-License-Identifier: Apache-2.0
// Does any damaged description do something other than read or be refused? 5000 of them, always the same.
#include <catch2/catch.hpp>
#include <cctype>
#include <random>
#include <string>
#include <vector>

#include "machine_text.h"

namespace tokencycle::config {
namespace {

class Mutator {
 public:
  Mutator(std::uint64_t seed, DramModel model) : random_(seed), whole_(complete(model)) {
    for (const Key& key : keys_of(model)) paths_.push_back(key.field.path);
    if (model == DramModel::commands) collect(whole_["dram"]["system"], "/dram/system");
  }

  // Not std::uniform_int_distribution: its results differ between libraries.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  Json value() {
    switch (below(10)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return std::int64_t{-1} - static_cast<std::int64_t>(below(1000));
      case 3:
        return random_();
      case 4:
        return static_cast<std::uint64_t>(1) << below(32);
      case 5:
        return static_cast<double>(random_()) * 1e-19;
      case 6:
        return below(100);
      case 7:
        return std::string(below(100), static_cast<char>('a' + below(26)));
      case 8:
        return Json::array({1, "x", Json::object()});
      default:
        return Json{{"rows", below(10)}, {"unit", "ns"}};
    }
  }

  // Changes, removes or adds values of the tree.
  std::string structural() {
    Json tree = whole_;
    for (std::size_t n = 1 + below(4); n > 0; --n) {
      const std::string& chosen = paths_[below(paths_.size())];
      const std::string path = below(4) == 0 ? parent_of(chosen) : chosen;
      const auto pointer = at(path);
      if (path.empty() || !tree.contains(pointer)) continue;
      Json& parent = tree[pointer.parent_pointer()];
      if (below(5) == 0 && parent.is_object()) {
        parent.erase(pointer.back());
      } else if (below(8) == 0 && parent.is_object()) {
        parent[pointer.back() + "x"] = value();
      } else if (below(5) == 0 && parent.is_array()) {
        parent.erase(std::stoul(pointer.back()));
      } else {
        tree[pointer] = value();
      }
    }
    return tree.dump();
  }

  // Overwrites, removes, repeats or inserts bytes of the text.
  std::string bytewise() {
    std::string text = whole_.dump();
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      const std::size_t where = below(text.size()), length = 1 + below(8);
      switch (below(4)) {
        case 0:
          text[where] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(where, length);
          break;
        case 2:
          text.insert(where, text.substr(below(text.size()), length));
          break;
        default:
          text.insert(where, 1, "{}[]\",:0123456789.eE-+ \\"[below(24)]);
      }
    }
    return text;
  }

  // Overwrites bytes of the memory system's names and numbers, quotes and brackets left alone.
  std::string in_the_system() {
    std::string text = whole_.dump();
    const std::size_t begin = text.find("\"system\""), end = text.find("\"channel_gb_per_s\"");
    for (std::size_t n = 1 + below(2); n > 0;) {
      char& c = text[begin + below(end - begin)];
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) continue;
      c = std::isdigit(static_cast<unsigned char>(c)) != 0 ? static_cast<char>('0' + below(10))
                                                           : static_cast<char>('a' + below(26));
      --n;
    }
    return text;
  }

 private:
  void collect(const Json& value, const std::string& path) {
    if (!value.is_structured()) return;
    for (const auto& [key, member] : value.items()) {
      const std::string inside = path + "/" + key;
      paths_.push_back(inside);
      collect(member, inside);
    }
  }

  std::mt19937_64 random_;
  Json whole_;
  std::vector<std::string> paths_;
};

// Errors other than ConfigurationError leave errors_of_text and fail the test.
bool reads(const std::string& text) {
  INFO(text);
  if (!errors_of_text(text).empty()) return false;
  const Machine m = parse_machine(text, "sample.json", kConfigs);
  CHECK(parse_machine(to_json(m), "again", kConfigs).digest == m.digest);
  return true;
}

}  // namespace

TEST_CASE("2000 trees with changed values are read or refused") {
  for (const DramModel model : {DramModel::ideal, DramModel::commands}) {
    Mutator mutator(20240701, model);
    int accepted = 0;
    for (int i = 0; i < 1000; ++i) accepted += reads(mutator.structural()) ? 1 : 0;
    CHECK(accepted > 10);
    CHECK(accepted < 500);
  }
}

TEST_CASE("2000 texts with changed bytes are read or refused") {
  for (const DramModel model : {DramModel::ideal, DramModel::commands}) {
    Mutator mutator(20240702, model);
    int accepted = 0;
    for (int i = 0; i < 1000; ++i) accepted += reads(mutator.bytewise()) ? 1 : 0;
    CHECK(accepted >= 1);
    CHECK(accepted < 500);
  }
}

TEST_CASE("1000 memory systems with changed names and numbers are read or refused") {
  Mutator mutator(20240703, DramModel::commands);
  int accepted = 0;
  for (int i = 0; i < 1000; ++i) accepted += reads(mutator.in_the_system()) ? 1 : 0;
  CHECK(accepted > 10);
  CHECK(accepted < 500);
}

}  // namespace tokencycle::config
