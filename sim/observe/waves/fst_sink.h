// SPDX-License-Identifier: Apache-2.0
// Waves in GTKWave's compressed format, with tables of the names of states.
#pragma once

#include <memory>
#include <vector>

#include "observe/waves/fst_file.h"
#include "observe/waves/sink.h"

namespace tokencycle::observe {

// bytes() counts what the format holds before compression: declarations, a byte a bit and at most ten a
// change, ten a time, and all values once a block. The file is smaller, and never larger.
class FstSink : public WaveSink {
 public:
  FstSink(const TraceOptions& options, const std::vector<WaveSignal>& signals);
  ~FstSink() override;

  bool write(Cycle time, std::span<const WaveChange> changes) override;
  void finish(Cycle end, std::span<const WaveChange> mark) override;
  std::uint64_t bytes() const override { return bytes_; }

 private:
  struct Variable {
    std::uint32_t handle = 0, bits = 0;  // 0 bits: text
  };
  void declare(const std::string& title, const std::vector<WaveSignal>& signals);
  std::uint64_t bytes_of(std::span<const WaveChange> changes) const;
  void put(std::span<const WaveChange> changes);

  const std::filesystem::path path_, temporary_;
  const std::uint64_t max_bytes_;
  std::unique_ptr<FstFile> file_;
  std::vector<Variable> variables_;
  std::uint64_t bytes_ = 0, block_bytes_ = 0;  // block_bytes_: since the last flush
  std::uint64_t frame_bytes_ = 0;              // of a block besides its changes
  bool begun_ = false;
  Cycle time_;
};

}  // namespace tokencycle::observe
