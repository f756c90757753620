// SPDX-License-Identifier: Apache-2.0
// Traces: files that show a run over time. Each writer subscribes to the one observation path and streams;
// its memory is bounded by what is in flight. One cycle is one nanosecond in every file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "config/machine.h"
#include "isa/program.h"
#include "observe/event.h"
#include "observe/trace_window.h"

namespace tokencycle::observe {

// A step of a model, or a hand-written program: what the words of a program are for.
struct TraceStep {
  const isa::Program* program = nullptr;  // valid until end_step
  Cycle start;
  std::uint32_t token = 0;             // which generated token the step works for; 0: the prompt's steps
  std::uint32_t tokens = 1;            // that the step reads
  std::string_view phase = "program";  // "prefill", "decode", "program"
};

struct TraceSummary {
  std::filesystem::path path;
  std::string_view format;      // "perfetto", "kanata", "vcd", "fst", "csv"
  std::uint64_t bytes = 0;      // of the format, before compression
  std::uint64_t entries = 0;    // slices, instructions, changes or rows written
  Cycle truncated_at = kNever;  // at the cap: what came later is missing
};

// A writer of one file. It sees all events of the run in order (Observer) and what they belong to.
// The file grows under a temporary name in its folder. A writer that is destroyed without close() closes the
// file validly, marks it "interrupted" and puts it in its place as well.
class TraceWriter : public Observer {
 public:
  // Steps do not overlap. All calls throw IoError (file, reason) when the file cannot be written; nothing
  // is then left under its name.
  virtual void begin_step(const TraceStep& step) = 0;
  virtual void end_step(Cycle end) = 0;  // the step was [start, end)
  // The last call: what is open ends at `end`. `cut` says why the run ended early ("interrupted at token 7");
  // empty when it is complete.
  virtual void close(Cycle end, const std::string& cut) = 0;
  // In place of close(), before the first step: what was there under the file's name stays.
  virtual void discard() = 0;
  // After close(): of the finished file.
  virtual TraceSummary summary() const = 0;
};

struct TraceOptions {
  std::filesystem::path path;
  int level = 2;  // Perfetto: 1 tokens, layers, operators, counters; 2 also units and instructions
  TraceWindow window;
  std::uint64_t max_bytes = 64ull << 20;     // of the file before compression; the end and its mark included
  std::uint32_t counter_interval = 1024;     // cycles that one value of a counter stands for
  std::string title;                         // "MODEL on MACHINE"
  const config::Machine* machine = nullptr;  // outlives the writer
};

// The writer for the path's extension. Throws UsageError listing the known ones, IoError.
std::unique_ptr<TraceWriter> make_trace_writer(const TraceOptions& options);

// The known extensions and what opens them, for messages: ".pftrace[.gz] (Perfetto), ...".
std::string trace_formats_text();

// Each format; throw IoError. make_trace_writer calls them by the table in trace_formats.cpp.
std::unique_ptr<TraceWriter> make_perfetto_trace(const TraceOptions& options);  // .pftrace[.gz]
// [.tokens|.operators|.instructions].csv[.gz]
std::unique_ptr<TraceWriter> make_csv_trace(const TraceOptions& options);
std::unique_ptr<TraceWriter> make_kanata_trace(const TraceOptions& options);  // .kanata[.gz], .log
std::unique_ptr<TraceWriter> make_vcd_trace(const TraceOptions& options);     // .vcd
std::unique_ptr<TraceWriter> make_fst_trace(const TraceOptions& options);     // .fst

}  // namespace tokencycle::observe
