// SPDX-License-Identifier: Apache-2.0
// Where an operator stands below what its machine could do: operations a DRAM byte against operations a
// second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "explore/result/document.h"

namespace tokencycle::explore {

// A machine's peaks, a cycle. 0: not known from its description.
struct Roofs {
  struct Array {
    std::string types;                // that have this rate: "int8, int4"
    double operations_per_cycle = 0;  // two a multiply-accumulate
  };
  std::vector<Array> arrays;    // fastest first
  double vector_per_cycle = 0;  // elements: one a lane
  double dram_bytes_per_cycle = 0;
  double scratchpad_bytes_per_cycle = 0;  // all banks
  double clock_hz = 0;
};
Roofs roofs_of(const Result& result);

enum class Limit { array, vector, dram, scratchpad };
const char* name_of(Limit limit);

// operations = 2 x multiply-accumulates + vector elements. All of them, and all bytes, happen within the
// span.
struct RooflinePoint {
  double operations = 0;
  double bytes = 0;       // of DRAM
  double intensity = 0;   // operations / bytes; infinite without bytes
  double per_second = 0;  // operations / span
  // operations / least time, which is the longest of: bytes / DRAM's peak, multiply-accumulates / the array's
  // peak of their types, elements / lanes, and scratchpad bytes / all banks' peak. So per_second <= roof.
  double roof = 0;
  Limit limit = Limit::dram;  // which of these it is
};

// None: no operations, or no time.
std::optional<RooflinePoint> roofline_point(const UseDetail& use, const Roofs& roofs);

// An operator in one phase. Points into the result.
struct OperatorPoint {
  const ResultOperator* op;
  bool decode;
  const UseDetail* use;
  RooflinePoint point;
  std::uint64_t cycles;
};
// Of all operators that have one, in the result's order, prefill before decode.
std::vector<OperatorPoint> roofline_points(const Result& result, const Roofs& roofs);

}  // namespace tokencycle::explore
