// SPDX-License-Identifier: Apache-2.0
// The independent engine: llama.cpp as the npm package @node-llama-cpp/linux-x64 ships it, pinned so that it
// repeats itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::engine {

// What changes the engine's own results (README.md here). The defaults are those that everything is compared
// with.
struct Pins {
  std::string cpu = "haswell";  // which libggml-cpu-*.so
  bool flash_attention = true;
  std::uint32_t micro_batch = 512;  // tokens evaluated together
  bool f32_cache = false;           // not with flash attention, which would make f16 of it
};

// What one router of the engine gave for the tokens of an append(): the scores that it chose by, and the
// experts in falling order of them.
struct Routing {
  std::size_t experts = 0;
  std::vector<float> scores;         // [tokens][experts]
  std::vector<std::uint32_t> order;  // [tokens][experts]
};

// True if this processor has the instructions of libggml-cpu-haswell.so.
bool processor_has_avx2();

class Engine {
 public:
  // vocabulary_only: no weights are read; tokenize() and spelling() alone work.
  // Throws std::runtime_error if the engine does not load the file. All engines of a process have the same
  // `cpu`: the library that was loaded first serves all.
  explicit Engine(const std::filesystem::path& model, bool vocabulary_only = false, const Pins& pins = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::vector<std::uint32_t> tokenize(std::string_view text, bool add_special, bool parse_special) const;
  std::string spelling(std::uint32_t token) const;  // control tokens give ""
  bool ends_text(std::uint32_t token) const;
  std::uint32_t vocabulary() const;

  // Appends `tokens` to the cache, as one batch, and returns the logits of the last `rows` of them:
  // rows x vocabulary values, valid until the next call.
  std::span<const float> append(std::span<const std::uint32_t> tokens, std::size_t rows);
  // Of the last append(), by layer; empty without experts. All of its tokens must have been asked for.
  const std::map<int, Routing>& routings() const;
  void reset();  // empties the cache

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// One message as the engine puts it into a template, up to the answer; nothing for a template that it does
// not know.
std::optional<std::string> chat_prompt(const std::string& chat_template, const std::string& message);

// Rewrites a model file in the format of llama.cpp's number `file_type` (enum llama_ftype: 3 Q4_1, 10 Q2_K
// ...).
void quantize_file(const std::filesystem::path& from, const std::filesystem::path& to, int file_type);

}  // namespace tokencycle::engine
