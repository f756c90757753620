// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto/track.h"

#include <protozero/pbf_builder.hpp>

#include "observe/perfetto/fields.h"

namespace tokencycle::observe {

namespace pf = perfetto;
using protozero::pbf_builder;

// A packet that is complete when this is gone.
struct PerfettoTrack::Packet {
  Packet(std::string& bytes, std::uint32_t sequence) : trace(bytes), packet(trace, pf::Trace::packet) {
    packet.add_uint32(pf::TracePacket::trusted_packet_sequence_id, sequence);
  }
  Packet(std::string& bytes, std::uint32_t sequence, std::uint64_t delta, pf::EventType type)
      : Packet(bytes, sequence) {
    packet.add_uint64(pf::TracePacket::timestamp, delta);
    packet.add_uint32(pf::TracePacket::sequence_flags, pf::kNeedsState);
    event_type = static_cast<std::uint32_t>(type);
  }
  pbf_builder<pf::TrackEvent> event() {
    pbf_builder<pf::TrackEvent> e(packet, pf::TracePacket::track_event);
    e.add_uint32(pf::TrackEvent::type, event_type);
    return e;
  }

  pbf_builder<pf::Trace> trace;
  pbf_builder<pf::TracePacket> packet;
  std::uint32_t event_type = 0;
};

namespace {

void add_clock(pbf_builder<pf::ClockSnapshot>& snapshot, std::uint32_t id, bool incremental) {
  pbf_builder<pf::Clock> clock(snapshot, pf::ClockSnapshot::clocks);
  clock.add_uint32(pf::Clock::clock_id, id);
  clock.add_uint64(pf::Clock::timestamp, 0);
  if (incremental) clock.add_bool(pf::Clock::is_incremental, true);
}

}  // namespace

PerfettoTrack::PerfettoTrack(PerfettoFile& file, const PerfettoTrackOptions& options)
    : file_(file), id_(file.new_track()) {
  {
    Packet packet(bytes_, id_);
    packet.packet.add_uint32(pf::TracePacket::sequence_flags, pf::kStateCleared);
    {
      pbf_builder<pf::TracePacketDefaults> defaults(packet.packet, pf::TracePacket::trace_packet_defaults);
      defaults.add_uint32(pf::TracePacketDefaults::timestamp_clock_id, pf::kSequenceClock);
      pbf_builder<pf::TrackEventDefaults> event(defaults, pf::TracePacketDefaults::track_event_defaults);
      event.add_uint64(pf::TrackEventDefaults::track_uuid, id_);
    }
    pbf_builder<pf::ClockSnapshot> snapshot(packet.packet, pf::TracePacket::clock_snapshot);
    add_clock(snapshot, pf::kSequenceClock, true);
    add_clock(snapshot, pf::kBootTime, false);
  }
  {
    Packet packet(bytes_, id_);
    pbf_builder<pf::TrackDescriptor> track(packet.packet, pf::TracePacket::track_descriptor);
    track.add_uint64(pf::TrackDescriptor::uuid, id_);
    track.add_string(pf::TrackDescriptor::name, options.name.data(), options.name.size());
    track.add_uint32(pf::TrackDescriptor::child_ordering, pf::kExplicitOrder);
    if (options.parent != 0) track.add_uint64(pf::TrackDescriptor::parent_uuid, options.parent);
    track.add_int32(pf::TrackDescriptor::sibling_order_rank, static_cast<std::int32_t>(options.rank));
    if (!options.description.empty()) {
      track.add_string(pf::TrackDescriptor::description, options.description.data(),
                       options.description.size());
    }
    if (!options.counter_unit.empty()) {
      pbf_builder<pf::CounterDescriptor> counter(track, pf::TrackDescriptor::counter);
      counter.add_string(pf::CounterDescriptor::unit_name, options.counter_unit.data(),
                         options.counter_unit.size());
    }
  }
  write();
}

void PerfettoTrack::write() {
  file_.file().write(bytes_);
  bytes_.clear();
}

std::uint64_t PerfettoTrack::delta(Cycle at) {
  const std::uint64_t since = at.value - last_.value;
  last_ = at;
  return since;
}

// Texts that this track has not had yet are added to the packet that first refers to them.
void PerfettoTrack::note(Space space, PerfettoName name) {
  std::vector<bool>& written = written_[space];
  if (name.iid < written.size() && written[name.iid]) return;
  if (name.iid >= written.size()) written.resize(name.iid + 1);
  written[name.iid] = true;
  new_names_.push_back({space, name});
}

void PerfettoTrack::write_new_names(Packet& packet) {
  static constexpr std::array kFields = {pf::InternedData::event_names,
                                         pf::InternedData::debug_annotation_names,
                                         pf::InternedData::debug_annotation_string_values};
  if (new_names_.empty()) return;
  pbf_builder<pf::InternedData> data(packet.packet, pf::TracePacket::interned_data);
  for (const NewName& n : new_names_) {
    pbf_builder<pf::InternedName> entry(data, kFields[n.space]);
    entry.add_uint64(pf::InternedName::iid, n.name.iid);
    entry.add_string(pf::InternedName::text, n.name.text.data(), n.name.text.size());
  }
  new_names_.clear();
}

void PerfettoTrack::slice(Cycle begin, Cycle end, PerfettoName name,
                          std::span<const PerfettoAnnotation> annotations, const PerfettoFlow& flow) {
  if (name.iid != 0) note(event_names, name);
  for (const PerfettoAnnotation& a : annotations) {
    note(annotation_names, {static_cast<std::uint32_t>(a.key), name_of(a.key)});
    if (!a.name.text.empty()) note(annotation_texts, a.name);
  }
  {
    Packet packet(bytes_, id_, delta(begin), pf::EventType::slice_begin);
    write_new_names(packet);
    pbf_builder<pf::TrackEvent> event = packet.event();
    if (name.iid != 0) {
      event.add_uint64(pf::TrackEvent::name_iid, name.iid);
    } else {
      event.add_string(pf::TrackEvent::name, name.text.data(), name.text.size());
    }
    for (const PerfettoAnnotation& a : annotations) {
      pbf_builder<pf::DebugAnnotation> annotation(event, pf::TrackEvent::debug_annotations);
      annotation.add_uint64(pf::DebugAnnotation::name_iid, static_cast<std::uint64_t>(a.key));
      if (a.name.text.empty()) {
        annotation.add_uint64(pf::DebugAnnotation::uint_value, a.number);
      } else {
        annotation.add_uint64(pf::DebugAnnotation::string_value_iid, a.name.iid);
      }
    }
    if (flow.begins != 0) event.add_fixed64(pf::TrackEvent::flow_ids, flow.begins);
    for (const std::uint64_t f : flow.ends) event.add_fixed64(pf::TrackEvent::terminating_flow_ids, f);
  }
  { Packet(bytes_, id_, delta(end), pf::EventType::slice_end).event(); }
  file_.count_slice();
  write();
}

void PerfettoTrack::instant(Cycle at, std::string_view text) {
  {
    Packet packet(bytes_, id_, delta(at), pf::EventType::instant);
    packet.event().add_string(pf::TrackEvent::name, text.data(), text.size());
  }
  file_.count_slice();
  write();
}

void PerfettoTrack::counter(Cycle at, double value) {
  {
    Packet packet(bytes_, id_, delta(at), pf::EventType::counter);
    packet.event().add_double(pf::TrackEvent::double_counter_value, value);
  }
  write();
}

}  // namespace tokencycle::observe
