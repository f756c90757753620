// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "config/dataflow_names.h"
#include "host/places.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

namespace {

// Short names and those of machine descriptions.
std::string_view dataflow_name(const std::string& value) {
  const std::string_view name = config::full_dataflow_name(value);
  std::vector<std::string> allowed = {"ws", "is", "os", "dot"};
  for (int d = 0; d < config::kDataflows; ++d) {
    if (name == config::name_of(static_cast<config::Dataflow>(d))) return name;
    allowed.emplace_back(config::name_of(static_cast<config::Dataflow>(d)));
  }
  throw UsageError(
      fmt::format("--dataflow is '{}'; it must be ws (weight-stationary), is (input-stationary), os "
                  "(output-stationary) or dot (dot-product){}",
                  value, did_you_mean(value, allowed)));
}

// "M,N,K" as the machine's tiling; 0 takes a limit away.
std::string tiling_json(const std::string& text) {
  Json tiling = Json::object();
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const char* const side : {"m", "n", "k"}) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    const bool last = *side == 'k';
    if (error != std::errc() || (last ? rest != end : rest == end || *rest != ',')) {
      throw UsageError(
          fmt::format("--tiling is '{}'; it must be three whole numbers M,N,K, for example 64,32,0", text));
    }
    if (value != 0) tiling[side] = value;
    at = rest + 1;
  }
  return tiling.empty() ? "null" : tiling.dump();
}

// "/matrix/rows=64", given by `option` for the machine `name`.
config::Change change_of(const std::string& text, const std::string& name, const std::string& option) {
  const std::size_t equals = text.find('=');
  const std::string path = text.substr(0, equals);
  const bool pointer = path.size() > 1 && path.starts_with('/') && !path.ends_with('/');
  if (equals == std::string::npos || !pointer || equals + 1 == text.size()) {
    std::string meant = path.starts_with('/') ? path : '/' + path;
    std::replace(meant.begin(), meant.end(), '.', '/');
    const bool mendable = equals != std::string::npos && !pointer && path.size() > 1 &&
                          !path.ends_with('/') && equals + 1 != text.size();
    throw UsageError(
        fmt::format("{} is '{}'; it must be a key's path and its value, as in /matrix/rows=64{}", option,
                    printable(text, 100),
                    mendable ? fmt::format("; did you mean '{}{}'?", meant, text.substr(equals)) : ""));
  }
  return {path, text.substr(equals + 1), fmt::format("{} with {} {}", name, option, text), true};
}

// "edge with /matrix/rows=64, /matrix/columns=64", as a changed machine is called: name and changes.
std::pair<std::string, std::vector<config::Change>> parts_of(const std::string& config) {
  constexpr std::string_view kWith = " with /", kNext = ", /";
  const std::size_t with = config.find(kWith);
  std::error_code ignored;
  if (with == std::string::npos || std::filesystem::exists(config, ignored)) return {config, {}};
  std::vector<config::Change> changes;
  for (std::size_t begin = with + kWith.size() - 1; begin < config.size();) {
    const std::size_t end = std::min(config.find(kNext, begin), config.size());
    changes.push_back(change_of(config.substr(begin, end - begin), config.substr(0, with), "-c"));
    begin = end + kNext.size() - 1;
  }
  return {config.substr(0, with), std::move(changes)};
}

void refuse_twice(const std::vector<config::Change>& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    for (std::size_t before = 0; before < i; ++before) {
      if (changes[i].path != changes[before].path) continue;
      throw UsageError(fmt::format("{} is given after {}; leave one of the two out", changes[i].source,
                                   changes[before].source));
    }
  }
}

}  // namespace

void add_set_option(OptionParser& parser) {
  parser.add()("set", po::value<std::vector<std::string>>()->composing(),
               "change a key of the machine, as in /matrix/rows=64; repeat for more");
}

void add_technology_option(OptionParser& parser) {
  parser.add()("technology", po::value<std::string>(), "area and energy: a name in configs/technology/");
}

std::shared_ptr<const config::Technology> technology_of(const OptionParser& parser,
                                                        const config::Machine& machine) {
  std::string name = machine.technology;
  if (parser.has("technology")) {
    name = parser.get<std::string>("technology");
  } else if (name.ends_with(".json") && !machine.provenance.files.empty()) {
    name = (machine.provenance.files[0].parent_path() / name).string();
  }
  if (name.empty()) return nullptr;
  return std::make_shared<const config::Technology>(host::find_technology(name));
}

void add_machine_options(OptionParser& parser) {
  parser.add()("config,c", po::value<std::string>()->default_value("edge"),
               "machine description, file or name in configs/");
  add_set_option(parser);
}

std::vector<std::string> sets_of(const OptionParser& parser) {
  return parser.texts("set");
}

MachineOptions machine_options_of(const OptionParser& parser) {
  MachineOptions options{parser.get<std::string>("config"), sets_of(parser)};
  if (parser.has("dataflow")) options.dataflow = parser.get<std::string>("dataflow");
  if (parser.has("tiling")) options.tiling = parser.get<std::string>("tiling");
  options.no_overlap = parser.has("no-overlap") && parser.get<bool>("no-overlap");
  return options;
}

bool names_changes(const MachineOptions& options) {
  return !options.set.empty() || !parts_of(options.config).second.empty();
}

MachineOptions changed(const MachineOptions& options, const std::vector<std::string>& sets) {
  const auto [name, named] = parts_of(options.config);
  MachineOptions all = options;
  all.config = name;
  all.set.clear();
  for (const config::Change& change : named) all.set.push_back(change.path + '=' + change.value);
  all.set.insert(all.set.end(), options.set.begin(), options.set.end());
  for (const std::string& set : sets) {
    const std::string key = set.substr(0, set.find('=') + 1);
    std::erase_if(all.set, [&key](const std::string& before) { return before.starts_with(key); });
    if (key == "/matrix/tiling=") all.tiling.reset();
    if (key == "/matrix/dataflow=") all.dataflow.reset();
  }
  all.set.insert(all.set.end(), sets.begin(), sets.end());
  return all;
}

config::Machine machine_with(const MachineOptions& options) {
  auto [name, changes] = parts_of(options.config);
  for (const std::string& text : options.set) changes.push_back(change_of(text, name, "--set"));
  refuse_twice(changes);
  const auto add = [&changes = changes, &name = name](const char* path, const std::string& value,
                                                      const std::string& option) {
    changes.push_back({path, value, name + " with " + option, false});
  };
  if (options.dataflow) {
    add("/matrix/dataflow", std::string(dataflow_name(*options.dataflow)), "--dataflow " + *options.dataflow);
  }
  if (options.tiling) add("/matrix/tiling", tiling_json(*options.tiling), "--tiling " + *options.tiling);
  if (options.no_overlap) {
    for (const char* path : {"/matrix/double_buffered", "/matrix/back_to_back"})
      add(path, "false", "--no-overlap");
  }
  return host::read_configuration(host::find_configuration(name), std::move(changes));
}

}  // namespace tokencycle::cli
