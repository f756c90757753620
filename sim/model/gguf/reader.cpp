// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/reader.h"

#include <fmt/format.h>

#include <bit>

#include "base/error.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they lie in memory");

namespace {
constexpr std::string_view kTruncated = "the file may be truncated: download or convert it again";
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '\'' || c == '\\') {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > kShown ? "...'" : "'");
}

std::span<const std::byte> GgufReader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    fail(offset_, fmt::format("{} needs {} bytes, but the file ends after {}; {}", what, count, remaining(),
                              kTruncated));
  }
  if (offset_ + count > kMaxDirectoryBytes) {
    fail(offset_, fmt::format("the metadata and the tensor directory exceed {} MiB, the most that is read; "
                              "convert the model again",
                              kMaxDirectoryBytes >> 20));
  }
  const auto taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

std::string GgufReader::read_string(std::uint64_t limit, std::string_view what) {
  const std::uint64_t at = offset_;
  const auto length = read<std::uint64_t>(what);
  if (length > limit || length > remaining()) {  // the message is composed only when it is needed
    check_count(length, 1, limit, at, fmt::format("{} of {} bytes", what, length));
  }
  const auto text = take(length, what);
  return std::string(reinterpret_cast<const char*>(text.data()), text.size());
}

void GgufReader::check_count(std::uint64_t count, std::uint64_t least_bytes, std::uint64_t limit,
                             std::uint64_t at, std::string_view what) const {
  if (count > remaining() / least_bytes) {
    fail(at, fmt::format("{} cannot fit in the {} bytes that follow; {}", what, remaining(), kTruncated));
  }
  if (count > limit) {
    fail(at, fmt::format("{} is over the limit of {}; convert the model again", what, limit));
  }
}

void GgufReader::fail(std::uint64_t at, const std::string& message) const {
  throw ModelError(fmt::format("{}: at byte {}: {}", file_, at, message));
}

}  // namespace tokencycle::model
