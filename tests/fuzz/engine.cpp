// SPDX-License-Identifier: Apache-2.0
// One target under libFuzzer. Half of the changes know the form, half are libFuzzer's own with its
// dictionary.
#include <algorithm>

#include "fuzz/target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

const tokencycle::fuzz::Target& chosen() {
  static const tokencycle::fuzz::Target& target = tokencycle::fuzz::target(TOKENCYCLE_FUZZ_TARGET);
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen().feed(std::as_bytes(std::span(data, size)));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  tokencycle::fuzz::Random random(seed);
  const tokencycle::fuzz::Bytes changed = chosen().mutate(std::as_bytes(std::span(data, size)), random);
  if (changed.empty() || changed.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::transform(changed.begin(), changed.end(), data,
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return changed.size();
}
