// SPDX-License-Identifier: Apache-2.0
// One track of a Perfetto trace, encoded in the compact form: a packet sequence of its own, in which times
// are differences and names are numbers.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "observe/perfetto/names.h"
#include "observe/trace_file.h"

namespace tokencycle::observe {

// The file as its tracks see it: numbers for them, and how much was written.
class PerfettoFile {
 public:
  // Throws as TraceFile.
  PerfettoFile(const std::filesystem::path& path, std::uint64_t max_bytes) : file_(path, max_bytes) {}
  TraceFile& file() { return file_; }
  const TraceFile& file() const { return file_; }
  std::uint32_t new_track() { return ++tracks_; }
  void count_slice() { ++slices_; }
  std::uint64_t slices() const { return slices_; }  // instants included, as Perfetto counts them

 private:
  TraceFile file_;
  std::uint32_t tracks_ = 0;
  std::uint64_t slices_ = 0;
};

struct PerfettoTrackOptions {
  std::string_view name;
  std::uint32_t parent = 0;  // PerfettoTrack::id(); 0: a root
  std::uint32_t rank = 0;    // among the parent's children
  std::string_view description = {};
  std::string_view counter_unit = {};  // a counter if not empty
};

// An arrow leads from the slice in which a flow begins to the one in which it ends.
struct PerfettoFlow {
  std::uint64_t begins = 0;  // the flow's number; 0: none
  std::span<const std::uint64_t> ends = {};
};

class PerfettoTrack {
 public:
  // Writes the track's description. The file outlives it. As all calls, throws IoError.
  PerfettoTrack(PerfettoFile& file, const PerfettoTrackOptions& options);
  std::uint32_t id() const { return id_; }

  // [begin, end). Slices of one track are written in order of time and do not overlap.
  void slice(Cycle begin, Cycle end, PerfettoName name, std::span<const PerfettoAnnotation> annotations = {},
             const PerfettoFlow& flow = {});
  void instant(Cycle at, std::string_view text);
  // The value from `at` on.
  void counter(Cycle at, double value);

  // No slice takes more bytes. `text`: of its name and of the names in its annotations; `flows`: that end.
  static constexpr std::uint64_t slice_bound(std::size_t annotations, std::size_t text,
                                             std::size_t flows = 0) {
    return 112 + 64 * annotations + text + 12 * flows;
  }
  static constexpr std::uint64_t kCounterBound = 48;
  static constexpr std::uint64_t kInstantBound = 64;  // and its text
  static constexpr std::uint64_t kTrackBound = 160;   // and the texts of its options

 private:
  enum Space : std::uint8_t { event_names, annotation_names, annotation_texts };
  struct Packet;
  struct NewName {
    Space space{};
    PerfettoName name;
  };
  std::uint64_t delta(Cycle at);
  void note(Space space, PerfettoName name);
  void write_new_names(Packet& packet);
  void write();

  PerfettoFile& file_;
  std::uint32_t id_;                          // of the track and of its packets' sequence
  Cycle last_;                                // time of the last packet
  std::array<std::vector<bool>, 3> written_;  // names by Space and number
  std::vector<NewName> new_names_;            // of the packet that is being made
  std::string bytes_;                         // the same
};

}  // namespace tokencycle::observe
