// SPDX-License-Identifier: Apache-2.0
// A file of one wave format, given values cycle by cycle.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "observe/waves/signals.h"

namespace tokencycle::observe {

class WaveSink {
 public:
  // Bytes of the longest mark.
  static constexpr std::size_t kLongestMark = 96;

  // A sink that is destroyed before finish() leaves no file.
  virtual ~WaveSink() = default;
  // The new values at `time`, which is later than in all calls before. False, and nothing is written, when
  // they would leave no room below the cap for finish(). Throws IoError.
  virtual bool write(Cycle time, std::span<const WaveChange> changes) = 0;
  // The last call: the file ends at `end`, not before the last write(), with these values of the mark (one,
  // or none), and is put in its place. Throws IoError.
  virtual void finish(Cycle end, std::span<const WaveChange> mark) = 0;
  // Of the file's content before compression.
  virtual std::uint64_t bytes() const = 0;
};

// Each format with its file; throw IoError, and UsageError for a cap below what the signals' names need.
// `title` goes into the file's header.
std::unique_ptr<WaveSink> make_vcd_sink(const TraceOptions& options, const std::vector<WaveSignal>& signals);
std::unique_ptr<WaveSink> make_fst_sink(const TraceOptions& options, const std::vector<WaveSignal>& signals);

// What a reader of the file should know, in one line each.
std::vector<std::string> wave_comments(const std::string& title);

}  // namespace tokencycle::observe
