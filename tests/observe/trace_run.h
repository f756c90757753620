// SPDX-License-Identifier: Apache-2.0
// A synthetic run with a trace writer and with the counts that its file must agree with.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/operator_cycles.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/synthetic_run.h"

namespace tokencycle::test {

// A folder of its own, gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("tokencycle_trace_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline config::Machine trace_machine() {
  config::Machine machine;
  machine.clock_ghz = 1.5;
  machine.dram.channels = 2;
  return machine;
}

// What was counted beside the trace.
struct StepCounts {
  TraceStep step;
  Cycle end;
  std::vector<OperatorUse> operators;
  Stack stack{};
  std::uint64_t cycles() const { return end.value - step.start.value; }
};

struct TraceRun {
  explicit TraceRun(std::uint64_t seed = 1) : synthetic(seed) {
    for (Observer* o : {static_cast<Observer*>(&units), static_cast<Observer*>(&operators),
                        static_cast<Observer*>(&stack)}) {
      hub.subscribe(*o);
    }
  }
  void add(TraceWriter& writer) {
    hub.subscribe(writer);
    writers.push_back(&writer);
  }
  void step(std::uint32_t token, std::uint32_t instructions = 100) {
    StepCounts counts{synthetic.step_info(token), {}, {}, {}};
    operators.begin(synthetic.program(), counts.step.start);
    for (TraceWriter* w : writers) w->begin_step(counts.step);
    counts.end = synthetic.step(hub, instructions);
    for (TraceWriter* w : writers) w->end_step(counts.end);
    units.settle_all(counts.end);
    counts.operators = operators.take(counts.end);
    counts.stack = stack.take(counts.end);
    steps.push_back(counts);
  }
  // A prompt in two steps, then tokens 1 to `last`.
  void tokens(std::uint32_t last, std::uint32_t instructions = 100) {
    step(0, instructions);
    for (std::uint32_t t = 0; t <= last; ++t) step(t, instructions);
  }
  void close(const std::string& cut = "") {
    for (TraceWriter* w : writers) w->close(synthetic.now(), cut);
  }

  SyntheticRun synthetic;
  EventHub hub;
  std::vector<TraceWriter*> writers;
  UnitStatistics units{2, Cycle(1)};
  CycleStack stack{Cycle(1)};
  OperatorCycles operators{&stack};
  std::vector<StepCounts> steps;
};

}  // namespace tokencycle::test
