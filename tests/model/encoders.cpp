// SPDX-License-Identifier: Apache-2.0
// Encoders: is a file that says something else refused by name, do images become the right rows, and does
// every row see all others?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "model/image.h"
#include "model/reference/reference.h"
#include "refusal.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using test::GgufWriter;
using test::SyntheticModel;

namespace {

const SyntheticModel kVision = {.layers = 1,
                                .kv_heads = 4,
                                .vocabulary = 5,
                                .context = 17,
                                .tokenizer = test::SyntheticTokenizer::none,
                                .architecture = "vit",
                                .sizes = {{"image_size", 8}, {"patch_size", 2}}};

template <class Change>
std::string refusal(Change change) {
  return test::refusal(kVision, change);
}

auto number(const std::string& key, std::uint32_t value) {
  return [=](GgufWriter& w) {
    w.remove(key);
    w.u32(key, value);
  };
}

}  // namespace

TEST_CASE("files of vision Transformers that say something else are refused by name") {
  CHECK(refusal([](GgufWriter&) {}) == "accepted");
  CHECK_THAT(refusal(number("vit.image_size", 9)), Contains("multiple of the 2 of 'vit.patch_size'"));
  CHECK_THAT(refusal(number("vit.image_size", 5000)), Contains("'vit.image_size' is 5000"));
  CHECK_THAT(refusal(number("vit.patch_size", 0)), Contains("'vit.patch_size' is 0"));
  CHECK_THAT(refusal(number("vit.context_length", 16)), Contains("should be 17: 4 x 4 patches"));
  CHECK_THAT(refusal(number("vit.attention.head_count_kv", 2)), Contains("2 for keys and values"));
  CHECK_THAT(refusal([](GgufWriter& w) { w.remove("vit.patch_size"); }), Contains("'vit.patch_size'"));
  CHECK_THAT(refusal([](GgufWriter& w) { w.remove("vit.classifier.output_labels"); }),
             Contains("has 0 texts"));
  CHECK_THAT(refusal([](GgufWriter& w) {
               w.remove("vit.classifier.output_labels");
               w.strings("vit.classifier.output_labels", {"a", "b"});
             }),
             Contains("has 2 texts, but should have 5"));
  for (const std::string tensor : {"patch_embd.weight", "position_embd.weight", "cls.output.weight",
                                   "blk.0.attn_q.bias", "blk.0.ffn_up.weight", "output_norm.bias"}) {
    CHECK_THAT(refusal([&](GgufWriter& w) { REQUIRE(w.remove_tensor(tensor)); }),
               Contains("'" + tensor + "' is missing"));
  }
}

TEST_CASE("an image's patches are rows of pixels, and the last row is empty") {
  const Image image = parse_pgm("P2 4 2 10 0 1 2 3 4 5 6 10", "image");
  const std::vector<float> wanted = {0.0f, 0.1f, 0.4f, 0.5f, 0.2f, 0.3f, 0.6f, 1.0f, 0, 0, 0, 0};
  const std::vector<float> rows = patch_rows(image, 2);
  REQUIRE(rows.size() == wanted.size());
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i] == Approx(wanted[i]));
}

TEST_CASE("every row of an encoder sees all others, and an encoder generates nothing") {
  const auto model = test::make_synthetic_model(kVision);
  Reference reference(*model, Format::f16);
  std::vector<float> rows(17 * 4, 0.5f);
  const auto bytes = std::as_bytes(std::span(rows));
  const auto first = reference.encode(bytes);
  REQUIRE(first.size() == 17);
  CHECK(reference.encode(bytes) == first);
  rows[9 * 4] = 1.0f;
  const auto other = reference.encode(bytes);
  for (std::size_t row = 0; row < 17; ++row) CHECK(other[row] != first[row]);
  CHECK_THROWS_WITH(reference.step(0), Contains("generates nothing"));
  CHECK_THROWS_WITH(reference.encode(std::vector<std::byte>(18 * 16)), Contains("18 rows"));
}
