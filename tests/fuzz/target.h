// SPDX-License-Identifier: Apache-2.0
// The readers of files from strangers, each as a function of bytes. README.md says what a finding is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::fuzz {

using Bytes = std::vector<std::byte>;
using Input = std::span<const std::byte>;

// Something that no input may bring about. Never caught on the way to the engine.
struct Finding : std::logic_error {
  using std::logic_error::logic_error;
};

// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // A number below n, which is at least 1.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  // Zero, small, or near a power of two or the end of a type: where checks break.
  std::uint64_t interesting();
  template <class T>
  const T& of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

 private:
  std::uint64_t state_;
};

struct Seed {
  std::string name;
  Bytes bytes;
};

struct Target {
  std::string_view name;
  // Reads the input; false when it is refused as documented. Throws Finding for an undocumented kind of
  // error, an unfit message or a broken promise of the reader; lets every other exception out.
  bool (*feed)(Input input);
  // One or a few changes by something that knows the form. Never fails, whatever the input is.
  Bytes (*mutate)(Input input, Random& random);
  std::vector<Seed> (*seeds)();
};

// Every reader, in a fixed order.
const std::vector<Target>& targets();
// Throws std::invalid_argument, with the names, for one that is none of them.
const Target& target(std::string_view name);

Target gguf_target();
Target tokenizer_target();
Target configuration_target();
Target assembler_target();
Target program_target();
Target trace_target();
Target result_target();
Target image_target();
Target mail_target();

}  // namespace tokencycle::fuzz
