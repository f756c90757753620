// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto_decoder.h"

#include <zlib.h>

#include <bit>
#include <functional>
#include <stdexcept>
#include <string_view>

namespace tokencycle::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("perfetto: " + what);
}

struct Field {
  std::uint64_t number = 0, value = 0;  // varint or fixed
  std::string_view bytes;               // length-delimited
};

// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding).
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  bool next(Field& field) {
    if (bytes_.empty()) return false;
    const std::uint64_t key = varint();
    field = {key >> 3, 0, {}};
    switch (key & 7) {
      case 0:
        field.value = varint();
        return true;
      case 1:
        for (int i = 0; i < 8; ++i) field.value |= std::uint64_t{byte()} << 8 * i;
        return true;
      case 2: {
        const std::uint64_t length = varint();
        if (length > bytes_.size()) fail("a message ends within a field");
        field.bytes = bytes_.substr(0, length);
        bytes_.remove_prefix(length);
        return true;
      }
      default:
        fail("a wire type that is not used here");
    }
  }

 private:
  std::uint8_t byte() {
    if (bytes_.empty()) fail("a message ends within a field");
    const auto b = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return b;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = byte();
      value |= std::uint64_t{b & 0x7fu} << shift;
      if ((b & 0x80) == 0) return value;
    }
    fail("a varint of more than ten bytes");
  }
  std::string_view bytes_;
};

void each_field(std::string_view message, const std::function<void(const Field&)>& take) {
  Field field;
  for (Fields fields(message); fields.next(field);) take(field);
}

using Names = std::map<std::uint64_t, std::string>;

const std::string& look_up(const Names& names, std::uint64_t iid) {
  const auto found = names.find(iid);
  if (found == names.end()) fail("name " + std::to_string(iid) + " has no text");
  return found->second;
}

struct Sequence {
  bool cleared = false;
  std::uint64_t clock = 0, track = 0, now = 0;
  std::map<std::uint64_t, bool> clocks;  // incremental?
  Names events, keys, texts;
  std::vector<PerfettoSlice> open;
};

struct Packet {
  std::uint64_t sequence = 0, flags = 0, timestamp = 0;
  bool has_timestamp = false;
  std::string_view snapshot, event, interned, defaults, descriptor;
};

class Reader {
 public:
  PerfettoContents read(std::string_view file) {
    contents_.bytes = file.size();
    each_field(file, [&](const Field& f) {
      if (f.number != 1) fail("something other than packets");
      take(packet_of(f.bytes));
    });
    for (const auto& [id, s] : sequences_) {
      if (!s.open.empty()) fail("slice '" + s.open.back().name + "' has no end");
    }
    return std::move(contents_);
  }

 private:
  static Packet packet_of(std::string_view bytes) {
    Packet p;
    each_field(bytes, [&](const Field& f) {
      switch (f.number) {
        case 6:
          p.snapshot = f.bytes;
          return;
        case 8:
          p.timestamp = f.value;
          p.has_timestamp = true;
          return;
        case 10:
          p.sequence = f.value;
          return;
        case 11:
          p.event = f.bytes;
          return;
        case 12:
          p.interned = f.bytes;
          return;
        case 13:
          p.flags = f.value;
          return;
        case 59:
          p.defaults = f.bytes;
          return;
        case 60:
          p.descriptor = f.bytes;
          return;
        default:
          fail("packet field " + std::to_string(f.number));
      }
    });
    return p;
  }

  void take(const Packet& p) {
    if (p.sequence == 0) fail("a packet without a sequence");
    Sequence& s = sequences_[p.sequence];
    if (p.flags == 1) s = {true, 0, 0, 0, {}, {}, {}, {}, {}};
    if (!s.cleared) fail("a sequence without a first packet");
    if (!p.defaults.empty()) take_defaults(s, p.defaults);
    if (!p.snapshot.empty()) take_snapshot(s, p.snapshot);
    if (!p.interned.empty()) take_names(s, p.interned);
    if (!p.descriptor.empty()) take_descriptor(p.descriptor);
    if (p.event.empty()) return;
    if (!p.has_timestamp || p.flags != 2 || !s.clocks[s.clock]) fail("an event without a relative time");
    if (s.now + p.timestamp < s.now) fail("time goes back");
    s.now += p.timestamp;
    take_event(s, p.event);
  }

  static void take_defaults(Sequence& s, std::string_view bytes) {
    each_field(bytes, [&](const Field& f) {
      if (f.number == 58) {
        s.clock = f.value;
      } else if (f.number == 11) {
        each_field(f.bytes, [&](const Field& e) {
          if (e.number != 11) fail("a default of an event that is not known");
          s.track = e.value;
        });
      } else {
        fail("a default that is not known");
      }
    });
  }

  static void take_snapshot(Sequence& s, std::string_view bytes) {
    each_field(bytes, [&](const Field& f) {
      std::uint64_t id = 0, incremental = 0, at = 1;
      each_field(f.bytes, [&](const Field& c) {
        (c.number == 1 ? id : c.number == 2 ? at : incremental) = c.value;
      });
      if (f.number != 1 || at != 0) fail("a clock that does not begin at 0");
      s.clocks[id] = incremental != 0;
    });
  }

