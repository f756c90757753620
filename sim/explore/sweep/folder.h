// SPDX-License-Identifier: Apache-2.0
// The folder of a sweep: the plan, one result per finished point, one message per failed one. Everything is
// there whole or not at all, so that a sweep that is ended at any time loses at most the points under way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "explore/sweep/plan.h"

namespace tokencycle::explore {

// plan.json        as the sweep was begun
// points/N.json    the result of point N, as the command wrote it
// failed/N.txt     why point N has none: exit code and message
// quality/D.json   the perplexity of a model, by the digest of its command, and D.txt why there is none
// table.csv, .json the figures of all points, made from these
// slurm/N/         of the N-th submission to a cluster (cli/sweep/slurm.h)
class SweepFolder {
 public:
  explicit SweepFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Makes the folder and keeps the plan's text there. A folder that has a plan is taken up where
  // `resume` is true and the plan is the same. Throws UsageError, IoError.
  void begin(const std::string& plan_text, bool resume) const;

  enum class State : std::uint8_t { open, done, failed };
  State state(const Point& point) const;
  std::vector<State> states(const std::vector<Point>& points) const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path plan() const { return path_ / "plan.json"; }
  std::filesystem::path result(const Point& point) const;
  std::filesystem::path failure(const Point& point) const;
  std::filesystem::path quality(const std::vector<std::string>& arguments, const char* extension) const;
  // Where a point's process writes; each process of each computer has names of its own.
  std::filesystem::path scratch(const Point& point, const char* what) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tokencycle::explore
