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
  std::string folder;  // of the job script, the tasks' points and their output
};
// Writes the job script and submits it. A task runs its points one after the other, with this program, in the
// folder of the sweep; one that ends early or is requeued leaves the others alone. Throws IoError with what
// sbatch said.
SlurmJobs submit(const explore::SweepFolder& folder, const std::vector<explore::Point>& points,
                 const SlurmRequest& request);

}  // namespace tokencycle::cli
