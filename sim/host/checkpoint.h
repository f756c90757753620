// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a run: the run's full state after a step, in a file, so that another process continues
// there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/machine.h"
#include "model/architecture.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::host {

struct ModelRun;

struct CheckpointRequest {
  static constexpr std::uint32_t kDefaultEvery = 16;
  std::filesystem::path write;          // empty: none is written
  std::uint32_t every = kDefaultEvery;  // steps: a part of the prompt, or a token
  std::filesystem::path resume;         // empty: from the beginning
  bool quiet = false;                   // does not report on standard error where it continues
};

// Where a run was when a checkpoint was made.
struct CheckpointPlace {
  std::uint64_t steps = 0, tokens = 0;  // done; complete
  Cycle cycle;                          // the last one
};

// The file is one line of JSON (schema "tokencycle-checkpoint-1": of which program and which run it is, and
// where), the state as bytes, and a digest of both. It is for the very program that wrote it, and for the
// same model, machine and settings; the number of new tokens may be another. sim/cli/README.md describes it.
class Checkpoints {
 public:
  Checkpoints(const CheckpointRequest& request, const model::LlamaModel& model,
              const config::Machine& machine)
      : request_(request), model_(model), machine_(machine) {}

  // Before the first step, when the prompt's tokens are known: reads the state where the run is to continue.
  // `planned`: the new tokens of each sequence, where they are given. Throws IoError for a file that cannot
  // be read or is damaged, UsageError for one of another program or another run.
  void begin(ModelRun& run, std::span<const std::vector<model::TokenId>> planned = {});
  // After each step. A file that cannot be written is reported on standard error, and the run continues.
  void stepped(ModelRun& run);

  // The newest one from which the run can continue: written by it, or the one where it began.
  struct File {
    std::filesystem::path path;
    CheckpointPlace place;
  };
  const std::optional<File>& last() const { return last_; }

 private:
  void read(ModelRun& run, std::span<const std::vector<model::TokenId>> planned);
  void write(ModelRun& run);

  const CheckpointRequest request_;
  const model::LlamaModel& model_;
  const config::Machine& machine_;
  std::string build_;           // program_file_digest()
  nlohmann::ordered_json run_;  // what is run, but for the number of new tokens
  std::optional<File> last_;
  // Waiting for the disk takes at most about one part of the time in so many.
  static constexpr double kDurableShare = 20;
  double durable_from_ = 0;  // wall clock: from then on the next one is made durable
};

}  // namespace tokencycle::host
