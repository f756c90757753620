// SPDX-License-Identifier: Apache-2.0
// The messages of Perfetto's trace format that are written, and their fields' numbers
// (https://perfetto.dev, protos/perfetto/trace; the names are theirs).
#pragma once

#include <protozero/types.hpp>

namespace tokencycle::observe::perfetto {

using protozero::pbf_tag_type;

enum class Trace : pbf_tag_type { packet = 1 };

enum class TracePacket : pbf_tag_type {
  clock_snapshot = 6,
  timestamp = 8,
  trusted_packet_sequence_id = 10,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  trace_packet_defaults = 59,
  track_descriptor = 60,
};
inline constexpr std::uint32_t kStateCleared = 1;  // sequence_flags
inline constexpr std::uint32_t kNeedsState = 2;

enum class ClockSnapshot : pbf_tag_type { clocks = 1 };
enum class Clock : pbf_tag_type { clock_id = 1, timestamp = 2, is_incremental = 3 };
inline constexpr std::uint32_t kBootTime = 6;        // clock_id: the trace's time
inline constexpr std::uint32_t kSequenceClock = 64;  // clock_id: of one sequence
enum class TracePacketDefaults : pbf_tag_type { track_event_defaults = 11, timestamp_clock_id = 58 };
enum class TrackEventDefaults : pbf_tag_type { track_uuid = 11 };

enum class TrackDescriptor : pbf_tag_type {
  uuid = 1,
  name = 2,
  parent_uuid = 5,
  counter = 8,
  child_ordering = 11,
  sibling_order_rank = 12,
  description = 14,
};
inline constexpr std::uint32_t kExplicitOrder = 3;  // child_ordering
enum class CounterDescriptor : pbf_tag_type { unit_name = 6 };

enum class TrackEvent : pbf_tag_type {
  debug_annotations = 4,
  type = 9,
  name_iid = 10,
  name = 23,
  double_counter_value = 44,
  flow_ids = 47,
  terminating_flow_ids = 48,
};
enum class EventType : std::uint32_t { slice_begin = 1, slice_end = 2, instant = 3, counter = 4 };

enum class DebugAnnotation : pbf_tag_type {
  name_iid = 1,
  uint_value = 3,
  string_value_iid = 17,
};

enum class InternedData : pbf_tag_type {
  event_names = 2,
  debug_annotation_names = 3,
  debug_annotation_string_values = 29,
};
enum class InternedName : pbf_tag_type { iid = 1, text = 2 };

}  // namespace tokencycle::observe::perfetto
