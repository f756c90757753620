// SPDX-License-Identifier: Apache-2.0
// Event streams as the machine would report them, of any length, together with what is true of them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "observe/analysis/dependency_finder.h"
#include "observe/trace.h"

namespace tokencycle::test {

struct GeneratedRun {
  std::uint64_t instructions = 300;
  std::uint32_t words =
      300;  // of the program; with fewer words than instructions it is executed again and again
  std::uint32_t seed = 1;
  bool bursts = true;  // of two channels
};

// What a writer should have shown; kept for short runs alone.
struct GeneratedTruth {
  std::vector<observe::InstructionRecord> records;  // by sequence
  std::vector<observe::Dependency> dependencies;    // in the order in which they end
  std::vector<observe::Event> events;
  Cycle end;
};

// A program of `words` words in two operators, "first" and "second", half of the words each.
isa::Program generated_program(std::uint32_t words);

// The machine that the events would be of: edge's default description, two channels.
config::Machine generated_machine();

// Reports the run to `observer` as one step that starts at cycle 1, and ends the step. `truth` may be null.
// `after` is called after each event, where given.
Cycle generate(const GeneratedRun& run, const isa::Program& program, observe::TraceWriter& writer,
               GeneratedTruth* truth, const std::function<void()>& after = {});

}  // namespace tokencycle::test
