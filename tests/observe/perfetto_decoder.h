// SPDX-License-Identifier: Apache-2.0
// Reads Perfetto traces and is strict where the viewer is silent: what it would drop or repair is an error
// here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tokencycle::test {

struct PerfettoSlice {
  std::uint64_t track = 0;
  std::string name;
  std::uint64_t begin = 0, end = 0;
  std::map<std::string, std::string> annotations;
  std::vector<std::uint64_t> flows_out, flows_in;
  std::uint64_t duration() const { return end - begin; }
};

struct PerfettoValue {
  std::uint64_t at = 0;
  double value = 0;
};

struct PerfettoTrackInfo {
  std::string name, description, unit;
  std::uint64_t parent = 0, rank = 0;
};

struct PerfettoContents {
  std::map<std::uint64_t, PerfettoTrackInfo> tracks;           // by uuid
  std::vector<PerfettoSlice> slices;                           // in the order of their ends
  std::vector<PerfettoSlice> instants;                         // begin = end
  std::map<std::uint64_t, std::vector<PerfettoValue>> values;  // by track
  std::uint64_t bytes = 0;

  // The only track of this name; throws if there is none, or more than one.
  std::uint64_t track(const std::string& name) const;
  std::vector<PerfettoSlice> on(std::uint64_t track) const;
  std::vector<PerfettoSlice> on(const std::string& name) const;  // of all tracks of that name
};

// Decompresses a .gz. Throws std::runtime_error (packet, what) for anything that breaks a rule: a truncated
// file, a field that is not known, an event on a track without description or in a sequence without a first
// packet, a name's number without its text, ends without begins, begins without ends, time that goes back.
PerfettoContents read_perfetto(const std::filesystem::path& path);

}  // namespace tokencycle::test
