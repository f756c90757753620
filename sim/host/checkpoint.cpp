// SPDX-License-Identifier: Apache-2.0
#include "host/checkpoint.h"

#include <fmt/format.h>

#include <cstdio>
#include <new>

#include "base/error.h"
#include "base/state_archives.h"
#include "base/text.h"
#include "base/wall_clock.h"
#include "host/checkpoint_file.h"
#include "host/model_run.h"

namespace tokencycle::host {

namespace {

using Json = nlohmann::ordered_json;

// All that a run's course depends on. Recorders that are there have state.
Json run_json(const model::LlamaModel& model, const config::Machine& machine, const ModelRun& run) {
  const InferenceOptions& options = run.settings.inference;
  Json json;
  json["model"] = {{"digest", model.file().digest()},
                   {"shapes_from", std::string(shapes_source(model))},
                   {"weights", std::string(name_of(model.matrix_format()))}};
  json["configuration"] = Json::parse(config::to_json(machine));
  json["settings"] = settings_json(model, run.settings, run.report, *run.inference);
  json["settings"].erase("new_tokens");
  json["prompt_tokens"] = Json::array();
  for (const SequenceReport& s : run.report.sequences) json["prompt_tokens"].push_back(s.prompt_tokens);
  json["clock"] = options.clocking == machine::Clocking::gated ? "gated" : "every-edge";
  json["result"] = options.record.has_value();
  if (options.record) {
    json["pipeline_token"] = options.record->pipeline_token;
    json["pipeline_instructions"] = options.record->pipeline_instructions;
  }
  return json;
}

// "/settings/seed is 1 there and 2 here"; of several the first, and how many more there are.
std::string difference_text(const Json& there, const Json& here) {
  const Json a = there.flatten(), b = here.flatten();
  std::string first;
  std::size_t more = 0;
  const auto note = [&](const std::string& key, const Json* x, const Json* y) {
    if (!first.empty()) return ++more;
    const auto text = [](const Json* value) { return value == nullptr ? "missing" : value->dump(); };
    first = fmt::format("{} is {} there and {} here", key, printable(text(x), 80), printable(text(y), 80));
    return more;
  };
  for (const auto& [key, value] : a.items()) {
    const auto found = b.find(key);
    if (found == b.end() || *found != value) note(key, &value, found == b.end() ? nullptr : &*found);
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) note(key, nullptr, &value);
  }
  return more == 0 ? first : fmt::format("{}, and {} more", first, more);
}

template <class Archive>
void serialize_run(Archive& state, ModelRun& run) {
  state(*run.inference, run.report.tokens, run.report.first_token, run.report.all_tokens,
        run.report.prefill_operators, run.report.decode_operators);
  for (SequenceReport& sequence : run.report.sequences) state(sequence);
  for (model::Sampler& sampler : run.samplers) state(sampler);
}

// A line for the user. Where standard error cannot be written (a full disk), the run continues.
void tell(const std::string& line) {
  static_cast<void>(std::fputs(("tokencycle: " + line + "\n").c_str(), stderr));
}

CheckpointPlace place_of(const ModelRun& run) {
  return {run.inference->steps(), run.report.tokens.size(), Cycle(run.inference->end().value - 1)};
}

}  // namespace

void Checkpoints::begin(ModelRun& run, std::span<const std::vector<model::TokenId>> planned) {
  if (request_.write.empty() && request_.resume.empty()) return;
  build_ = program_file_digest();
  if (build_.empty()) {
    throw IoError(
        "/proc/self/exe: the program's file cannot be read, by which a checkpoint knows the build that wrote "
        "it; mount /proc, or leave out --checkpoint and --resume");
  }
  run_ = run_json(model_, machine_, run);
  if (!request_.resume.empty()) read(run, planned);
}

void Checkpoints::read(ModelRun& run, std::span<const std::vector<model::TokenId>> planned) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format("--resume {}: {}", request_.resume.string(), why));
  };
  read_checkpoint(request_.resume, [&](const Json& header, std::istream& in) {
    if (header.at("build") != build_) {
      refuse(
          fmt::format("the checkpoint was written by another build of tokencycle (version {}), whose state "
                      "is laid out in its own way; resume with that one, or start the run anew",
                      header.at("version").get<std::string>()));
    }
    if (header.at("run") != run_) {
      refuse(
          fmt::format("the checkpoint is of another run: {}; give the same model, machine and options "
                      "(all but --new-tokens)",
                      difference_text(header.at("run"), run_)));
    }
    try {
      StateReader reader(in);
      serialize_run(reader, run);
    } catch (const cereal::Exception& error) {
      throw IoError(fmt::format("{}: the checkpoint's state cannot be read: {}", request_.resume.string(),
                                error.what()));
    }
  });
  const std::vector<TokenReport>& tokens = run.report.tokens;
  if (tokens.size() >= run.settings.new_tokens) {
    refuse(fmt::format("the checkpoint has {} tokens already, and --new-tokens asks for {}; ask for more",
                       tokens.size(), run.settings.new_tokens));
  }
  for (std::size_t s = 0; s < planned.size(); ++s) {
    const std::vector<model::TokenId>& ids = run.report.sequences[s].ids;
    for (std::size_t i = 0; i < ids.size() && i < planned[s].size(); ++i) {
      if (ids[i] == planned[s][i]) continue;
      refuse(fmt::format("new token {} is {} in the checkpoint and {} in --tokens; give the same", i, ids[i],
                         planned[s][i]));
    }
  }
  last_ = {request_.resume, place_of(run)};
  run.report.resumed_at = last_->place.cycle;
  if (!request_.quiet) {
    tell(fmt::format("resumed from {} after {} token{} and cycle {}", request_.resume.string(),
                     with_separators(last_->place.tokens), last_->place.tokens == 1 ? "" : "s",
                     with_separators(last_->place.cycle.value)));
  }
}

void Checkpoints::stepped(ModelRun& run) {
  if (request_.write.empty() || run.inference->steps() % request_.every != 0) return;
  const auto go_on = [this](const std::string& why) {
    tell(fmt::format("{}; the run continues, and {}", why,
                     last_ ? fmt::format("{} stays as it was after cycle {}", last_->path.string(),
                                         with_separators(last_->place.cycle.value))
                           : "there is no checkpoint of it yet"));
  };
  try {
    write(run);
    last_ = {request_.write, place_of(run)};
  } catch (const IoError& error) {
    go_on(error.what());
  } catch (const std::bad_alloc&) {
    go_on(request_.write.string() + ": the checkpoint cannot be written: out of memory");
  }
}

void Checkpoints::write(ModelRun& run) {
  const CheckpointPlace place = place_of(run);
  Json header;
  header["schema"] = kCheckpointSchema;
  header["version"] = TOKENCYCLE_VERSION;
  header["build"] = build_;
  header["steps"] = place.steps;
  header["tokens"] = place.tokens;
  header["cycle"] = place.cycle.value;
  header["run"] = run_;
  const auto state = [&](std::ostream& out) {
    StateWriter writer(out);
    serialize_run(writer, run);
  };
  const double begin = wall_seconds();
  const bool durable = begin >= durable_from_;
  write_checkpoint(request_.write, header, state, durable);
  const double end = wall_seconds();
  if (durable) durable_from_ = end + kDurableShare * (end - begin);
}

}  // namespace tokencycle::host
