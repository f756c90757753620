// SPDX-License-Identifier: Apache-2.0
// A cursor over untrusted bytes: nothing is read, and no memory is taken, before it is known to be there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace tokencycle::model {

// Text from a file between quotes for a message: control characters escaped, long text cut.
std::string in_quotes(std::string_view text);

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }
  std::uint64_t size() const { return bytes_.size(); }
  // At most so many of the first bytes.
  std::string_view beginning(std::size_t most) const {
    return {reinterpret_cast<const char*>(bytes_.data()), std::min(most, bytes_.size())};
  }

  // One little-endian number. `what` names it in the error: "the length of a key".
  template <class T>
  T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  // A 64-bit length and that many bytes.
  std::string read_string(std::uint64_t limit, std::string_view what);

  // Refuses `count` when it exceeds `limit`, or when the rest of the file cannot hold that many items of
  // `least_bytes` bytes. `at` is the offset of the count.
  void check_count(std::uint64_t count, std::uint64_t least_bytes, std::uint64_t limit, std::uint64_t at,
                   std::string_view what) const;

  // Throws ModelError: file, byte offset, message.
  [[noreturn]] void fail(std::uint64_t at, const std::string& message) const;

 private:
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);

  std::span<const std::byte> bytes_;
  std::string file_;
  std::uint64_t offset_ = 0;
};

}  // namespace tokencycle::model
