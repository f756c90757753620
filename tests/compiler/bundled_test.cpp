// SPDX-License-Identifier: Apache-2.0
// Does it fit? Figures of a real model on the bundled machine.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "session.h"

using namespace tokencycle;

namespace {

const std::filesystem::path kSource = TOKENCYCLE_SOURCE_DIR;

}  // namespace

TEST_CASE("stories260K on the edge machine: same bits, every weight byte loaded once, short programs") {
  const auto file = kSource / "../shared/models/stories260K-q8_0.gguf";
  if (!std::filesystem::exists(file)) {
    WARN("no stories260K-q8_0.gguf beside the project; nothing compared");
    return;
  }
  const model::LlamaModel model{model::GgufFile(file)};
  test::CompilerSession session(model, config::read_machine(kSource / "configs/edge.json"));
  std::vector<std::uint32_t> tokens(100, 1);
  for (std::uint32_t i = 1; i < tokens.size(); ++i) tokens[i] = (tokens[i - 1] * 77 + 13) % 512;
  const std::span<const std::uint32_t> all(tokens);
  const std::uint32_t batch = std::min(session.compiler().batch_limit(), 96u);
  REQUIRE(session.step(all.first(batch)) == "");
  const auto prefill_words = session.last().program.words.size();
  const test::InterpreterCounts before = session.counts();
  REQUIRE(session.step(all.subspan(batch, 1)) == "");
  const test::InterpreterCounts& after = session.counts();

  const std::uint64_t loaded = after.loaded_bytes - before.loaded_bytes;
  const std::uint64_t cache =
      std::uint64_t{model.shape().layers} * 2 * batch * row_bytes(Format::f16, model.shape().kv_width(0));
  const std::uint64_t weights = model.file().tensor_data().size();
  INFO(fmt::format("decode: {} words, {} instructions, {} bytes loaded, of the cache {}, of the file {}",
                   session.last().program.words.size(), after.instructions - before.instructions, loaded,
                   cache, weights));
  CHECK(prefill_words < 2000);
  CHECK(session.last().program.words.size() < 1000);
  CHECK(loaded <= cache + weights + 4096);
}
