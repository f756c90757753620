// SPDX-License-Identifier: Apache-2.0
// The points of a plan, in order, and what each sets.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "explore/sweep/plan.h"

namespace tokencycle::explore {
namespace {

using At = std::vector<std::uint32_t>;

// The last axis changes fastest.
std::vector<At> grid(const SweepPlan& plan) {
  std::uint64_t count = 1;
  for (const Axis& axis : plan.axes) {
    count *= axis.values.size();
    if (count > kMostPoints) {
      throw ConfigurationError(fmt::format(
          "{}: the axes have more than {} combinations; take fewer values, or a sample: {{\"method\": "
          "\"latin-hypercube\", \"points\": 1000}}",
          plan.source, with_separators(kMostPoints)));
    }
  }
  std::vector<At> all(count, At(plan.axes.size()));
  std::uint64_t repeat = 1;
  for (std::size_t a = plan.axes.size(); a-- > 0; repeat *= plan.axes[a].values.size()) {
    for (std::uint64_t i = 0; i < count; ++i)
      all[i][a] = static_cast<std::uint32_t>(i / repeat % plan.axes[a].values.size());
  }
  return all;
}

// Numbers below a bound that every standard library gives alike (std::uniform_int_distribution does not).
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : source_(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t unfair = (~std::uint64_t{0} - bound + 1) % bound;  // 2^64 mod bound
    for (;;) {
      const std::uint64_t drawn = source_();
      if (drawn >= unfair) return drawn % bound;
    }
  }
  void shuffle(std::vector<std::uint64_t>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

 private:
  std::mt19937_64 source_;
};

std::vector<At> sample(const SweepPlan& plan) {
  Draws draws(plan.seed);
  std::vector<At> all(plan.samples, At(plan.axes.size()));
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    const std::uint64_t positions = plan.axes[a].values.size();
    std::vector<std::uint64_t> strata(plan.samples);
    std::iota(strata.begin(), strata.end(), 0);
    if (plan.sampling == Sampling::latin_hypercube) draws.shuffle(strata);
    for (std::uint64_t i = 0; i < plan.samples; ++i) {
      all[i][a] = static_cast<std::uint32_t>(
          plan.sampling == Sampling::random ? draws.below(positions) : strata[i] * positions / plan.samples);
    }
  }
  std::set<At> seen;
  std::erase_if(all, [&seen](const At& at) { return !seen.insert(at).second; });
  return all;
}

std::string text_of(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', true);
}

}  // namespace

std::vector<Point> points_of(const SweepPlan& plan) {
  std::vector<Point> points;
  for (At& at : plan.sampling == Sampling::grid ? grid(plan) : sample(plan))
    points.push_back({points.size() + 1, std::move(at)});
  return points;
}

Settings settings_of(const SweepPlan& plan, const Point& point) {
  Settings settings = plan.fixed;
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    const Axis& axis = plan.axes[a];
    for (std::size_t k = 0; k < axis.knobs.size(); ++k)
      settings.emplace_back(axis.knobs[k], axis.values[point.at[a]][k]);
  }
  return settings;
}

std::vector<std::string> quality_arguments(const SweepPlan& plan, const Settings& settings) {
  std::vector<std::string> arguments = {"perplexity",       "--json",   "--file",
                                        plan.quality->file, "--window", std::to_string(plan.quality->window)};
  for (const auto& [knob, value] : settings) {
    if (knob.name == "model" || knob.name == "m")
      arguments.insert(arguments.end(), {"--model", text_of(value)});
    if (knob.name == "kv-type") arguments.insert(arguments.end(), {"--kv-type", text_of(value)});
  }
  return arguments;
}

std::vector<std::string> arguments_of(const Settings& settings) {
  std::vector<std::string> arguments;
  for (const auto& [knob, value] : settings) {
    if (knob.of_machine()) {
      arguments.insert(arguments.end(), {"--set", knob.name + "=" + value.dump(-1, ' ', true)});
    } else if (value.is_boolean()) {
      if (value.get<bool>()) arguments.push_back("--" + knob.name);
    } else {
      arguments.insert(arguments.end(), {(knob.name.size() == 1 ? "-" : "--") + knob.name, text_of(value)});
    }
  }
  return arguments;
}

}  // namespace tokencycle::explore
