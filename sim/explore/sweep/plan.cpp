// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "config/violations.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;
using config::Violations;

constexpr const char* kSchema = "tokencycle-sweep-1";
constexpr std::size_t kMostBytes = std::size_t{16} << 20;
// Where a run's results go and how it reports is the sweep's own.
constexpr std::array kOwnOptions = {"what-if", "jobs",    "result", "quiet",      "json",   "csv",
                                    "set",     "dry-run", "trace",  "checkpoint", "resume", "help"};

std::string shown(const Json& value) {
  return config::shortened(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

bool is_value(const Json& value) {
  return value.is_string() || value.is_number() || value.is_boolean();
}

class Reader {
 public:
  Reader(const Json& tree, Violations& violations) : tree_(tree), violations_(violations) {}

  SweepPlan read() {
    SweepPlan plan;
    plan.source = violations_.source();
    if (!tree_.is_object()) {
      violations_.add("", "must be an object with schema, command, options and axes");
      return plan;
    }
    refuse_unknown(tree_, "",
                   {"schema", "name", "description", "command", "options", "set", "axes", "constraints",
                    "sample", "quality"});
    const std::string schema = text("schema", "");
    if (schema != kSchema)
      violations_.add("/schema", fmt::format("is '{}'; this program reads '{}'", schema, kSchema));
    plan.name = text("name", "sweep");
    plan.command = text("command", "run");
    if (plan.command != "run" && plan.command != "gemm")
      violations_.add("/command", fmt::format("is '{}'; it must be run or gemm", plan.command));
    fixed(plan, "options", false);
    fixed(plan, "set", true);
    axes(plan);
    constraints(plan);
    sampling(plan);
    quality(plan);
    return plan;
  }

 private:
  void refuse_unknown(const Json& object, const std::string& path, const std::vector<std::string>& known) {
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        violations_.add(path + "/" + config::escaped(key),
                        fmt::format("is unknown{}", did_you_mean(key, known)));
    }
  }

  std::string text(const char* key, const char* otherwise) {
    if (!tree_.contains(key)) return otherwise;
    if (tree_[key].is_string()) return tree_[key].get<std::string>();
    violations_.add(fmt::format("/{}", key), fmt::format("is {}; it must be a string", shown(tree_[key])));
    return otherwise;
  }

  // Every knob is set in one place.
  void take(const Knob& knob, const std::string& path) {
    if (!taken_.insert(knob.name).second)
      violations_.add(
          path, fmt::format("sets '{}' a second time; leave one of them out", config::escaped(knob.name)));
    if (knob.of_machine()) return;
    const auto own = std::find(kOwnOptions.begin(), kOwnOptions.end(), knob.name);
    if (own != kOwnOptions.end())
      violations_.add(path, fmt::format("sets --{}, which the sweep gives itself; leave it out", knob.name));
  }

  void fixed(SweepPlan& plan, const char* section, bool of_machine) {
    if (!tree_.contains(section)) return;
    const Json& values = tree_[section];
    const std::string path = fmt::format("/{}", section);
    if (!values.is_object())
      return violations_.add(path, fmt::format("is {}; it must be an object", shown(values)));
    for (const auto& [name, value] : values.items()) {
      const std::string place = path + "/" + config::escaped(name);
      if (!check_name(name, place)) continue;
      const Knob knob{name};
      if (knob.of_machine() != of_machine) {
        violations_.add(
            place,
            of_machine
                ? "must be a key of the machine, such as /matrix/rows"
                : "must be an option without dashes, such as context; keys of the machine go into set");
        continue;
      }
      if (!of_machine && !is_value(value)) {
        violations_.add(place,
                        fmt::format("is {}; it must be a string, number, true or false", shown(value)));
        continue;
      }
      take(knob, place);
      plan.fixed.emplace_back(knob, value);
    }
  }

  bool check_name(const std::string& name, const std::string& path) {
    const bool fine = !name.empty() && name.front() != '-' && name != "/";
    if (!fine)
      violations_.add(
          path,
          fmt::format(
              "is '{}'; it must be an option without dashes, or a key of the machine that begins with /",
              config::escaped(name)));
    return fine;
  }

  void axes(SweepPlan& plan) {
    if (!tree_.contains("axes") || !tree_["axes"].is_array() || tree_["axes"].empty())
      return violations_.add(
          "/axes",
          "must be a list of at least one axis, such as {\"axis\": \"/matrix/rows\", \"values\": [8, 16]}");
    for (std::size_t i = 0; i < tree_["axes"].size(); ++i)
      axis(plan, tree_["axes"][i], fmt::format("/axes/{}", i));
  }

  void axis(SweepPlan& plan, const Json& tree, const std::string& path) {
    if (!tree.is_object() || !tree.contains("axis"))
      return violations_.add(path, "must be an object with axis, and values or from and to");
    refuse_unknown(tree, path, {"axis", "values", "from", "to", "step", "factor"});
    Axis axis;
    const Json names = tree["axis"].is_array() ? tree["axis"] : Json::array({tree["axis"]});
    for (const Json& name : names) {
      if (!name.is_string() || !check_name(name.get<std::string>(), path + "/axis")) {
        if (!name.is_string())
          violations_.add(path + "/axis",
                          fmt::format("is {}; it must be a name or a list of names", shown(name)));
        return;
      }
      axis.knobs.push_back({name.get<std::string>()});
      take(axis.knobs.back(), path + "/axis");
    }
    if (axis.knobs.empty()) return violations_.add(path + "/axis", "names nothing");
    if (tree.contains("values")) {
      listed(tree, path, axis);
    } else {
      ranged(tree, path, axis);
    }
    plan.axes.push_back(std::move(axis));
  }

  void listed(const Json& tree, const std::string& path, Axis& axis) {
    for (const char* key : {"from", "to", "step", "factor"}) {
      if (tree.contains(key)) violations_.add(path + "/" + key, "does not go with values");
    }
    const Json& values = tree["values"];
    if (!values.is_array() || values.empty())
      return violations_.add(path + "/values",
                             fmt::format("is {}; it must be a list with at least one value", shown(values)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string place = fmt::format("{}/values/{}", path, i);
      std::vector<Json> row;
      if (axis.knobs.size() == 1) {
        row.push_back(values[i]);
      } else if (values[i].is_array() && values[i].size() == axis.knobs.size()) {
        row.assign(values[i].begin(), values[i].end());
      } else {
        violations_.add(place,
                        fmt::format("is {}; it must be a list of {} values, one for each name of the axis",
                                    shown(values[i]), axis.knobs.size()));
        continue;
      }
      for (std::size_t k = 0; k < row.size(); ++k) {
        if (!axis.knobs[k].of_machine() && !is_value(row[k]))
          violations_.add(
              place,
              fmt::format("is {}; an option's value must be a string, number, true or false", shown(row[k])));
      }
      if (std::find(axis.values.begin(), axis.values.end(), row) != axis.values.end())
        violations_.add(place, fmt::format("is {}, which the list has already", shown(values[i])));
      axis.values.push_back(std::move(row));
    }
  }

  // Whole numbers from one to another, by steps or factors.
  void ranged(const Json& tree, const std::string& path, Axis& axis) {
    if (axis.knobs.size() != 1)
      return violations_.add(path, "has several names; it needs values, lists of one value for each name");
    const bool by_factor = tree.contains("factor");
    if (by_factor == tree.contains("step"))
      return violations_.add(path, "needs values, or from and to with either step or factor");
    std::array<std::int64_t, 3> numbers{};
    const std::array keys = {"from", "to", by_factor ? "factor" : "step"};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!tree.contains(keys[i]) || !tree[keys[i]].is_number_integer())
        return violations_.add(path + "/" + keys[i], "must be a whole number");
      numbers[i] = tree[keys[i]].get<std::int64_t>();
    }
    const auto [from, to, by] = numbers;
    constexpr std::int64_t kMost = std::int64_t{1} << 53;
    if (from < 0 || to < from || to > kMost)
      return violations_.add(path + "/to", fmt::format("is {}; from and to must be 0 to 2^53, in order", to));
    if (by < (by_factor ? 2 : 1) || (by_factor && from == 0) || by > kMost)
      return violations_.add(
          path + "/" + keys[2],
          fmt::format(
              "is {}; a step must be at least 1, a factor at least 2, and a factor needs from above 0", by));
    if (!by_factor && (to - from) / by >= static_cast<std::int64_t>(kMostPoints))
      return violations_.add(path + "/step", fmt::format("is {}: that are more than {} values", by,
                                                         with_separators(kMostPoints)));
    for (std::int64_t value = from; value <= to; value = by_factor ? value * by : value + by) {
      axis.values.push_back({Json(value)});
      if (by_factor && value > to / by) break;
    }
  }

  void constraints(SweepPlan& plan) {
    if (!tree_.contains("constraints")) return;
    const Json& list = tree_["constraints"];
    if (!list.is_array())
      return violations_.add("/constraints",
                             fmt::format("is {}; it must be a list of expressions", shown(list)));
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].is_string()) {
        plan.constraints.push_back(list[i].get<std::string>());
      } else {
        violations_.add(
            fmt::format("/constraints/{}", i),
            fmt::format("is {}; it must be an expression such as \"matrix.rows * matrix.columns <= 4096\"",
                        shown(list[i])));
      }
    }
  }

  void sampling(SweepPlan& plan) {
    if (!tree_.contains("sample")) return;
    const Json& sample = tree_["sample"];
    if (!sample.is_object())
      return violations_.add(
          "/sample", fmt::format("is {}; it must be an object with method, points and seed", shown(sample)));
    refuse_unknown(sample, "/sample", {"method", "points", "seed"});
    const std::string method = sample.value("method", Json("")).is_string()
                                   ? sample.value("method", Json("")).get<std::string>()
                                   : "";
    if (method == "grid") return;
    if (method == "random") {
      plan.sampling = Sampling::random;
    } else if (method == "latin-hypercube") {
      plan.sampling = Sampling::latin_hypercube;
    } else {
      violations_.add("/sample/method",
                      fmt::format("is '{}'; it must be grid, random or latin-hypercube", method));
    }
    plan.samples = whole(sample, "points", 1, kMostPoints);
    plan.seed = sample.contains("seed") ? whole(sample, "seed", 0, ~std::uint64_t{0}) : 0;
  }

  void quality(SweepPlan& plan) {
    if (!tree_.contains("quality")) return;
    const Json& quality = tree_["quality"];
    if (!quality.is_object() || !quality.contains("file") || !quality["file"].is_string())
      return violations_.add(
          "/quality",
          fmt::format("is {}; it must be an object with file, a text, and window", shown(quality)));
    if (plan.command != "run")
      violations_.add("/quality", fmt::format("does not go with {}, which has no model", plan.command));
    refuse_unknown(quality, "/quality", {"file", "window"});
    plan.quality = QualityText{quality["file"].get<std::string>()};
    if (quality.contains("window"))
      plan.quality->window = whole(quality, "window", 2, std::uint64_t{1} << 31, "/quality");
  }

  std::uint64_t whole(const Json& object, const char* key, std::uint64_t least, std::uint64_t most,
                      const char* section = "/sample") {
    if (object.contains(key) && object[key].is_number_unsigned()) {
      const auto value = object[key].get<std::uint64_t>();
      if (value >= least && value <= most) return value;
    }
    violations_.add(
        fmt::format("{}/{}", section, key),
        fmt::format("{}must be a whole number from {} to {}",
                    object.contains(key) ? "is " + shown(object[key]) + "; it " : "", least, most));
    return least;
  }

  const Json& tree_;
  Violations& violations_;
  std::set<std::string> taken_;
};

}  // namespace

SweepPlan parse_plan(const std::string& text, const std::string& source) {
  if (text.size() > kMostBytes)
    throw ConfigurationError(
        fmt::format("{}: {} are no plan; at most 16 MiB are read", source, bytes_text(text.size())));
  Json tree;
  try {
    tree = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw ConfigurationError(
        fmt::format("{}: no JSON at byte {}; a plan is an object with schema, command, options and axes",
                    source, error.byte));
  }
  Violations violations(source);
  SweepPlan plan = Reader(tree, violations).read();
  violations.throw_if_any();
  return plan;
}

}  // namespace tokencycle::explore
