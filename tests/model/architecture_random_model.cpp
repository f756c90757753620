// SPDX-License-Identifier: Apache-2.0
// Does scripts/make_random_model.py write models that load?
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "model/architecture.h"
#include "numerics/blocks.h"
#include "support/gguf_writer.h"

using namespace tokencycle;
using namespace tokencycle::model;
using tokencycle::test::TemporaryFile;

namespace {

const std::string kScript = std::string(TOKENCYCLE_SOURCE_DIR) + "/scripts/make_random_model.py";

// Exit status 0 of the script with these options.
bool make(const std::string& options) {
  return std::system(("python3 '" + kScript + "' " + options + " > /dev/null 2>&1").c_str()) == 0;
}

bool no_python() {
  const bool absent = std::system("python3 -c 'import sys' > /dev/null 2>&1") != 0;
  if (absent) WARN("skipped: no python3");
  return absent;
}

}  // namespace

TEST_CASE("the random model script writes models that load") {
  if (no_python()) return;
  const auto [name, format] = GENERATE(table<std::string, Format>(
      {{"f32", Format::f32}, {"f16", Format::f16}, {"q8_0", Format::q8_0}, {"q4_0", Format::q4_0}}));
  const TemporaryFile file;
  REQUIRE(make("--out '" + file.path().string() +
               "' --layers 3 --width 64 --heads 8 --kv-heads 4 --feed-forward 100" +
               " --vocab 270 --context 40 --seed 5 --type " + name));
  const LlamaModel model(GgufFile(file.path()));
  CHECK(model.shape().layers == 3);
  CHECK(model.shape().width == 64);
  CHECK(model.shape().heads == 8);
  CHECK(model.shape().kv_heads == 4);
  CHECK(model.shape().feed_forward == 100);
  CHECK(model.shape().vocabulary == 270);
  CHECK(model.shape().context == 40);
  CHECK(model.file().get_array("tokenizer.ggml.scores")->size() == 270);
  const Weight& q = *model.graph().find("blk.2.attn_q").weight;
  CHECK(q.format == format);
  CHECK(model.graph().find("blk.2.ffn_down").weight->format ==
        (block_elements(format) == 1 ? format : Format::f16));

  // The encodings are those of sim/numerics: variance 1 / 64 (4 bits add a little).
  double squares = 0;
  std::vector<float> row(64);
  for (std::uint32_t r = 0; r < q.rows; ++r) {
    decode_row(q.format, q.row(r), 0, row);
    for (const float value : row) squares += static_cast<double>(value) * value;
  }
  CHECK(squares / q.rows == Approx(1.0).epsilon(0.1));
}

TEST_CASE("the random model script has defaults, is repeatable and refuses impossible shapes") {
  if (no_python()) return;
  const TemporaryFile one, two, other;
  REQUIRE(make("--out '" + one.path().string() + "'"));
  REQUIRE(make("--out '" + two.path().string() + "' --seed 1"));
  REQUIRE(make("--out '" + other.path().string() + "' --seed 2"));
  const LlamaModel model(GgufFile(one.path()));
  CHECK(model.shape().layers == 2);
  CHECK(model.graph().find("embedding").weight->format == Format::q8_0);
  CHECK(model.file().digest() == GgufFile(two.path()).digest());
  CHECK(model.file().digest() != GgufFile(other.path()).digest());
  CHECK_FALSE(make("--out '" + one.path().string() + "' --vocab 100"));
  CHECK_FALSE(make("--out '" + one.path().string() + "' --heads 5"));
  CHECK_FALSE(make("--out '" + one.path().string() + "' --kv-heads 3"));
  CHECK_FALSE(make("--out '" + one.path().string() + "' --layers 0"));
  CHECK_FALSE(make("--out /nonexistent/model.gguf"));
}
