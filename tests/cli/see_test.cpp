// SPDX-License-Identifier: Apache-2.0
// see: labels, cycles, and images that are none or do not fit the model.
#include <catch2/catch.hpp>

#include "command_line.h"
#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using test::check_refusal;
using test::launch;
using test::Scratch;

namespace {

constexpr int kUsage = 2, kConfiguration = 3, kModel = 4, kIo = 7;
const std::string kDigit = TOKENCYCLE_SOURCE_DIR "/models/digit.pgm";

nlohmann::json seen_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "see");
  return test::launch_json(arguments)["inputs"];
}

}  // namespace

TEST_CASE("see names a digit that was drawn by hand, with its cycles, on machines of three dataflows") {
  for (const std::string machine : {"edge", "edge-os", "edge-dot"}) {
    const nlohmann::json seen = seen_of({kDigit, "-c", machine, "--check"});
    REQUIRE(seen.size() == 1);
    CHECK(seen[0]["label"] == "3");
    CHECK(seen[0]["probability"] > 0.9);
    std::uint64_t causes = 0;
    double probabilities = 0;
    for (const auto& [name, cycles] : seen[0]["causes"].items()) causes += cycles.get<std::uint64_t>();
    for (const auto& c : seen[0]["classes"]) probabilities += c["probability"].get<double>();
    CHECK(causes == seen[0]["cycles"]);
    CHECK(probabilities == Approx(1.0));
    CHECK(seen[0]["classes"].size() == 10);
  }
  const test::Outcome one = launch({"see", kDigit});
  CHECK_THAT(one.out,
             Catch::StartsWith("label   3 ") && Contains("where the cycles went") && Contains("total"));
}

TEST_CASE("neither a trace nor the clocking changes a cycle of an image") {
  const Scratch scratch;
  const nlohmann::json plain = seen_of({kDigit});
  const std::string trace = scratch / "digit.kanata";
  CHECK(seen_of({kDigit, "--clock", "every-edge", "--trace", trace}) == plain);
  CHECK(std::filesystem::file_size(trace) > 1000);
  check_refusal(kUsage, {"see", kDigit, "--trace", kDigit}, {"the command reads this file"});
  check_refusal(kUsage, {"see", kDigit, "--clock", "never"}, {"--clock is 'never'"});
}

TEST_CASE("an image is the same plain and binary, of a byte or two a pixel, and twice as once") {
  const Scratch scratch;
  const std::string plain = scratch.file(
      "plain.pgm", "P2 8 8 255\n" + [] {
        std::string all;
        for (int i = 0; i < 64; ++i) all += std::to_string(4 * i) + (i % 8 == 7 ? "\n" : " ");
        return all;
      }());
  std::string bytes = "P5\n8 8\n255\n", words = "P5 8 8 510 ";
  for (int i = 0; i < 64; ++i) {
    bytes += static_cast<char>(4 * i);
    words += {static_cast<char>(8 * i >> 8), static_cast<char>(8 * i & 255)};
  }
  const nlohmann::json seen =
      seen_of({plain, scratch.file("bytes.pgm", bytes), scratch.file("words.pgm", words), plain});
  REQUIRE(seen.size() == 4);
  for (const auto& image : seen) CHECK(image["classes"] == seen[0]["classes"]);
}

TEST_CASE("what is no image, or none for this model or machine, is refused by name") {
  const Scratch scratch;
  const auto refused = [&](int code, const std::string& contents, const std::vector<std::string>& parts) {
    check_refusal(code, {"see", scratch.file("x.pgm", contents)}, parts);
  };
  refused(kIo, "", {"x.pgm", "neither P2 nor P5"});
  refused(kIo, "P6 1 1 255 abc", {"neither P2 nor P5"});
  refused(kIo, "P2 8 8", {"ends before its largest grey value"});
  refused(kIo, "P2 8 8 16 1 2 3", {"ends before a grey value"});
  refused(kIo, "P2 8 8 16 x", {"a grey value is no number", "byte 10"});
  refused(kIo, "P2 1 1 16 17", {"a grey value is more than 16"});
  refused(kIo, "P2 0 8 16", {"its width is 0"});
  refused(kIo, "P2 4097 8 16", {"its width is more than 4096"});
  refused(kIo, "P2 1 1 65536 0", {"its largest grey value is more than 65535"});
  refused(kIo, "P2 1 1 16 3 4", {"more follows the last pixel"});
  refused(kIo, "P5 2 2 255 abc", {"3 bytes of pixels follow, and it has 4"});
  refused(kIo, "P5 1 1 300 \xff\xff", {"a grey value is 65535, more than 300"});
  refused(kModel, "P2 2 1 16 3 4", {"2 x 1 pixels", "takes 8 x 8", "scale it"});
  check_refusal(kIo, {"see", scratch / "none.pgm"}, {"none.pgm"});
  check_refusal(kUsage, {"see"}, {"needs an image"});
  check_refusal(kModel, {"see", kDigit, "-m", scratch.model()}, {"takes no images", "architecture vit"});
  check_refusal(kConfiguration, {"see", kDigit, "--set", "/scratchpad/capacity_kib=16"},
                {"/scratchpad/capacity_kib"});
  const std::string digits = TOKENCYCLE_SOURCE_DIR "/models/digits-vit-q8_0.gguf";
  check_refusal(kUsage, {"run", "-m", digits, "--timing-only", "--prompt-tokens", "3"},
                {"generates nothing"});
}
