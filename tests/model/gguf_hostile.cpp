// SPDX-License-Identifier: Apache-2.0
// Is every kind of unsound file refused, with its name, the place, the value and what to do?
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "model/gguf/gguf.h"
#include "model/gguf/limits.h"
#include "model/gguf/reader.h"
#include "support/gguf_writer.h"

using namespace tokencycle;
using namespace tokencycle::model;
using tokencycle::test::GgufWriter;
using tokencycle::test::TemporaryFile;
using Bytes = std::vector<std::byte>;

namespace {

// The message with which these bytes are refused; fails the test when they are accepted.
std::string refusal(const Bytes& bytes) {
  const TemporaryFile file(bytes);
  try {
    const GgufFile opened(file.path());
  } catch (const ModelError& error) {
    const std::string message = error.what();
    CHECK_THAT(message, Catch::StartsWith(file.path().string() + ": at byte "));
    return message.substr(file.path().string().size() + 2);
  }
  FAIL("the file was accepted");
  return {};
}

std::string refusal(const GgufWriter& writer) {
  return refusal(writer.bytes());
}

template <class T>
void patch(Bytes& bytes, std::size_t at, T value) {
  REQUIRE(at + sizeof(T) <= bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

template <class T>
void append(Bytes& bytes, T value) {
  bytes.resize(bytes.size() + sizeof(T));
  std::memcpy(bytes.data() + bytes.size() - sizeof(T), &value, sizeof(T));
}

Bytes array_header(std::uint32_t type, std::uint64_t count) {
  Bytes out;
  append(out, type);
  append(out, count);
  return out;
}

constexpr std::size_t kVersionAt = 4, kTensorsAt = 8, kKeysAt = 16, kFirstKeyAt = 24;

// One key of 5 + 4 bytes and one F32 tensor "t" of 8 values.
GgufWriter small() {
  GgufWriter writer;
  writer.u32("a", 1).tensor("t", {8}, Format::f32, std::vector<float>(8, 1.0f));
  return writer;
}
constexpr std::size_t kTensorAt = kFirstKeyAt + 8 + 1 + 4 + 4;  // after the key
constexpr std::size_t kTensorDimsAt = kTensorAt + 8 + 1;
constexpr std::size_t kTensorShapeAt = kTensorDimsAt + 4;
constexpr std::size_t kTensorTypeAt = kTensorShapeAt + 8;
constexpr std::size_t kTensorOffsetAt = kTensorTypeAt + 4;

using Catch::Contains;
using Catch::StartsWith;

}  // namespace

TEST_CASE("files that are no GGUF are refused by what they are") {
  CHECK_THAT(refusal(Bytes{}), Contains("empty"));
  CHECK_THAT(refusal(Bytes(3, std::byte{'G'})), Contains("truncated"));
  Bytes bytes = small().bytes();
  std::memcpy(bytes.data(), "PK\x03\x04", 4);
  CHECK_THAT(refusal(bytes), Contains("no GGUF") && Contains("zip archive"));
  std::memcpy(bytes.data(), "lmgg", 4);
  CHECK_THAT(refusal(bytes), Contains("before GGUF") && Contains("convert"));
}

TEST_CASE("versions other than 2 and 3 are refused by name") {
  Bytes bytes = small().bytes();
  patch<std::uint32_t>(bytes, kVersionAt, 1);
  CHECK_THAT(refusal(bytes), StartsWith("at byte 4:") && Contains("version 1") && Contains("convert"));
  patch<std::uint32_t>(bytes, kVersionAt, 0x03000000);
  CHECK_THAT(refusal(bytes), Contains("big-endian") && Contains("gguf_convert_endian"));
  patch<std::uint32_t>(bytes, kVersionAt, 4);
  CHECK_THAT(refusal(bytes), Contains("version 4"));
  patch<std::uint32_t>(bytes, kVersionAt, 0);
  CHECK_THAT(refusal(bytes), Contains("version 0"));
}

TEST_CASE("counts that the file cannot hold are refused before memory is taken") {
  const std::uint64_t count = GENERATE(1000ull, 1ull << 32, 1ull << 62, ~0ull);
  Bytes bytes = small().bytes();
  patch(bytes, kTensorsAt, count);
  CHECK_THAT(refusal(bytes),
             StartsWith("at byte 8:") && Contains(std::to_string(count)) && Contains("truncated"));
  bytes = small().bytes();
  patch(bytes, kKeysAt, count);
  CHECK_THAT(refusal(bytes),
             StartsWith("at byte 16:") && Contains(std::to_string(count)) && Contains("truncated"));
  bytes = small().bytes();
  patch(bytes, kFirstKeyAt, count);
  CHECK_THAT(refusal(bytes),
             StartsWith("at byte 24:") && Contains(std::to_string(count)) && Contains("truncated"));
  bytes = small().bytes();
  patch(bytes, kTensorAt, count);
  CHECK_THAT(refusal(bytes), Contains(std::to_string(count)) && Contains("truncated"));
  const Bytes array = array_header(8, count);
  CHECK_THAT(refusal(GgufWriter().raw("a", 9, array)),
             Contains(std::to_string(count)) && Contains("truncated"));
  Bytes text;
  append(text, count);
  CHECK_THAT(refusal(GgufWriter().raw("a", 8, text)),
             Contains(std::to_string(count)) && Contains("truncated"));
}

TEST_CASE("counts over a limit are refused even where the file could hold them") {
  Bytes bytes = GgufWriter().bytes();
  bytes.resize(4u << 20);
  patch<std::uint64_t>(bytes, kTensorsAt, kMaxTensors + 1);
  CHECK_THAT(refusal(bytes), Contains("65537 tensors") && Contains("limit of 65536"));
  patch<std::uint64_t>(bytes, kTensorsAt, 0);
  patch<std::uint64_t>(bytes, kKeysAt, kMaxKeys + 1);
  CHECK_THAT(refusal(bytes), Contains("65537 keys") && Contains("limit of 65536"));
  patch<std::uint64_t>(bytes, kKeysAt, 1);
  patch<std::uint64_t>(bytes, kFirstKeyAt, kMaxKeyLength + 1);
  CHECK_THAT(refusal(bytes), Contains("a key of 65536 bytes") && Contains("limit of 65535"));
  CHECK_THAT(refusal(GgufWriter().string("a", std::string(kMaxStringLength + 1, 'x'))),
             Contains("limit of 16777216"));
  CHECK_THAT(refusal(GgufWriter().tensor(std::string(65, 'n'), {1}, Format::f32, std::vector<float>(1))),
             Contains("name of a tensor") && Contains("limit of 64"));

  Bytes array = array_header(7, kMaxArrayElements + 1);
  array.resize(array.size() + kMaxArrayElements + 1);
  CHECK_THAT(refusal(GgufWriter().raw("a", 9, array)),
             Contains("4194305 values") && Contains("limit of 4194304"));
  array.pop_back();
  patch<std::uint64_t>(array, 4, kMaxArrayElements);
  const GgufWriter three = GgufWriter().raw("a", 9, array).raw("b", 9, array).raw("c", 9, array);
  CHECK_THAT(refusal(three), Contains("over 8388608 values"));
}

TEST_CASE("metadata and directory have a limit together") {
  // Seventeen strings of the greatest length, in memory that is only reserved.
  constexpr std::uint64_t kItem = 8 + kMaxStringLength;
  const std::unique_ptr<void, decltype(&std::free)> memory(std::calloc(17, kItem), &std::free);
  REQUIRE(memory != nullptr);
  auto* bytes = static_cast<std::byte*>(memory.get());
  for (std::uint64_t i = 0; i < 17; ++i) std::memcpy(bytes + i * kItem, &kMaxStringLength, 8);
  GgufReader reader(std::span(bytes, 17 * kItem), "file");
  for (int i = 0; i < 15; ++i) CHECK(reader.read_string(kMaxStringLength, "text").size() == kMaxStringLength);
  CHECK_THROWS_WITH(reader.read_string(kMaxStringLength, "text"), Contains("exceed 256 MiB"));
}

TEST_CASE("metadata values are checked") {
  CHECK_THAT(refusal(GgufWriter().raw("a", 13, array_header(0, 0))), Contains("type 13"));
  CHECK_THAT(refusal(GgufWriter().raw("a", 0xffffffffu, array_header(0, 0))), Contains("type 4294967295"));
  CHECK_THAT(refusal(GgufWriter().raw("a", 9, array_header(13, 0))), Contains("type 13"));
  CHECK_THAT(refusal(GgufWriter().raw("a", 9, array_header(9, 0))), Contains("array of arrays"));
  CHECK_THAT(refusal(GgufWriter().raw("a", 7, Bytes(1, std::byte{2}))), Contains("boolean is 2"));
  CHECK_THAT(refusal(GgufWriter().u32("same", 1).f32("other", 1).u32("same", 2)),
             Contains("key 'same' appears twice, first at byte 24"));
  CHECK_THAT(refusal(GgufWriter().u32("", 1)), Contains("no name"));
  CHECK_THAT(refusal(GgufWriter().u32("ok", 1).raw("cut", 10, Bytes(7))), Contains("ends after 7"));
}

TEST_CASE("general.alignment is a power of two within bounds") {
  for (const std::uint32_t value : {0u, 3u, 33u, 1u << 21, 0x80000000u, 0xffffffffu}) {
    CHECK_THAT(refusal(small().u32("general.alignment", value)),
               Contains("general.alignment is " + std::to_string(value)) &&
                   Contains("power of two from 1 to 1048576"));
  }
  CHECK_THAT(refusal(small().string("general.alignment", "32")), Contains("unsigned integer"));
}

TEST_CASE("tensor shapes are checked") {
  Bytes bytes = small().bytes();
  patch<std::uint32_t>(bytes, kTensorDimsAt, 0);
  CHECK_THAT(refusal(bytes), Contains("tensor 't' has 0 dimensions"));
  patch<std::uint32_t>(bytes, kTensorDimsAt, 5);
  CHECK_THAT(refusal(bytes), Contains("5 dimensions, but should have 1 to 4"));
  bytes = small().bytes();
  patch<std::uint64_t>(bytes, kTensorShapeAt, 0);
  CHECK_THAT(refusal(bytes), Contains("dimension 0 of tensor 't' is 0"));
  patch<std::uint64_t>(bytes, kTensorShapeAt, ~0ull);
  CHECK_THAT(refusal(bytes), Contains("more than 2^63"));
  const std::uint64_t big = 1ull << 32;
  CHECK_THAT(refusal(GgufWriter().tensor("t", {big, big}, 0, Bytes(64))), Contains("more than 2^63"));
  CHECK_THAT(refusal(GgufWriter().tensor("t", {big, big >> 1, 2, big}, 24, Bytes(64))),
             Contains("more than 2^63"));
  CHECK_THAT(refusal(GgufWriter().tensor("t", {big, big >> 2}, 28, Bytes(64))), Contains("more than 2^63"));
  CHECK_THAT(refusal(GgufWriter().tensor("", {1}, 0, Bytes(4))), Contains("no name"));
}

TEST_CASE("tensor types are checked") {
  Bytes bytes = small().bytes();
  for (const std::uint32_t type : {4u, 5u, 43u, 0xffffffffu}) {
    patch<std::uint32_t>(bytes, kTensorTypeAt, type);
    CHECK_THAT(refusal(bytes), Contains("type number " + std::to_string(type)) && Contains("Q8_0"));
  }
  patch<std::uint32_t>(bytes, kTensorTypeAt, 8);
  CHECK_THAT(refusal(bytes), Contains("have 8 values, but Q8_0 stores blocks of 32"));
  patch<std::uint32_t>(bytes, kTensorTypeAt, 12);
  CHECK_THAT(refusal(bytes), Contains("Q4_K stores blocks of 256"));
}

TEST_CASE("tensor data lies in the file, aligned, without overlap") {
  Bytes bytes = small().bytes();
  patch<std::uint64_t>(bytes, kTensorOffsetAt, 4);
  CHECK_THAT(refusal(bytes), Contains("offset 4, which is no multiple of the alignment 32"));
  patch<std::uint64_t>(bytes, kTensorOffsetAt, 32);
  CHECK_THAT(refusal(bytes), Contains("takes 32 bytes from offset 32") && Contains("truncated: download"));
  patch<std::uint64_t>(bytes, kTensorOffsetAt, ~0ull << 5);
  CHECK_THAT(refusal(bytes), Contains("truncated"));
  bytes = small().bytes();
  patch<std::uint64_t>(bytes, kTensorShapeAt, 1ull << 40);
  CHECK_THAT(refusal(bytes), Contains("4398046511104 bytes") && Contains("truncated"));

  const Bytes data(64);
  GgufWriter overlap;
  overlap.tensor("b", {16}, 0, data, 32).tensor("a", {16}, 0, data, 0);
  CHECK_THAT(refusal(overlap), Contains("tensor 'b'") && Contains("inside tensor 'a'"));
  GgufWriter same;
  same.tensor("a", {16}, 0, data, 0).tensor("b", {16}, 0, data, 0);
  CHECK_THAT(refusal(same), Contains("inside tensor"));
  GgufWriter twice;
  twice.tensor("a", {16}, 0, data).tensor("a", {16}, 0, data);
  CHECK_THAT(refusal(twice), Contains("tensor 'a' appears twice"));
}

TEST_CASE("tensors may lie in any order and with gaps") {
  const Bytes data(64);
  GgufWriter writer;
  writer.tensor("b", {16}, 0, data, 128)
      .tensor("a", {16}, 0, data, 0)
      .tensor("c", {1}, 0, Bytes(128 + 64), 224);
  const TemporaryFile file(writer.bytes());
  const GgufFile opened(file.path());
  CHECK(opened.find_tensor("b")->file_offset == opened.find_tensor("a")->file_offset + 128);
}

TEST_CASE("text of a file cannot disturb a message") {
  CHECK(in_quotes("plain.key") == "'plain.key'");
  CHECK(in_quotes("\x1b[31m\n'\\\xff") == "'\\x1b[31m\\x0a\\x27\\x5c\\xff'");
  CHECK(in_quotes(std::string(81, 'a')) == "'" + std::string(80, 'a') + "...'");
}
