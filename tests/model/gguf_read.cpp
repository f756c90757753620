// SPDX-License-Identifier: Apache-2.0
// Does a sound file read back as it was written?
#include <catch2/catch.hpp>
#include <cctype>
#include <cstring>
#include <limits>
#include <set>

#include "base/digest.h"
#include "base/error.h"
#include "model/gguf/gguf.h"
#include "model/gguf/types.h"
#include "support/gguf_writer.h"
#include "support/resource_limit.h"

using namespace tokencycle;
using namespace tokencycle::model;
using tokencycle::test::GgufWriter;
using tokencycle::test::TemporaryFile;

namespace {

GgufFile open(const GgufWriter& writer) {
  return GgufFile(TemporaryFile(writer.bytes()).path());
}

template <class T>
std::vector<std::byte> bytes_of(T value) {
  std::vector<std::byte> out(sizeof(T));
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

}  // namespace

TEST_CASE("metadata of every scalar type reads back in file order") {
  GgufWriter writer;
  writer.raw("a.u8", 0, bytes_of<std::uint8_t>(200)).raw("a.i8", 1, bytes_of<std::int8_t>(-100));
  writer.raw("a.u16", 2, bytes_of<std::uint16_t>(60000)).raw("a.i16", 3, bytes_of<std::int16_t>(-30000));
  writer.u32("a.u32", 4294967295u)
      .i32("a.i32", -7)
      .f32("a.f32", 0.1f)
      .boolean("a.yes", true)
      .boolean("a.no", false);
  writer.string("a.text", std::string("with \0 and \xff", 12)).string("a.empty", "");
  writer.u64("a.u64", std::numeric_limits<std::uint64_t>::max());
  writer.raw("a.i64", 11, bytes_of(std::numeric_limits<std::int64_t>::min())).raw("a.f64", 12, bytes_of(0.1));
  for (const std::uint32_t version : {2u, 3u}) {
    writer.version = version;
    const GgufFile file = open(writer);
    CHECK(file.version() == version);
    REQUIRE(file.metadata().size() == 14);
    CHECK(file.metadata().front().first == "a.u8");
    CHECK(file.metadata().back().first == "a.f64");
    CHECK(std::get<std::uint64_t>(*file.find("a.u8")) == 200);
    CHECK(std::get<std::int64_t>(*file.find("a.i8")) == -100);
    CHECK(std::get<std::uint64_t>(*file.find("a.u16")) == 60000);
    CHECK(std::get<std::int64_t>(*file.find("a.i16")) == -30000);
    CHECK(std::get<std::uint64_t>(*file.find("a.u32")) == 4294967295u);
    CHECK(std::get<std::int64_t>(*file.find("a.i32")) == -7);
    CHECK(std::get<double>(*file.find("a.f32")) == static_cast<double>(0.1f));
    CHECK(std::get<bool>(*file.find("a.yes")));
    CHECK_FALSE(std::get<bool>(*file.find("a.no")));
    CHECK(std::get<std::string>(*file.find("a.text")) == std::string("with \0 and \xff", 12));
    CHECK(std::get<std::string>(*file.find("a.empty")).empty());
    CHECK(std::get<std::uint64_t>(*file.find("a.u64")) == std::numeric_limits<std::uint64_t>::max());
    CHECK(std::get<std::int64_t>(*file.find("a.i64")) == std::numeric_limits<std::int64_t>::min());
    CHECK(std::get<double>(*file.find("a.f64")) == 0.1);
    CHECK(file.find("a.absent") == nullptr);
  }
}

TEST_CASE("arrays keep their element type") {
  GgufWriter writer;
  writer.strings("s", {"one", "", "three"}).f32_array("f", {1.5f, -2.0f}).i32_array("i", {-1, 2});
  writer.u32_array("u", {7, 8, 9}).u32_array("empty", {});
  std::vector<std::byte> flags = bytes_of<std::uint32_t>(7);  // element type, then the count, then 1 and 0
  for (const std::byte b : bytes_of<std::uint64_t>(2)) flags.push_back(b);
  flags.push_back(std::byte{1});
  flags.push_back(std::byte{0});
  writer.raw("b", 9, flags);
  const GgufFile file = open(writer);
  CHECK(file.get_array("s")->strings == std::vector<std::string>{"one", "", "three"});
  CHECK(file.get_array("f")->float_values == std::vector<double>{1.5, -2.0});
  CHECK(file.get_array("i")->signed_values == std::vector<std::int64_t>{-1, 2});
  CHECK(file.get_array("u")->unsigned_values == std::vector<std::uint64_t>{7, 8, 9});
  CHECK(file.get_array("b")->bool_values == std::vector<bool>{true, false});
  CHECK(file.get_array("empty")->size() == 0);
  CHECK(file.get_array("u")->size() == 3);
  CHECK(file.get_array("absent") == nullptr);
}

TEST_CASE("typed access converts what fits and refuses the rest by key and type") {
  GgufWriter writer;
  writer.u8("u", 3).i32("i", 5).i32("negative", -5).f32("f", 2.5f).boolean("b", true).string("s", "text");
  writer.u32_array("a", {1});
  const GgufFile file = open(writer);
  CHECK(file.require_unsigned("u") == 3);
  CHECK(file.require_unsigned("i") == 5);
  CHECK(file.get_float("f") == 2.5);
  CHECK(file.get_bool("b") == true);
  CHECK(file.get_string("s") == "text");
  CHECK_FALSE(file.get_unsigned("absent").has_value());
  CHECK_FALSE(file.get_float("absent").has_value());
  CHECK_FALSE(file.get_bool("absent").has_value());
  CHECK_FALSE(file.get_string("absent").has_value());
  CHECK_THROWS_AS(file.require_unsigned("absent"), ModelError);
  CHECK_THROWS_WITH(file.require_unsigned("absent"), Catch::StartsWith(file.path().string()) &&
                                                         Catch::Contains("'absent'") &&
                                                         Catch::Contains("missing"));
  CHECK_THROWS_WITH(file.get_unsigned("negative"), Catch::Contains("-5"));
  CHECK_THROWS_WITH(file.get_unsigned("s"),
                    Catch::Contains("should be an unsigned integer, but is a string"));
  CHECK_THROWS_WITH(file.get_float("u"), Catch::Contains("should be a floating-point number"));
  CHECK_THROWS_WITH(file.get_bool("f"), Catch::Contains("should be a boolean"));
  CHECK_THROWS_WITH(file.get_string("a"), Catch::Contains("should be a string, but is an array"));
  CHECK_THROWS_WITH(file.get_array("b"), Catch::Contains("should be an array, but is a boolean"));
}

TEST_CASE("tensors read back with shape, type, place and bytes") {
  const std::uint64_t alignment = GENERATE(1, 8, 32, 4096);
  GgufWriter writer;
  writer.alignment = alignment;
  if (alignment != 32) writer.u32("general.alignment", static_cast<std::uint32_t>(alignment));
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  writer.tensor("plain", {3, 2}, Format::f32, values);
  const std::vector<std::byte> blocks(66 * 4, std::byte{0x5a});
  writer.tensor("k", {512, 2}, 16, blocks);  // IQ2_XXS: blocks of 256 values in 66 bytes
  writer.tensor("four", {1, 1, 3, 2}, Format::f16, std::vector<float>(6, 0.5f));
  const GgufFile file = open(writer);
  REQUIRE(file.tensors().size() == 3);

  const GgufTensor* plain = file.find_tensor("plain");
  REQUIRE(plain == &file.tensors()[0]);
  CHECK(plain->shape == std::vector<std::uint64_t>{3, 2});
  CHECK(plain->elements() == 6);
  CHECK(plain->row_elements() == 3);
  CHECK(plain->rows() == 2);
  CHECK(plain->supported);
  CHECK(plain->format == Format::f32);
  CHECK(plain->type_name == "F32");
  CHECK(plain->bytes == 24);
  REQUIRE(plain->data.size() == 24);
  CHECK(std::memcmp(plain->data.data(), values.data(), 24) == 0);
  CHECK(plain->data.data() == file.bytes().data() + plain->file_offset);
  CHECK(plain->data.data() == file.tensor_data().data());

  const GgufTensor* k = file.find_tensor("k");
  CHECK_FALSE(k->supported);
  CHECK(k->type_name == "IQ2_XXS");
  CHECK(k->bytes == blocks.size());
  CHECK(k->data[0] == std::byte{0x5a});
  CHECK(file.find_tensor("four")->rows() == 6);
  for (const GgufTensor& tensor : file.tensors()) CHECK(tensor.file_offset % alignment == 0);
  CHECK(file.find_tensor("absent") == nullptr);
}

TEST_CASE("the rows of the table of formats have the sizes and names of GGUF's types") {
  int known = 0;
  for (const FormatRow& row : kFormatTable) {
    if (row.ggml < 0) continue;
    const GgmlType* type = find_ggml_type(static_cast<std::uint32_t>(row.ggml));
    CAPTURE(row.name);
    REQUIRE(type != nullptr);
    std::string name(row.name);
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    CHECK(type->name == name);
    CHECK(type->block_elements == row.block_elements);
    CHECK(type->block_bytes == row.block_bytes);
    CHECK(row_of(type->format().value()).name == row.name);
    ++known;
  }
  CHECK(known >= 16);
}

TEST_CASE("the digest is that of the whole file") {
  GgufWriter writer;
  writer.string("general.name", "digest").tensor("t", {4}, Format::f32, std::vector<float>(4, 1.0f));
  const std::vector<std::byte> bytes = writer.bytes();
  const TemporaryFile on_disk(bytes);
  GgufFile file(on_disk.path());
  CHECK(file.digest() == digest_of(bytes));
  const GgufFile moved(std::move(file));
  CHECK(moved.digest() == digest_of(bytes));
  CHECK(moved.bytes().size() == bytes.size());
  CHECK(moved.path() == on_disk.path());
}

TEST_CASE("every tensor type of ggml has a name and a size") {
  std::set<std::string_view> names;
  for (std::uint32_t id = 0; id <= 41; ++id) {
    const GgmlType* type = find_ggml_type(id);
    if (id == 4 || id == 5) {
      CHECK(type == nullptr);
      continue;
    }
    REQUIRE(type != nullptr);
    CHECK(type->id == id);
    CHECK(type->block_bytes > 0);
    CHECK(names.insert(type->name).second);
    if (!type->format()) continue;
    CHECK(type->block_elements == block_elements(*type->format()));
    CHECK(type->block_bytes == block_bytes(*type->format()));
    CHECK(test::ggml_type_of(*type->format()) == id);
  }
  CHECK(find_ggml_type(43) == nullptr);
  CHECK(find_ggml_type(0xffffffffu) == nullptr);
}

TEST_CASE("files that cannot be opened are I/O errors with the path") {
  CHECK_THROWS_AS(GgufFile("/nonexistent/model.gguf"), IoError);
  CHECK_THROWS_WITH(GgufFile("/nonexistent/model.gguf"), Catch::Contains("/nonexistent/model.gguf"));
  CHECK_THROWS_AS(GgufFile(std::filesystem::temp_directory_path()), IoError);
  CHECK_THROWS_WITH(GgufFile("/dev/null"), Catch::Contains("not a regular file"));
}

#ifndef __SANITIZE_ADDRESS__  // the sanitizers open a pipe to look whether an exception's memory is there
TEST_CASE("a file that cannot be mapped is an I/O error with the path") {
  const TemporaryFile sound(GgufWriter().bytes());
  const test::ResourceLimit limit(RLIMIT_NOFILE, 0);  // no further file can be opened
  CHECK_THROWS_AS(GgufFile(sound.path()), IoError);
  CHECK_THROWS_WITH(GgufFile(sound.path()), Catch::Contains(sound.path().string() + ": cannot be mapped"));
}
#endif
