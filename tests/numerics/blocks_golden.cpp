// SPDX-License-Identifier: Apache-2.0
// Do rows encode and decode as independent rules (scripts/modelkit, Python) say?
#include <bit>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "numerics/blocks.h"

using namespace tokencycle;

namespace {

std::string hexadecimal(const std::vector<std::byte>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text += kDigits[std::to_integer<std::size_t>(b >> 4)];
    text += kDigits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return text;
}

}  // namespace

TEST_CASE("encode_row agrees with the golden vectors of the Python quantizers") {
  std::ifstream file(TOKENCYCLE_SOURCE_DIR "/tests/golden/quantizer_vectors.json");
  REQUIRE(file.good());
  const auto golden = nlohmann::json::parse(file);
  REQUIRE(golden["vectors"].size() > 10);
  for (const auto& vector : golden["vectors"]) {
    std::vector<float> values;
    for (const std::string& bits : vector["input"].get<std::vector<std::string>>()) {
      values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(bits, nullptr, 16))));
    }
    for (const Format f :
         {Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q8_1, Format::q4_1}) {
      const std::string name(name_of(f));
      if (!vector.contains(name)) continue;
      std::vector<std::byte> row(row_bytes(f, values.size()));
      encode_row(f, values, row);
      CAPTURE(vector["name"].get<std::string>(), name);
      REQUIRE(hexadecimal(row) == vector[name].get<std::string>());
    }
  }
}

TEST_CASE("decode_row agrees with the golden vectors of the rules element by element") {
  std::ifstream file(TOKENCYCLE_SOURCE_DIR "/tests/golden/decoder_vectors.json");
  REQUIRE(file.good());
  const auto golden = nlohmann::json::parse(file);
  REQUIRE(golden["vectors"].size() == 52);
  for (const auto& vector : golden["vectors"]) {
    const std::string name = vector["format"], block = vector["block"], values = vector["values"];
    Format f{};
    REQUIRE(format_from_name(name, f));
    std::vector<std::byte> row(block.size() / 2);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<std::byte>(std::stoul(block.substr(2 * i, 2), nullptr, 16));
    }
    REQUIRE(row.size() == block_bytes(f));
    std::vector<float> decoded(values.size() / 8);
    decode_row(f, row, 0, decoded);
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      CAPTURE(name, i);
      const auto bits = static_cast<std::uint32_t>(std::stoul(values.substr(8 * i, 8), nullptr, 16));
      REQUIRE(decoded[i] == std::bit_cast<float>(bits));  // zeros have no sign there
    }
  }
}

TEST_CASE("mxfp4 has no number that is not one, and no negative zero") {
  Format f{};
  REQUIRE(format_from_name("mxfp4", f));
  std::vector<std::byte> block(17, std::byte{0x98});  // halves 8, "-0", and 9, -0.5
  std::vector<float> values(32);
  block[0] = std::byte{255};
  decode_row(f, block, 0, values);
  CHECK(std::bit_cast<std::uint32_t>(values[0]) == 0);
  CHECK(values[16] == -0x1p127f);  // 2^128 has no place in fp32; half of it has
  block[0] = std::byte{0};
  decode_row(f, block, 0, values);
  CHECK(values[16] == -0x1p-128f);
}
