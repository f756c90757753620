// SPDX-License-Identifier: Apache-2.0
// A trace of signals: the window, the cap and the end of a wave file, whatever its format.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "observe/waves/sink.h"

namespace tokencycle::observe {

// Where the window begins, the file has the values of all signals, then their changes, and nothing more from
// its end on. trace.mark says which: "recording", "outside the window", and at the file's end "end",
// "truncated at cycle N" or why the run ended early.
class WaveTrace : public TraceWriter {
 public:
  using MakeSink = std::unique_ptr<WaveSink> (*)(const TraceOptions&, const std::vector<WaveSignal>&);
  WaveTrace(const TraceOptions& options, std::string_view format, MakeSink make_sink);
  ~WaveTrace() override;

  std::uint32_t interests() const override { return signals_.interests(); }
  void begin_step(const TraceStep& step) override;
  void end_step(Cycle end) override;
  void on_event(const Event& event) override;
  void close(Cycle end, const std::string& cut) override;
  void discard() override {
    finished_ = true;
    sink_.reset();
  }
  TraceSummary summary() const override;

 private:
  void advance(Cycle next);
  void pass(Cycle next);
  void enter(Cycle begin);
  void write(Cycle time);
  void leave();
  void finish(Cycle end, const std::string& mark);

  const std::filesystem::path path_;
  const std::string_view format_;
  WaveSignals signals_;
  WindowGate gate_;
  std::unique_ptr<WaveSink> sink_;
  std::vector<WaveChange> changes_;
  Cycle now_, written_;  // written_: of the last value in the file
  bool started_ = false, open_ = false, opened_ = false, finished_ = false;
  std::uint64_t entries_ = 0;
  Cycle truncated_at_ = kNever;
};

}  // namespace tokencycle::observe
