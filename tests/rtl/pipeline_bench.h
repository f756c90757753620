// SPDX-License-Identifier: Apache-2.0
// The pipeline of pipeline.sv under Verilator, driven by a trace of the model and compared with it in every
// cycle.
#pragma once

#include <memory>
#include <string>

#include "rtl/trace.h"

namespace tokencycle::rtl {

struct Comparison {
  std::uint64_t cycles = 0;  // compared
  bool agrees = true;        // no cycle differed
  std::string difference;    // else: the first one, with the waves of both around it
};

class PipelineBench {
 public:
  PipelineBench();
  ~PipelineBench();
  PipelineBench(const PipelineBench&) = delete;
  PipelineBench& operator=(const PipelineBench&) = delete;

  // Plays the trace from reset. `fault`: a bit for each fault of isa_pkg.sv that is switched on. Throws
  // std::invalid_argument for a machine that is larger than the RTL was built for.
  Comparison replay(const Trace& trace, std::uint32_t fault = 0);

 private:
  struct Hardware;
  std::unique_ptr<Hardware> hardware_;
};

}  // namespace tokencycle::rtl
