// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/fst_sink.h"

#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "observe/trace_file.h"
#include "observe/waves/scopes.h"

namespace tokencycle::observe {

namespace {

constexpr std::uint64_t kHeaderBytes = 330;
// Of a declaration besides its names: kinds, lengths, handles, its place in the table of lengths.
constexpr std::uint64_t kDeclarationBytes = 32;
// Of a block: its lengths and times, and of each signal in it a place.
constexpr std::uint64_t kBlockBytes = 96, kPlaceBytes = 8;
constexpr std::uint64_t kChangeBytes = 10, kTimeBytes = 10;
// Changes are packed and written in blocks of this size, which is what the library keeps in memory.
constexpr std::uint64_t kBlock = 4u << 20;

}  // namespace

FstSink::FstSink(const TraceOptions& options, const std::vector<WaveSignal>& signals)
    : path_(options.path),
      temporary_(temporary_name(options.path)),
      max_bytes_(options.max_bytes),
      file_(create_fst_file(temporary_, path_.string())) {
  declare(options.title, signals);
  for (const Variable& v : variables_) frame_bytes_ += v.bits + kPlaceBytes;
  frame_bytes_ += kBlockBytes;
  bytes_ += frame_bytes_;
  // The last time, the mark, and the block that they may need.
  const std::uint64_t least = bytes_ + kTimeBytes + kChangeBytes + kLongestMark + frame_bytes_;
  if (max_bytes_ < least) {
    throw UsageError(
        fmt::format("{}: the names of the signals alone take more than {} bytes; allow at least {}",
                    path_.string(), max_bytes_, least));
  }
}

FstSink::~FstSink() = default;

void FstSink::declare(const std::string& title, const std::vector<WaveSignal>& signals) {
  bytes_ = kHeaderBytes;
  for (const std::string& line : wave_comments(title)) {
    file_->comment(line);
    bytes_ += line.size() + kDeclarationBytes;
  }
  std::map<const WaveNames*, std::uint32_t> tables;
  ScopeWalk scopes;
  const auto up = [&] { file_->close_scope(); };
  const auto down = [&](const std::string& name) {
    file_->open_scope(name);
    bytes_ += name.size() + kDeclarationBytes;
  };
  for (const WaveSignal& s : signals) {
    scopes.move_to(s.scope, up, down);
    std::uint32_t table = 0;
    if (s.names != nullptr) {
      const auto [entry, is_new] = tables.try_emplace(s.names, 0);
      if (is_new) {
        entry->second = file_->names(std::string(s.names->name), s.names->values, s.bits);
        for (const std::string& name : s.names->values) bytes_ += name.size() + s.bits + 2;
        bytes_ += kDeclarationBytes;
      }
      table = entry->second;
    }
    variables_.push_back({s.bits == 0 ? file_->text(s.name) : file_->number(s.name, s.bits, table), s.bits});
    bytes_ += s.name.size() + 2 * kDeclarationBytes;
  }
  scopes.move_to("", up, down);
}

std::uint64_t FstSink::bytes_of(std::span<const WaveChange> changes) const {
  std::uint64_t bytes = kTimeBytes;
  for (const WaveChange& c : changes) {
    const std::uint32_t bits = variables_[c.signal].bits;
    bytes += kChangeBytes + (bits == 0 ? c.text.size() : bits);
  }
  return bytes;
}

bool FstSink::write(Cycle time, std::span<const WaveChange> changes) {
  const std::uint64_t more = bytes_of(changes);
  const std::uint64_t reserve = kTimeBytes + kChangeBytes + kLongestMark + frame_bytes_;
  if (bytes_ + more + reserve > max_bytes_) return false;
  if (block_bytes_ >= kBlock) {
    file_->flush();
    bytes_ += frame_bytes_;
    block_bytes_ = 0;
  }
  file_->time(time.value);
  put(changes);
  bytes_ += more;
  block_bytes_ += more;
  begun_ = true;
  time_ = time;
  return true;
}

void FstSink::put(std::span<const WaveChange> changes) {
  for (const WaveChange& c : changes) {
    const Variable& v = variables_[c.signal];
    if (v.bits == 0) {
      file_->set_text(v.handle, c.text);
    } else {
      file_->set_number(v.handle, v.bits, c.value);
    }
  }
}

void FstSink::finish(Cycle end, std::span<const WaveChange> mark) {
  if (!begun_ || end > time_) file_->time(end.value);
  put(mark);
  bytes_ += bytes_of(mark);
  file_->finish();
  file_.reset();
  put_in_place(temporary_, path_);
}

std::unique_ptr<WaveSink> make_fst_sink(const TraceOptions& options, const std::vector<WaveSignal>& signals) {
  return std::make_unique<FstSink>(options, signals);
}

}  // namespace tokencycle::observe
