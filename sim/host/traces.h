// SPDX-License-Identifier: Apache-2.0
// The traces that a run writes, one file each: --trace and its options.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/interrupt.h"
#include "observe/trace.h"

namespace tokencycle::host {

struct TraceRequest {
  std::vector<std::string> files;
  std::optional<int> level;  // not given: 1 for the whole run, 2 in a window
  std::string window;        // empty: the whole run
  std::uint64_t max_bytes = 64ull << 20;
};

// Its writers subscribe to one machine's events and are given the steps. Without files it does
// nothing. When it is destroyed before close(), the files are complete up to there and say "interrupted"; a
// run that never began leaves none.
class Traces {
 public:
  // Throws UsageError for what no trace can be, IoError for files that cannot be created.
  Traces(const TraceRequest& request, const std::string& title, const config::Machine& machine);
  ~Traces();
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;

  void subscribe(observe::EventHub& hub);
  void begin_step(const observe::TraceStep& step);
  void end_step(Cycle end);
  void close(Cycle end);  // the run is complete
  // A signal ended it before `end`: the files are marked "interrupted at cycle 1234". After the first call
  // this does nothing.
  void interrupt(Cycle end);
  // An error ended it: the same with "ended at cycle 1234: WHAT", of which the first line is taken.
  // A file that cannot be written, which may be that error, is not left, and nothing is thrown.
  void fail(Cycle end, std::string_view what);
  // A file could not be written: the others are closed, marked "interrupted", and nothing is left to report.
  void abandon() { writers_.clear(); }

  // After close(): one line per file, those that were cut with the remedy; the same for the result document.
  std::string summary_text() const;
  nlohmann::ordered_json summary_json() const;
  std::vector<std::string> files() const;  // as given
  // Files that were cut at their cap, for a warning; empty when none was.
  std::string warning() const;
  // After close(). Throws UsageError where a window was asked for and no step of the run touched it: the run
  // is done and its files are there, but they are not what was asked for.
  void refuse_empty_window() const;

 private:
  Traces() = default;
  void close(Cycle end, const std::string& cut);
  void match(const observe::TraceStep& step);
  std::string window_remedy() const;

  bool closed_ = false, begun_ = false;
  std::string window_text_;  // as given
  observe::TraceWindow window_;
  bool matched_ = true;
  std::uint32_t token_ = 0;             // of the last step
  Cycle start_, end_;                   // of the last step
  std::vector<std::string> operators_;  // of a step without a match, for the remedy
  std::vector<std::unique_ptr<TemporaryFile>> temporaries_;
  std::vector<std::unique_ptr<observe::TraceWriter>> writers_;
};

}  // namespace tokencycle::host
