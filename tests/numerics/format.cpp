// SPDX-License-Identifier: Apache-2.0
// Do the formats have the names, the sizes and the multiplier types that files and machines expect?
#include "numerics/format.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <stdexcept>
#include <string>

using namespace tokencycle;

TEST_CASE("format names are those of model files and configurations, both ways") {
  const std::pair<Format, std::string> names[] = {
      {Format::f32, "f32"},   {Format::f16, "f16"},   {Format::bf16, "bf16"}, {Format::q8_0, "q8_0"},
      {Format::q4_0, "q4_0"}, {Format::u8, "u8"},     {Format::u32, "u32"},   {Format::i8, "i8"},
      {Format::i4, "i4"},     {Format::q8_1, "q8_1"}, {Format::q4_1, "q4_1"}};
  REQUIRE(std::size(names) <= kFormats);
  for (const auto& [format, name] : names) {
    REQUIRE(name_of(format) == name);
    Format found = format == Format::f32 ? Format::u8 : Format::f32;
    REQUIRE(format_from_name(name, found));
    REQUIRE(found == format);
  }
}

TEST_CASE("an unknown format name leaves the result alone") {
  Format format = Format::q4_0;
  for (const char* name : {"", "F32", "q8", "q8_01", "f"}) REQUIRE_FALSE(format_from_name(name, format));
  REQUIRE(format == Format::q4_0);
}

TEST_CASE("a row of a format has the bytes that GGUF gives it") {
  REQUIRE(row_bytes(Format::f32, 7) == 28);
  REQUIRE(row_bytes(Format::f16, 7) == 14);
  REQUIRE(row_bytes(Format::bf16, 7) == 14);
  REQUIRE(row_bytes(Format::q8_0, 64) == 68);
  REQUIRE(row_bytes(Format::q4_0, 64) == 36);
  REQUIRE(row_bytes(Format::q4_1, 64) == 40);
  REQUIRE(row_bytes(Format::q8_1, 64) == 72);
  REQUIRE(row_bytes(Format::u8, 7) == 7);
  REQUIRE(row_bytes(Format::u32, 7) == 28);
}

TEST_CASE("integers without scales take a byte each, or a byte for two") {
  REQUIRE(row_bytes(Format::i8, 7) == 7);
  REQUIRE(row_bytes(Format::i4, 8) == 4);
  REQUIRE(row_bytes(Format::i4, 7) == 4);  // half of the last byte is unused
  REQUIRE(row_bytes(Format::i4, 1) == 1);
}

TEST_CASE("each weight format has its multiplier and its activation format") {
  REQUIRE(name_of(multiply_type(Format::f32)) == "fp32");
  REQUIRE(name_of(multiply_type(Format::f16)) == "fp16");
  REQUIRE(name_of(multiply_type(Format::bf16)) == "bf16");
  REQUIRE(name_of(multiply_type(Format::q8_0)) == "int8");
  REQUIRE(name_of(multiply_type(Format::q4_0)) == "int4");
  REQUIRE(name_of(multiply_type(Format::i8)) == "int8");
  REQUIRE(name_of(multiply_type(Format::i4)) == "int4");
  REQUIRE(activation_format(Format::f32) == Format::f32);
  REQUIRE(activation_format(Format::f16) == Format::f16);
  REQUIRE(activation_format(Format::bf16) == Format::bf16);
  REQUIRE(activation_format(Format::q8_0) == Format::q8_0);
  REQUIRE(activation_format(Format::q4_0) == Format::q8_0);
  REQUIRE(name_of(multiply_type(Format::q4_1)) == "int4");
  REQUIRE(activation_format(Format::q4_1) == Format::q8_1);
  REQUIRE(activation_format(Format::i8) == Format::i8);
  REQUIRE(activation_format(Format::i4) == Format::i8);
}

TEST_CASE("u8 and u32 are refused as operands of a product") {
  for (const Format f : {Format::u8, Format::u32}) {
    REQUIRE_THROWS_AS(multiply_type(f), std::invalid_argument);
    REQUIRE_THROWS_AS(activation_format(f), std::invalid_argument);
  }
}
