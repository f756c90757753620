// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "base/state_archives.h"

using namespace tokencycle;

namespace {
std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}
}  // namespace

TEST_CASE("a digest does not depend on how the bytes were cut") {
  std::vector<std::byte> bytes(10000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 256);
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{4096}, bytes.size()}) {
    Digest digest;
    digest.update(std::span(bytes).first(cut));
    digest.update(std::span(bytes).subspan(cut));
    CHECK(digest.hex() == digest_of(bytes));
  }
}

TEST_CASE("one changed bit changes the digest, and the empty digest is XXH3's published value") {
  std::vector<std::byte> bytes(100);
  const std::string before = digest_of(bytes);
  bytes[50] ^= std::byte{1};
  CHECK(digest_of(bytes) != before);
  // XXH3_128bits of nothing with seed 0 (xxHash's own test vectors).
  CHECK(digest_of({}) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("a folded digest continues from its digits, and from nothing else") {
  Digest whole;
  whole.update(bytes_of("before"));
  const std::string before = whole.hex();
  whole.fold();
  whole.update(bytes_of("after"));
  const std::string text = before + "after";
  CHECK(whole.hex() == digest_of(bytes_of(text)));

  Digest other;
  other.update(bytes_of("other"));
  other.fold();
  std::stringstream state;
  Digest folded;
  folded.update(bytes_of("before"));
  folded.fold();
  StateWriter writer(state);
  writer(folded);
  StateReader reader(state);
  reader(other);
  CHECK(other.hex() == folded.hex());
  other.update(bytes_of("after"));
  CHECK(other.hex() == whole.hex());
}
