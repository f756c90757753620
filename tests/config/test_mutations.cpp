// SPDX-License-Identifier: Apache-2.0
// Does any damaged description do something other than read or be refused? 4000 of them, always the same.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "config/fields.h"
#include "machine_text.h"

namespace tokencycle::config {
namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

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
    Json tree = complete();
    for (std::size_t n = 1 + below(4); n > 0; --n) {
      const Field& field = fields()[below(fields().size())];
      const std::string path = below(4) == 0 ? parent_of(field.path) : field.path;
      const auto pointer = at(path);
      if (path.empty() || !tree.contains(pointer)) continue;
      if (below(5) == 0) {
        tree[pointer.parent_pointer()].erase(pointer.back());
      } else if (below(8) == 0 && tree[pointer.parent_pointer()].is_object()) {
        tree[pointer.parent_pointer()][pointer.back() + "x"] = value();
      } else {
        tree[pointer] = value();
      }
    }
    return tree.dump();
  }

  // Overwrites, removes, repeats or inserts bytes of the text.
  std::string bytewise() {
    std::string text = complete().dump();
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

 private:
  std::mt19937_64 random_;
};

// Errors other than ConfigurationError leave errors_of_text and fail the test.
bool reads(const std::string& text) {
  INFO(text);
  if (!errors_of_text(text).empty()) return false;
  const Machine m = parse_machine(text, "sample.json");
  CHECK(parse_machine(to_json(m), "again").digest == m.digest);
  return true;
}

}  // namespace

TEST_CASE("2000 trees with changed values are read or refused") {
  Mutator mutator(20240701);
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) accepted += reads(mutator.structural()) ? 1 : 0;
  CHECK(accepted > 20);
  CHECK(accepted < 1000);
}

TEST_CASE("2000 texts with changed bytes are read or refused") {
  Mutator mutator(20240702);
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) accepted += reads(mutator.bytewise()) ? 1 : 0;
  CHECK(accepted >= 1);
  CHECK(accepted < 1000);
}

}  // namespace tokencycle::config
