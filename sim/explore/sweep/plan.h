// SPDX-License-Identifier: Apache-2.0
// A plan of many runs: what they share, what differs between them, and which combinations are wanted.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tokencycle::explore {

// Something that a point sets: a key of the machine description ("/matrix/rows") or an option of the command
// ("context", without dashes).
struct Knob {
  std::string name;
  bool of_machine() const { return name.front() == '/'; }
  bool operator==(const Knob&) const = default;
};

// Knobs that change together, and their values: one list entry per position, one value per knob.
struct Axis {
  std::vector<Knob> knobs;
  std::vector<std::vector<nlohmann::ordered_json>> values;
};

// grid: every combination. random: positions of each axis drawn independently. latin_hypercube: of N points
// each axis takes its positions equally often, as far as N allows (McKay, Beckman, Conover, Technometrics 21,
// 1979).
enum class Sampling : std::uint8_t { grid, random, latin_hypercube };

// How well the model of each point predicts a text, beside its figures.
struct QualityText {
  std::string file;
  std::uint64_t window = 256;  // tokens, as of the command perplexity
};

struct SweepPlan {
  std::string source;   // the file
  std::string name;     // of the plan
  std::string command;  // "run" or "gemm"
  std::vector<std::pair<Knob, nlohmann::ordered_json>> fixed;
  std::vector<Axis> axes;
  std::vector<std::string> constraints;
  std::optional<QualityText> quality;
  Sampling sampling = Sampling::grid;
  std::uint64_t samples = 0, seed = 0;  // of random and latin_hypercube
};

inline constexpr std::uint64_t kMostPoints = 1'000'000;

// Reads and checks a plan: unknown keys, types, axes without values, knobs set twice, options that the sweep
// sets itself. All that is wrong is listed with JSON path, value and remedy. Throws ConfigurationError.
SweepPlan parse_plan(const std::string& text, const std::string& source);

// One run of a plan: a position on each axis.
struct Point {
  std::uint64_t number = 0;  // from 1, in the plan's order; constraints do not move it
  std::vector<std::uint32_t> at;
};

// All points in order; equal samples once. Throws ConfigurationError for more than kMostPoints.
std::vector<Point> points_of(const SweepPlan& plan);

// What a point sets, the fixed part first.
using Settings = std::vector<std::pair<Knob, nlohmann::ordered_json>>;
Settings settings_of(const SweepPlan& plan, const Point& point);

// The command that finds the perplexity of a point's model with its cache's format; machines and prompts do
// not matter to it, so that points share it. Only of a plan with a text.
std::vector<std::string> quality_arguments(const SweepPlan& plan, const Settings& settings);

// As arguments of the command: --set for keys of the machine, other options as they are written; true stands
// for an option without a value, false for none.
std::vector<std::string> arguments_of(const Settings& settings);

}  // namespace tokencycle::explore
