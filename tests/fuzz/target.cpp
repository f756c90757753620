// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.h"

namespace tokencycle::fuzz {

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ull;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

std::uint64_t Random::interesting() {
  switch (below(5)) {
    case 0:
      return below(4);
    case 1:
      return below(300);
    case 2:
      return (std::uint64_t{1} << below(64)) + below(3) - 1;
    case 3:
      return ~std::uint64_t{0} - below(64);
    default:
      return next() >> below(64);
  }
}

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets = {gguf_target(),      tokenizer_target(), configuration_target(),
                                               assembler_target(), program_target(),   trace_target(),
                                               result_target(),    image_target(),     mail_target()};
  return kTargets;
}

const Target& target(std::string_view name) {
  std::string names;
  for (const Target& t : targets()) {
    if (t.name == name) return t;
    names.append(" ").append(t.name);
  }
  throw std::invalid_argument("no target \"" + std::string(name) + "\"; there are:" + names);
}

}  // namespace tokencycle::fuzz
