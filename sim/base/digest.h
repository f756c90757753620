// SPDX-License-Identifier: Apache-2.0
// Content hashes: XXH3, 128 bits for files and programs, 64 bits for the event stream.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tokencycle {

// Streaming 128-bit XXH3 digest; the same bytes give the same text on every machine.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(std::span<const std::byte> bytes);
  // 32 lower-case hexadecimal digits of what was given so far; more may follow.
  std::string hex() const;
  // Goes on as if nothing but the digits of hex() had been given: a digest of digests, whose state is short.
  void fold();

  // After fold() and before anything else is given.
  template <class Archive>
  void serialize(Archive& state) {
    state(folded_);
    restart();
  }

 private:
  struct State;
  void restart();

  std::string folded_;  // the digits that the digest began with
  std::unique_ptr<State> state_;
};

// The digest of one block of bytes, as 32 hexadecimal digits.
std::string digest_of(std::span<const std::byte> bytes);

}  // namespace tokencycle
