// SPDX-License-Identifier: Apache-2.0
#include "proof/decode_registers.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace tokencycle::proof {

namespace {

// What the stage must do, from the names of the formats alone.
config::DecodeStage stage_of(const config::Matrix& matrix, Format format) {
  const std::string_view name = name_of(format);
  const auto is = [name](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (name.ends_with("_k") && name != "q8_k") return matrix.decode[2];
  if (is({"mxfp4", "nvfp4", "iq4_nl", "iq4_xs", "tq1_0"})) return matrix.decode[3];
  if (is({"q4_0", "q4_1", "q5_0", "q5_1", "q1_0", "q2_0", "tq2_0", "f8_e4m3", "f8_e5m2"}))
    return matrix.decode[1];
  return {};
}

// Of a line: what is still in the input register; of the pipeline: which line a slot ends.
class Registers {
 public:
  Registers(const config::DecodeStage& stage, const DecodedLines& lines)
      : width_(stage.values_per_cycle == 0 ? lines.values : stage.values_per_cycle),
        lines_(lines),
        pipeline_(stage.latency_cycles) {}

  std::vector<std::uint64_t> run() {
    std::vector<std::uint64_t> done;
    for (std::uint64_t cycle = 0; done.size() < lines_.lines; ++cycle) {
      if (left_ == 0 && read_ < lines_.lines && cycle >= earliest_) {
        left_ = lines_.values;
        earliest_ = cycle + lines_.interval;
        ++read_;
      }
      bool ends = false;
      if (left_ != 0) {
        left_ -= std::min(left_, width_);
        ends = left_ == 0;
      }
      // A slot of the pipeline says whether the last number of a line is in it.
      pipeline_.insert(pipeline_.begin(), ends);
      if (pipeline_.back()) done.push_back(cycle);
      pipeline_.pop_back();
    }
    return done;
  }

 private:
  std::uint64_t width_;
  DecodedLines lines_;
  std::vector<bool> pipeline_;
  std::uint64_t left_ = 0, read_ = 0, earliest_ = 0;
};

}  // namespace

std::vector<std::uint64_t> decoded_in(const config::Matrix& matrix, Format format,
                                      const DecodedLines& lines) {
  return Registers(stage_of(matrix, format), lines).run();
}

}  // namespace tokencycle::proof
