// SPDX-License-Identifier: Apache-2.0
// Value change dumps (IEEE 1364, with GTKWave's string variables for names of values and texts).
#pragma once

#include <string>
#include <vector>

#include "observe/trace_file.h"
#include "observe/waves/sink.h"

namespace tokencycle::observe {

class VcdSink : public WaveSink {
 public:
  VcdSink(const TraceOptions& options, const std::vector<WaveSignal>& signals);

  bool write(Cycle time, std::span<const WaveChange> changes) override;
  void finish(Cycle end, std::span<const WaveChange> mark) override;
  std::uint64_t bytes() const override { return file_.bytes(); }

 private:
  std::string header(const std::string& title, const std::vector<WaveSignal>& signals) const;
  void format(std::span<const WaveChange> changes);

  TraceFile file_;
  std::vector<std::string> codes_;  // identifier codes by signal
  std::vector<bool> named_;         // by signal: its values are strings
  std::string buffer_;
  bool begun_ = false;
  Cycle time_;
};

}  // namespace tokencycle::observe
