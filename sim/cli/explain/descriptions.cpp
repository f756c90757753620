// SPDX-License-Identifier: Apache-2.0
// Keys of machine descriptions and memory systems, and the fields of instruction words.
#include <fmt/format.h>

#include "cli/explain/topic.h"
#include "config/fields.h"
#include "config/rules.h"
#include "config/technology/technology.h"
#include "isa/fields.h"
#include "isa/reference.h"

namespace tokencycle::cli {

Topic machine_topic() {
  Topic topic{{"key", "unit", "range", "default", "meaning"}, {}, {}};
  for (const config::Field& f : config::fields())
    topic.rows.push_back({f.path, f.unit, config::range_text(f), config::default_text(f), f.meaning});
  topic.notes = {
      "Unknown keys are refused. Cycles count periods of /clock_ghz.",
      "/dram/system has the keys of `tokencycle explain memory`; channels (at most 64) and capacity (at "
      "most 2^48 bytes) follow from it, and /dram/channel_gb_per_s must be the preset's, up to 0.5 %; "
      "without the key it is.",
      "With a memory system, /dram/burst_bytes is one burst of the devices or several, at most as many as "
      "the shorter queue takes."};
  for (const config::Rule& r : config::rules()) topic.notes.push_back(r.statement);
  return topic;
}

Topic memory_topic() {
  return {
      {"key", "unit", "range", "default", "meaning"},
      {
          {"schema", "", "\"tokencycle-dram-system-1\"", "required in a file",
           "version of this list of keys"},
          {"name", "", "1 .. 64 bytes of text", "required in a file", "short name"},
          {"description", "", "1 .. 4096 bytes of text", "absent", "what the system stands for"},
          {"preset", "", "a name, or a path that ends in .json", "required",
           "the devices: a preset of configs/dram or beside the file; a machine looks beside its file, in "
           "its folder dram/, and in configs/dram; a path starts at the file's folder"},
          {"channels", "channels", "1 .. 1024; in a machine 1 .. 64", "1",
           "each with a controller of its own"},
          {"mapping", "", "parts of an address", "see the notes",
           "least significant first, above the bytes of a burst; column:2 takes two bits, a part without a "
           "number all that are left"},
          {"xor", "", "1 .. 16 pairs", "none",
           "\"field\" is combined with the bits of \"with\" from bit \"shift\" (default 0) on, in order"},
          {"scheduler", "", "fcfs, fr-fcfs, fr-fcfs-cap or fr-fcfs-row-hit", "fr-fcfs",
           "which waiting request is served next"},
          {"row_hit_cap", "row hits", "1 .. 1000000", "4", "only with fr-fcfs-cap"},
          {"page_policy", "", "open, closed or adaptive", "open",
           "when a row closes: for another row; after its last request; after its last request if another "
           "row of the bank is wanted"},
          {"refresh", "", "none, all-bank or per-bank", "all-bank", "per-bank needs a standard with REFpb"},
          {"postpone", "refreshes", "0 .. \"postponable\" of the preset", "0",
           "refreshes that wait for an idle queue"},
          {"queue_of", "", "channel or bank", "channel",
           "bank: a read and a write queue for each bank, so that a bank's requests do not keep those of "
           "others waiting"},
          {"read_queue, write_queue, activated_queue", "requests", "1 .. 4096; 65536 for all banks together",
           "32", "sizes of the controller's queues; the last is always of the channel"},
          {"write_high, write_low", "of the write queue", "0 .. 1", "0.8, 0.2",
           "where draining of writes begins and ends, for the bank whose queue is fullest; low is below "
           "high"},
      },
      {"Parts of an address: channel, rank (a pseudo-channel of HBM is one), stack_id, bank_group, bank, "
       "row, column (bursts of a row).",
       "The default mapping is channel, bank_group, column, bank, stack_id, rank, row: neighbouring bursts "
       "go to different channels and bank groups, a stream stays in its open rows. Pseudo-channels have "
       "buses of their own: there rank comes right after channel.",
       "Where channels are no power of two, the address above the parts before \"channel\" is divided by "
       "their number: the remainder is the channel. It then stands once and is not the \"field\" of an xor.",
       "A machine's request of several bursts stays in one channel: the default mapping has the channel "
       "behind the bits that number them.",
       "fcfs serves the oldest request; fr-fcfs serves the oldest of those whose next command can be given, "
       "so it may close a row while hits wait that are not ready; fr-fcfs-cap serves the same with at most "
       "row_hit_cap hits of a bank past an older request.",
       "fr-fcfs-row-hit serves row hits first, which most papers call FR-FCFS: no row is closed that a "
       "waiting request of the same direction wants, and a transfer goes before an ACT or PRE of the same "
       "clock."}};
}

Topic technology_topic() {
  Topic topic{{"key", "unit", "meaning"}, {}, {}};
  topic.rows = {
      {"schema", "", "\"tokencycle-technology-1\""},
      {"base", "",
       "a technology beside the file or in configs/technology, or a path: its keys hold where this file has "
       "none (objects are merged, null takes a key away)"},
      {"name, description", "", "short name; what it stands for"},
      {"node_nm, voltage_v", "nm, V", "what all figures are brought to"},
      {"process", "", "high-performance or low-power: whose polynomials of /scaling hold"},
      {"sources/NAME/text, /licence", "", "where figures are from, and on what terms"},
      {"scaling/nodes[]", "",
       "node_nm; energy by process: a, b, c of a V^2 + b V + c; area of the same gate; both relative"},
      {"scaling/energy_exponent", "", "value, sources: energies go with the node to this power"},
      {"figures/QUANTITY[]", "",
       "one for each node: node_nm, voltage_v, low, typical, high, sources, range (how low and high are "
       "known)"}};
  for (const config::QuantityRow& row : config::quantities()) {
    topic.rows.push_back(
        {"figures/" + std::string(row.name), std::string(row.unit), std::string(row.meaning)});
  }
  topic.notes = {
      "Between two nodes with figures a quantity is interpolated, both axes logarithmic, and brought to the "
      "voltage by /scaling. Beyond them an energy is scaled by the polynomials and by the exponent: the "
      "lower "
      "is low, the higher high, their geometric mean typical. Areas follow /scaling; leakage goes as energy.",
      "Area: a cell of the array has the largest of its types' multipliers and adders, each over its "
      "cycles_per_row (high: all of them), and registers for operands and sum; memories are cells over their "
      "share; a lane has each function's circuit over its cycles_per_beat; interfaces of DRAM are pins.",
      "Energy: products by type, sums that leave the array (accumulator), scratchpad bytes by bank, the same "
      "bytes over half the edge of the core's area (wires), elements through each part of a lane, "
      "instructions, DRAM bytes through the interface, cycles of leakage, and the DRAM's own energy, shared "
      "among operators by the bytes that they move.",
      "Not in it: clock tree, power grid, empty places on the die, stages that take formats apart, links to "
      "a host. Beside TPU v1 and v4i as published, blocks of the typical figure are 39 to 73 % too small and "
      "power is 35 to 70 % too low (tests/technology/chips.cpp); nothing was fitted."};
  return topic;
}

Topic instructions_topic() {
  Topic topic{{"mnemonic", "class and function", "fields (first bit:bits)"}, {}, {}};
  for (const isa::Opcode op : isa::opcodes()) {
    std::string fields;
    for (const isa::PlacedField& p : isa::layout_of(op).fields()) {
      const std::string_view name = isa::info_of(p.field).name;
      fields += fmt::format("{}{} {}:{}", fields.empty() ? "" : ", ", name, p.first_bit, p.bits);
    }
    topic.rows.push_back({std::string(isa::name_of(op)),
                          fmt::format("{} {}", isa::name_of(isa::class_of(op)), isa::function_of(op)),
                          fields.empty() ? "none" : fields});
  }
  topic.notes = {
      "A word has 256 bits. Bits 0 to 6 hold the function's number within its class, bits 7 to 10 the "
      "class; bits that no field covers are zero.",
      "Signed fields (step bytes, value) are two's complement. A local address has the accumulator's select "
      "bit on top. A scalar is the bits of a finite f32.",
      "A format is its row in sim/numerics/formats/table.h; nk 0, kn 1; adjacent 0, split 1; units: bit 1 "
      "load, 2 store, 3 matrix, 4 vector."};
  return topic;
}

Topic isa_topic() {
  return {{}, {}, {}, std::string(isa::reference())};
}

}  // namespace tokencycle::cli
