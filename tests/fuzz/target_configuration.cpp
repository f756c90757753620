// SPDX-License-Identifier: Apache-2.0
// Descriptions in JSON. The first line of an input says what the rest is: machine, preset, standard, system
// (of DRAM) or model (a config.json).
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/dram/system.h"
#include "config/machine.h"
#include "fuzz/json_changes.h"
#include "fuzz/support.h"
#include "model/architecture.h"
#include "model/config_json.h"

namespace tokencycle::fuzz {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPreset = "lpddr5-6400.json";
constexpr const char* kStandard = "lpddr5.json";

fs::path configs() {
  return fs::path(TOKENCYCLE_SOURCE_DIR) / "configs";
}

// A folder for what has to lie beside other files: an input as a preset, and as a standard of a sound preset.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tokencycle_fuzz_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_ / "of_standard" / "standards");
    fs::create_directory_symlink(configs() / "dram" / "standards", path_ / "standards");
    fs::copy_file(configs() / "dram" / kPreset, path_ / "of_standard" / kPreset);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path preset() const { return path_ / "preset.json"; }
  fs::path preset_of_standard() const { return path_ / "of_standard" / kPreset; }
  fs::path standard() const { return path_ / "of_standard" / "standards" / kStandard; }

 private:
  fs::path path_;
};

void write(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

void feed_machine(const std::string& text) {
  const auto read = [](const std::string& description) {
    return config::parse_machine(description, "input", configs(), configs() / "dram");
  };
  const config::Machine machine = read(text);
  require(read(config::to_json(machine)).digest == machine.digest,
          "a machine that its own description does not give back");
}

void feed_device(const fs::path& preset) {
  const config::DramDevice device = config::read_dram_device(preset);
  require(device.channel_bytes() > 0 && device.peak_gb_per_s() > 0, "a DRAM without bytes or bandwidth");
}

void feed_system(const fs::path& path) {
  const config::DramSystem system = config::read_dram_system(path, configs() / "dram");
  std::uint32_t bits = 0;
  for (const config::DramAddressPart& part : system.mapping) bits += part.bits;
  require(bits < 64, "addresses of more than 63 bits");
}

void feed_model(const fs::path& path) {
  const model::LlamaModel model(model::read_config_json(path));
  require(!model.graph().operators.empty(), "a model without operators");
}

// The errors of other files than the input (a preset that it names) name those.
std::string source_of(std::string_view kind, const Error& error, const std::string& input) {
  const std::string_view message = error.what();
  if (message.starts_with(configs().string())) return configs().string();
  if (kind == "machine") return message.starts_with("/") ? "/" : "input";
  return kind == "standard" ? fs::path(input).parent_path().parent_path().string() : input;
}

bool feed(Input input) {
  static const Folder folder;
  const std::string_view all = text_of(input);
  const std::size_t end = std::min(all.find('\n'), all.size());
  const std::string kind(all.substr(0, end)), text(all.substr(std::min(end + 1, all.size())));
  const fs::path path = kind == "standard" ? folder.standard() : folder.preset();
  if (kind != "machine") write(path, text);
  try {
    if (kind == "machine") feed_machine(text);
    if (kind == "preset") feed_device(path);
    if (kind == "standard") feed_device(folder.preset_of_standard());
    if (kind == "system") feed_system(path);
    if (kind == "model") feed_model(path);
    return true;
  } catch (const Error& error) {
    const ExitCode code = kind == "model" ? ExitCode::model : ExitCode::configuration;
    check_refusal(error, source_of(kind, error, path.string()), {code, ExitCode::io}, true);
    return false;
  }
}

// The first line stays.
Bytes mutate(Input input, Random& random) {
  const std::string_view all = text_of(input);
  const std::size_t end = std::min(all.find('\n'), all.size());
  const std::string text(all.substr(std::min(end + 1, all.size())));
  return bytes_of(std::string(all.substr(0, end)) + "\n" + change_json(text, random));
}

std::string text_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

constexpr std::string_view kSystem =
    R"({"schema": "tokencycle-dram-system-1", "name": "s", "preset": "ddr4-2400", "channels": 2,
 "mapping": ["column:2", "channel", "column", "bank_group", "bank", "rank", "row"], "scheduler": "fr-fcfs-cap",
 "row_hit_cap": 4, "xor": [{"field": "bank", "with": "row"}], "page_policy": "closed", "refresh": "all-bank",
 "postpone": 2, "read_queue": 8, "write_queue": 8, "write_high": 0.75, "write_low": 0.25})";
constexpr std::string_view kModel = R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
 "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
 "vocab_size": 100, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
 "rope_scaling": {"rope_type": "linear", "factor": 2.0}, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
 "head_dim": 16, "hidden_act": "silu", "attention_bias": false, "sliding_window": null})";

std::vector<Seed> seeds() {
  std::vector<Seed> all;
  const auto add = [&](const std::string& kind, const std::string& name, std::string_view text) {
    all.push_back({kind + "_" + name, bytes_of(kind + "\n" + std::string(text))});
  };
  for (const char* name : {"edge", "gemmini", "tiny", "edge-ideal", "edge-dot"})
    add("machine", name, text_of_file(configs() / (std::string(name) + ".json")));
  for (const char* name : {"ddr4-2400", "lpddr5-6400", "hbm2e-3600"})
    add("preset", name, text_of_file(configs() / "dram" / (std::string(name) + ".json")));
  add("standard", "lpddr5", text_of_file(configs() / "dram" / "standards" / kStandard));
  add("system", "small", kSystem);
  add("model", "small", kModel);
  return all;
}

}  // namespace

Target configuration_target() {
  return {"configuration", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
