// SPDX-License-Identifier: Apache-2.0
// A Kanata 0004 file: puts lines in order of time, writes them, and ends validly at the cap.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/quantity.h"
#include "observe/trace_file.h"

namespace tokencycle::observe {

// Lines may be given for cycles that have passed, but not for cycles before the one that flush() was given.
// Instructions ("ops" of the format) have dense numbers in the order in which they appear. What is kept in
// memory is the lines between flush()'s cycle and now, and the stages of ops without an end.
class KanataFile {
 public:
  static constexpr int kLanes = 2;  // stages, stalls

  // Throws UsageError when `max_bytes` is too little for any content, IoError.
  KanataFile(const std::filesystem::path& path, std::uint64_t max_bytes);

  // The op's first line and its label. Ops are begun in the order of their numbers, which is that of time.
  void begin(Cycle time, std::uint64_t op, std::uint64_t sequence, std::string_view label);
  void start_stage(Cycle time, std::uint64_t op, int lane, std::string_view stage);
  void end_stage(Cycle time, std::uint64_t op, int lane, std::string_view stage);
  void depend(Cycle time, std::uint64_t consumer, std::uint64_t producer);
  // Its stages have ended; nothing follows.
  void retire(Cycle time, std::uint64_t op, std::string_view tooltip);

  // Writes the lines before `until`. At the cap the file is ended and marked, and all further lines are
  // dropped.
  void flush(Cycle until);
  // Writes the rest. Ops without an end are shown as flushed at `end`; `cut` becomes the label of a last op.
  void finish(Cycle end, std::string_view cut);
  // In place of finish(): nothing is left.
  void discard() { file_.discard(); }

  bool full() const { return truncated_at_ != kNever; }
  Cycle truncated_at() const { return truncated_at_; }
  std::uint64_t ops() const { return ops_; }  // written
  std::uint64_t bytes() const { return file_.bytes(); }
  std::size_t pending() const { return pending_.size(); }

 private:
  struct Line {
    enum class Kind : std::uint8_t { begin, start, end, depend, retire } kind;
    std::uint8_t lane = 0;
    std::uint64_t op = 0, number = 0;  // number: sequence, producer
    std::string text;                  // label, stage, tooltip
  };
  void push(Cycle time, Line line);
  void write(Cycle time, const Line& line);
  void format(Cycle time, const Line& line);
  void account(const Line& line);
  void end_open_ops(Cycle time, std::string_view mark);
  std::uint64_t reserve(const Line& line) const;

  TraceFile file_;
  std::multimap<Cycle, Line> pending_;
  std::map<std::uint64_t, std::array<std::string, kLanes>> open_;  // ops without an end: their stages
  std::string buffer_;
  bool at_start_ = true;
  Cycle time_;  // of the last line written
  std::uint64_t ops_ = 0, retired_ = 0;
  Cycle truncated_at_ = kNever;
};

}  // namespace tokencycle::observe
