// SPDX-License-Identifier: Apache-2.0
#include "explore/result/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/read_file.h"
#include "config/violations.h"
#include "explore/result/readers.h"
#include "explore/result/text.h"

namespace tokencycle::explore {

using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kSchema = "tokencycle-result-1";
constexpr std::size_t kMostCounters =
    8192;  // each is compared with those before it; 64 channels have some 1,300

// Another kind of document is said to be one.
void check_schema(const Json& document, const std::string& source) {
  const auto fail = [&](const std::string& why) {
    throw IoError(fmt::format("{}: this is no result of a run (schema {}): {}", source, kSchema, why));
  };
  const bool named = document.is_object() && document.contains("schema") && document["schema"].is_string();
  if (!named) fail("it has no schema; write one with `tokencycle run --result FILE`");
  const std::string schema = document["schema"].get<std::string>();
  if (schema == kSchema) return;
  const bool machine = schema.starts_with("tokencycle-machine-");
  fail(fmt::format(
      "its schema is {}; {}", config::escaped(config::shortened(schema)),
      machine ? "give a machine with -c" : "write one with this version's `tokencycle run --result FILE`"));
}

void read_model(const Node& model, ResultModel& read) {
  read = {model.at("file").text(),        model.at("name").text(),    model.at("architecture").text(),
          model.at("shapes_from").text(), model.at("weights").text(), model.at("digest").text()};
}

// The machine's values stay as they are; the clock and the memory's peak are needed for rates.
void read_configuration(const Node& configuration, Result& result) {
  result.machine = configuration.at("name").text();
  result.machine_digest = configuration.at("digest").text();
  const Node values = configuration.at("values");
  const Node clock = values.at("clock_ghz");
  result.clock_ghz = clock.number();
  if (result.clock_ghz == 0) clock.refuse("0 is no clock");
  const Node dram = values.at("dram");
  const std::optional<Node> system = dram.find("system");
  const std::uint64_t channels = (system ? *system : dram).at("channels").count();
  result.peak_dram_gb_per_s = dram.at("channel_gb_per_s").number() * static_cast<double>(channels);
  result.values = values.json();
}

template <class Read>
auto optional_of(const Node& object, const std::string& key, const Read& read)
    -> std::optional<decltype(read(object))> {
  const std::optional<Node> value = object.find(key);
  return value ? std::optional(read(*value)) : std::nullopt;
}

void read_settings(const Node& settings, ResultSettings& read) {
  const auto count = [](const Node& node) { return node.count(); };
  const auto seed = [](const Node& node) { return node.count(std::numeric_limits<std::uint64_t>::max()); };
  const auto number = [](const Node& node) { return node.number(); };
  read.prompt = settings.at("prompt").text();
  read.kv_format = settings.at("kv_format").text();
  read.rope_pairs = settings.at("rope_pairs").text();
  read.new_tokens = settings.at("new_tokens").count();
  read.context = settings.at("context").count();
  read.batch = settings.at("batch").count();
  read.sequences = optional_of(settings, "sequences", count).value_or(1);
  read.position = optional_of(settings, "position", count).value_or(0);
  read.temperature = settings.at("temperature").number();
  read.top_k = optional_of(settings, "top_k", count);
  read.seed = optional_of(settings, "seed", seed);
  read.top_p = optional_of(settings, "top_p", number);
  read.ignore_eos = settings.at("ignore_eos").flag();
  read.checked_against_reference = settings.at("checked_against_reference").flag();
  read.timing_only = settings.at("timing_only").flag();
  read.prompt_ids = settings.at("prompt_ids").text();
  read.new_ids = settings.at("new_ids").text();
}

std::vector<std::uint32_t> read_ids(const Node& list) {
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < list.size(); ++i) {
    ids.push_back(static_cast<std::uint32_t>(list[i].count(std::numeric_limits<std::uint32_t>::max())));
  }
  return ids;
}

