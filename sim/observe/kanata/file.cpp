// SPDX-License-Identifier: Apache-2.0
#include "observe/kanata/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tokencycle::observe {

namespace {

constexpr std::size_t kLongestComment = 160;
constexpr std::size_t kLongestStage = 24;  // "scratchpad_conflict" and some more
// Bytes of the longest number with its tab.
constexpr std::uint64_t kNumber = 21;
// "E op lane stage" for both lanes, and "R op number 1".
constexpr std::uint64_t kEndOfOp = 2 * (kNumber + kLongestStage + 6) + 2 * kNumber + 6;
// A step of time, and an op with the mark: I, L, S, E and R.
constexpr std::uint64_t kEndOfFile = 2 * kNumber + 8 * kNumber + kLongestComment + 64;

// Tabs separate columns and line ends separate lines.
std::string one_column(std::string_view text) {
  std::string s(text);
  for (char& c : s) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return s;
}

template <class... Args>
void append(std::string& to, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(to), format, std::forward<Args>(args)...);
}

}  // namespace

KanataFile::KanataFile(const std::filesystem::path& path, std::uint64_t max_bytes) : file_(path, max_bytes) {
  static constexpr std::string_view kHeader = "Kanata\t0004\nC=\t0\n";
  const std::uint64_t least = kHeader.size() + kEndOfFile + kEndOfOp + 1024;
  if (max_bytes < least) {
    throw UsageError(fmt::format("{}: a trace of at most {} bytes holds no instruction; allow at least {}",
                                 path.string(), max_bytes, least));
  }
  file_.write(kHeader);
}

void KanataFile::push(Cycle time, Line line) {
  if (!full()) pending_.emplace(time, std::move(line));
}

void KanataFile::begin(Cycle time, std::uint64_t op, std::uint64_t sequence, std::string_view label) {
  push(time, {Line::Kind::begin, 0, op, sequence, one_column(label)});
}

void KanataFile::start_stage(Cycle time, std::uint64_t op, int lane, std::string_view stage) {
  push(time, {Line::Kind::start, static_cast<std::uint8_t>(lane), op, 0, std::string(stage)});
}

void KanataFile::end_stage(Cycle time, std::uint64_t op, int lane, std::string_view stage) {
  push(time, {Line::Kind::end, static_cast<std::uint8_t>(lane), op, 0, std::string(stage)});
}

void KanataFile::depend(Cycle time, std::uint64_t consumer, std::uint64_t producer) {
  push(time, {Line::Kind::depend, 0, consumer, producer, {}});
}

void KanataFile::retire(Cycle time, std::uint64_t op, std::string_view tooltip) {
  push(time, {Line::Kind::retire, 0, op, 0, one_column(tooltip)});
}

void KanataFile::flush(Cycle until) {
  while (!pending_.empty() && pending_.begin()->first < until && !full()) {
    const auto first = pending_.begin();
    write(first->first, first->second);
    if (!full()) pending_.erase(first);
  }
  if (full()) pending_.clear();
}

// What must stay free behind this line so that the file can end.
std::uint64_t KanataFile::reserve(const Line& line) const {
  const std::uint64_t open = open_.size() + (line.kind == Line::Kind::begin ? 1 : 0);
  return kEndOfFile + open * kEndOfOp;
}

void KanataFile::write(Cycle time, const Line& line) {
  buffer_.clear();
  format(time, line);
  if (!file_.has_room(buffer_.size() + reserve(line))) {
    truncated_at_ = time;
    end_open_ops(time, fmt::format("truncated at cycle {}", time.value));
    return;
  }
  file_.write(buffer_);
  account(line);
  time_ = time;
  at_start_ = false;
}

void KanataFile::format(Cycle time, const Line& line) {
  // The first step brings the viewer, which counts from 0, to the first cycle.
  if (time > time_ || (at_start_ && time.value > 0)) append(buffer_, "C\t{}\n", time.value - time_.value);
  switch (line.kind) {
    case Line::Kind::begin:
      append(buffer_, "I\t{}\t{}\t0\nL\t{}\t0\t{}\n", line.op, line.number, line.op, line.text);
      break;
    case Line::Kind::start:
      append(buffer_, "S\t{}\t{}\t{}\n", line.op, line.lane, line.text);
      break;
    case Line::Kind::end:
      append(buffer_, "E\t{}\t{}\t{}\n", line.op, line.lane, line.text);
      break;
    case Line::Kind::depend:
      append(buffer_, "W\t{}\t{}\t0\n", line.op, line.number);
      break;
    case Line::Kind::retire:
      append(buffer_, "L\t{}\t1\t{}\nR\t{}\t{}\t0\n", line.op, line.text, line.op, retired_);
      break;
  }
}

void KanataFile::account(const Line& line) {
  switch (line.kind) {
    case Line::Kind::begin:
      ++ops_;
      open_[line.op];
      break;
    case Line::Kind::start:
      open_[line.op][line.lane] = line.text;
      break;
    case Line::Kind::end:
      open_[line.op][line.lane].clear();
      break;
    case Line::Kind::depend:
      break;
    case Line::Kind::retire:
      ++retired_;
      open_.erase(line.op);
      break;
  }
}

// Flushed ops count no retirement, so they bear the number of the next one.
void KanataFile::end_open_ops(Cycle time, std::string_view mark) {
  if (open_.empty() && mark.empty()) return;
  std::string end;
  const Cycle at = std::max(time, time_ + 1);  // no stage is empty
  append(end, "C\t{}\n", at.value - time_.value);
  for (const auto& [op, stages] : open_) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const std::string& stage = stages[static_cast<std::size_t>(lane)];
      if (!stage.empty()) append(end, "E\t{}\t{}\t{}\n", op, lane, stage);
    }
    append(end, "R\t{}\t{}\t1\n", op, retired_);
  }
  open_.clear();
  if (!mark.empty()) {
    append(end, "I\t{0}\t0\t0\nL\t{0}\t0\t{1}\nR\t{0}\t{2}\t1\n", ops_,
           one_column(mark.substr(0, kLongestComment)), retired_);
  }
  time_ = at;
  file_.write(end);
}

void KanataFile::finish(Cycle end, std::string_view cut) {
  flush(kNever);
  if (!full()) end_open_ops(end, cut);
  file_.commit();
}

}  // namespace tokencycle::observe