  static void take_names(Sequence& s, std::string_view bytes) {
    each_field(bytes, [&](const Field& f) {
      Names* const names = f.number == 2    ? &s.events
                           : f.number == 3  ? &s.keys
                           : f.number == 29 ? &s.texts
                                            : nullptr;
      if (names == nullptr) fail("interned data that is not known");
      std::uint64_t iid = 0;
      std::string text;
      each_field(f.bytes, [&](const Field& n) {
        if (n.number == 1) iid = n.value;
        if (n.number == 2) text = n.bytes;
      });
      if (iid == 0 || text.empty()) fail("a name without number or text");
      if (!names->emplace(iid, text).second) fail("name '" + text + "' comes twice");
    });
  }

  void take_descriptor(std::string_view bytes) {
    PerfettoTrackInfo track;
    std::uint64_t uuid = 0;
    each_field(bytes, [&](const Field& f) {
      switch (f.number) {
        case 1:
          uuid = f.value;
          return;
        case 2:
          track.name = f.bytes;
          return;
        case 5:
          track.parent = f.value;
          return;
        case 8:
          each_field(f.bytes, [&](const Field& c) { track.unit = c.bytes; });
          return;
        case 11:
          if (f.value != 3) fail("an order of tracks that is not explicit");
          return;
        case 12:
          track.rank = f.value;
          return;
        case 14:
          track.description = f.bytes;
          return;
        default:
          fail("track field " + std::to_string(f.number));
      }
    });
    if (track.parent != 0 && contents_.tracks.count(track.parent) == 0) fail("a track before its parent");
    if (!contents_.tracks.emplace(uuid, track).second) fail("a track that is described twice");
  }

  void take_event(Sequence& s, std::string_view bytes) {
    std::uint64_t type = 0;
    double value = 0;
    PerfettoSlice slice{s.track, "", s.now, s.now, {}, {}, {}};
    each_field(bytes, [&](const Field& f) {
      switch (f.number) {
        case 4:
          take_annotation(s, f.bytes, slice);
          return;
        case 9:
          type = f.value;
          return;
        case 10:
          slice.name = look_up(s.events, f.value);
          return;
        case 23:
          slice.name = f.bytes;
          return;
        case 44:
          value = std::bit_cast<double>(f.value);
          return;
        case 47:
          slice.flows_out.push_back(f.value);
          return;
        case 48:
          slice.flows_in.push_back(f.value);
          return;
        default:
          fail("event field " + std::to_string(f.number));
      }
    });
    const auto track = contents_.tracks.find(s.track);
    if (track == contents_.tracks.end()) fail("an event on a track without description");
    if (type != 4 && !track->second.unit.empty()) fail("something other than a value on a counter");
    if (type != 2 && type != 4 && slice.name.empty()) fail("a slice without name");
    if (type == 1) {
      s.open.push_back(slice);
    } else if (type == 2) {
      if (s.open.empty()) fail("an end without begin");
      s.open.back().end = s.now;
      contents_.slices.push_back(s.open.back());
      s.open.pop_back();
    } else if (type == 3) {
      contents_.instants.push_back(slice);
    } else if (type == 4 && !track->second.unit.empty()) {
      contents_.values[s.track].push_back({s.now, value});
    } else {
      fail("event type " + std::to_string(type));
    }
  }

  static void take_annotation(const Sequence& s, std::string_view bytes, PerfettoSlice& slice) {
    std::string key, value;
    each_field(bytes, [&](const Field& f) {
      switch (f.number) {
        case 1:
          key = look_up(s.keys, f.value);
          return;
        case 3:
          value = std::to_string(f.value);
          return;
        case 17:
          value = look_up(s.texts, f.value);
          return;
        default:
          fail("annotation field " + std::to_string(f.number));
      }
    });
    if (key.empty() || value.empty()) fail("an annotation without key or value");
    slice.annotations[key] = value;
  }

  PerfettoContents contents_;
  std::map<std::uint64_t, Sequence> sequences_;
};

std::string read_file(const std::filesystem::path& path) {
  gzFile_s* const file = gzopen(path.c_str(), "rb");
  if (file == nullptr) fail(path.string() + " cannot be opened");
  std::string bytes;
  char part[1 << 14];
  for (int n = 0; (n = gzread(file, part, sizeof part)) > 0;) bytes.append(part, static_cast<std::size_t>(n));
  if (gzclose(file) != Z_OK) fail(path.string() + " is truncated");
  return bytes;
}

}  // namespace

std::uint64_t PerfettoContents::track(const std::string& name) const {
  std::uint64_t found = 0;
  for (const auto& [uuid, info] : tracks) {
    if (info.name != name) continue;
    if (found != 0) fail("two tracks " + name);
    found = uuid;
  }
  if (found == 0) fail("no track " + name);
  return found;
}

std::vector<PerfettoSlice> PerfettoContents::on(std::uint64_t track) const {
  std::vector<PerfettoSlice> list;
  for (const PerfettoSlice& s : slices) {
    if (s.track == track) list.push_back(s);
  }
  return list;
}

std::vector<PerfettoSlice> PerfettoContents::on(const std::string& name) const {
  std::vector<PerfettoSlice> list;
  for (const PerfettoSlice& s : slices) {
    if (tracks.at(s.track).name == name) list.push_back(s);
  }
  return list;
}

PerfettoContents read_perfetto(const std::filesystem::path& path) {
  return Reader().read(read_file(path));
}

}  // namespace tokencycle::test
