// SPDX-License-Identifier: Apache-2.0
// Runs the points of a sweep that have no result yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "explore/sweep/folder.h"

namespace tokencycle::cli {

// The command line of a point, without the program's name: what repeats it by hand.
std::vector<std::string> command_of(const explore::SweepPlan& plan, const explore::Point& point);
// The same as a person types it.
std::string shell_text(const std::vector<std::string>& arguments);

// What the folder keeps of a point that failed.
std::string failure_text(int code, const std::string& message, const std::vector<std::string>& arguments);

// Which points can be run at all.
struct CheckedPoints {
  std::vector<explore::Point> wanted;  // that keep all constraints
  std::uint64_t left_out = 0;          // that do not
  struct Invalid {
    explore::Point point;
    int code = 0;
    std::string reason;
  };
  std::vector<Invalid> invalid;  // of the wanted: the command refuses them
};
// Every point against the constraints, then by the command's own checks, without a cycle simulated. Throws
// what is wrong with the plan as a whole (a constraint that cannot be read, a base machine that is not
// there).
CheckedPoints check_points(const explore::SweepPlan& plan, const std::vector<explore::Point>& points);
// The constraints alone.
CheckedPoints wanted_points(const explore::SweepPlan& plan, const std::vector<explore::Point>& points);

// Finds the perplexities that the points want and the folder does not have, with `jobs` processes; those that
// cannot be found are named on standard error, and the folder keeps why. False: interrupted.
bool run_quality(const explore::SweepPlan& plan, const explore::SweepFolder& folder,
                 const std::vector<explore::Point>& points, unsigned jobs);

struct SweepProgress {
  std::uint64_t done = 0, failed = 0, all = 0;  // of this call
  double seconds = 0;
};
// Runs `points` with `jobs` processes. Stops early when the process is interrupted: then false.
bool run_points(const explore::SweepPlan& plan, const explore::SweepFolder& folder,
                const std::vector<explore::Point>& points, unsigned jobs,
                const std::function<void(const SweepProgress&)>& progress);

}  // namespace tokencycle::cli
