// SPDX-License-Identifier: Apache-2.0
// A sweep on a cluster: the points that are missing as job arrays of Slurm, submitted by its own sbatch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "explore/sweep/folder.h"

namespace tokencycle::cli {

// "3-7,9" for ascending numbers.
std::string ranges_text(const std::vector<std::uint64_t>& numbers);
// The numbers of "3-7,9", ascending and once each. Throws UsageError.
std::vector<std::uint64_t> ranges_of(const std::string& text);

struct SlurmRequest {
  std::uint64_t chunk = 1;         // points per task
  std::vector<std::string> extra;  // further arguments of sbatch, such as --time=1:00:00
};
struct SlurmJobs {
  std::vector<std::string> ids;  // one per array; none is longer than the cluster's MaxArraySize
  std::uint64_t tasks = 0;
  std::string folder;  // of job.sh, jobs (array and first line), tasks (one line of points each), and output
};
// Writes the job script and submits it. A task runs its points, with this program, in the folder of the
// sweep, as many at a time as it has processors by --cpus-per-task; one that ends early or is requeued leaves
// the others alone. Throws UsageError, and IoError with what sbatch said.
SlurmJobs submit(const explore::SweepFolder& folder, const std::vector<explore::Point>& points,
                 const SlurmRequest& request);

// The points of this folder's submissions that wait or run, ascending. Throws IoError with what squeue said.
std::vector<std::uint64_t> queued_points(const explore::SweepFolder& folder);

}  // namespace tokencycle::cli