// A step made a token of each sequence that had not ended.
void read_sequences(const Node& sequences, Result& result) {
  if (sequences.size() != result.settings.sequences) {
    sequences.refuse(fmt::format("{} sequences, but /settings/sequences is {}", sequences.size(),
                                 result.settings.sequences));
  }
  std::vector<std::uint64_t> made(result.tokens.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Node entry = sequences[i];
    result.sequences.push_back({entry.at("prompt").text(), entry.at("text").text(),
                                read_ids(entry.at("prompt_tokens")), read_ids(entry.at("ids"))});
    const std::size_t ids = result.sequences.back().ids.size();
    if (ids > made.size()) entry.at("ids").refuse(fmt::format("{} ids of {} steps", ids, made.size()));
    for (std::size_t t = 0; t < ids; ++t) ++made[t];
  }
  for (std::size_t t = 0; t < made.size(); ++t) {
    sequences.check_sum(made[t], result.tokens[t].sequences, fmt::format("/tokens/{}/sequences", t));
  }
}

void read_stop(const Node& document, Result& result) {
  const Node reason = document.at("stop_reason");
  result.stop_reason = reason.text();
  if (result.stop_reason == "interrupted") {
    result.interrupted_at = document.at("interrupted_at").count();
  } else if (result.stop_reason != "length" && result.stop_reason != "end of text") {
    reason.refuse("it must be \"length\", \"end of text\" or \"interrupted\"");
  }
}

void read_counters(const Node& counters, Result& result) {
  if (counters.size() > kMostCounters) {
    counters.refuse(fmt::format("{} counters; there are at most {}", counters.size(), kMostCounters));
  }
  for (std::size_t i = 0; i < counters.size(); ++i) {
    const Node entry = counters[i];
    ResultCounter counter{entry.at("name").text(), entry.at("unit").text(), entry.at("meaning").text(),
                          entry.at("value").count(std::numeric_limits<std::uint64_t>::max())};
    if (result.counter(counter.name)) entry.at("name").refuse("this counter is given twice");
    result.counters.push_back(std::move(counter));
  }
}

}  // namespace

std::uint64_t ResultUnit::cycles(const std::string& state) const {
  const auto found =
      std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.first == state; });
  return found == states.end() ? 0 : found->second;
}

std::size_t Result::prompt_count() const {
  if (sequences.empty()) return prompt_tokens.size();
  std::size_t sum = 0;
  for (const ResultSequence& s : sequences) sum += s.prompt_tokens.size();
  return sum;
}

std::size_t Result::decode_count() const {
  std::size_t sum = 0;
  for (const ResultToken& t : tokens) sum += t.phase == "decode" ? t.sequences : 0;
  return sum;
}

const ResultUnit* Result::unit(const std::string& name) const {
  const auto found = std::find_if(units.begin(), units.end(), [&](const auto& u) { return u.name == name; });
  return found == units.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> Result::counter(const std::string& name) const {
  const auto found =
      std::find_if(counters.begin(), counters.end(), [&](const auto& c) { return c.name == name; });
  return found == counters.end() ? std::nullopt : std::optional(found->value);
}

Result parse_result(const Json& json, const std::string& source) {
  check_schema(json, source);
  const Node document(json, source);
  Result result;
  result.source = source;
  result.version = document.at("version").text();
  result.program_digest = document.at("program").at("digest").text();
  result.event_digest = document.at("event_digest").text();
  read_model(document.at("model"), result.model);
  read_configuration(document.at("configuration"), result);
  read_settings(document.at("settings"), result.settings);
  result.prompt_tokens = read_ids(document.at("prompt_tokens"));
  result.text = document.at("text").text();
  read_stop(document, result);
  read_tokens(document, result);
  if (const auto sequences = document.find("sequences")) read_sequences(*sequences, result);
  read_operators(document, result);
  read_units(document, result);
  read_counters(document.at("counters"), result);
  read_energy(document.at("energy"), result);
  read_technology(document, result);
  if (const auto phases = document.find("phases")) read_phases(*phases, result);
  if (const auto timeline = document.find("timeline")) read_timeline(*timeline, result);
  if (const auto pipeline = document.find("pipeline")) read_pipeline(*pipeline, result);
  result.host = document.at("host").json();
  return result;
}

Result read_result(const std::filesystem::path& path) {
  return parse_result(read_result_text(path), shown_name(path));
}

}  // namespace tokencycle::explore
