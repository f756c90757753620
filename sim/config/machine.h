// SPDX-License-Identifier: Apache-2.0
// The description of one machine: checked and immutable once read. configs/README.md documents each key.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/quantity.h"
#include "isa/vector/function.h"
#include "numerics/format.h"

namespace tokencycle::config {

inline constexpr std::uint32_t kMostUnits = 8;      // of a kind in a core
inline constexpr std::size_t kMostNameBytes = 256;  // of a machine, bytes

struct Fetch {
  std::uint32_t buffer_words = 64;       // instruction buffer, words of 32 bytes; at least 4
  std::uint32_t requests_in_flight = 4;  // prefetch bursts outstanding
};

struct Scoreboard {
  std::uint32_t entries = 32;  // instructions between decode and retirement
};

struct Dispatch {
  std::uint32_t queue_depth = 8;  // entries of each unit's queue
};

struct Dma {
  std::uint32_t load_bursts_in_flight = 32;
  std::uint32_t store_bursts_in_flight = 16;
  std::uint32_t port_bytes = 64;       // scratchpad port of each engine, bytes a cycle
  std::uint32_t bursts_per_cycle = 1;  // accesses that the port makes in a cycle, port_bytes together
  std::uint32_t engines = 1;           // pairs of a load and a store engine
};

// Which operand stays in the array. weight_, input_stationary and dot_product arrays hold a tile and take
// preload and multiply; output_stationary ones keep the sums and take matmul.
enum class Dataflow : std::uint8_t { weight_stationary, input_stationary, output_stationary, dot_product };
inline constexpr int kDataflows = 4;

// The largest piece of a product that one multiply or matmul may do; 0: the compiler's choice.
struct Tiling {
  std::uint32_t m = 0, n = 0, k = 0;
};

// What takes numbers of one kind of format apart behind each of the array's two ports.
struct DecodeStage {
  std::uint32_t values_per_cycle = 0;  // 0: as many as the port delivers
  std::uint32_t latency_cycles = 0;
};

struct Matrix {
  Dataflow dataflow = Dataflow::weight_stationary;
  std::uint32_t rows = 0, columns = 0;      // processing elements; configs/README.md says what each takes
  bool double_buffered = true;              // a tile may be preloaded while another multiplies
  bool back_to_back = true;                 // a pass may enter while the one before it drains
  std::uint32_t stationary_port_bytes = 0;  // scratchpad port of preload, bytes a cycle
  std::uint32_t moving_port_bytes = 0;      // scratchpad port of multiply, bytes a cycle
  std::uint32_t scale_latency_cycles = 0;   // of one scale-and-accumulate cell at a group's end
  std::uint32_t group_buffer_rows = 0;      // moving rows whose unfinished group sums can wait (rows < 32)
  // Cycles a moving row occupies the array, by MultiplyType; 0: the machine lacks the type.
  std::array<std::uint32_t, kMultiplyTypes> cycles_per_row{};
  std::array<DecodeStage, kDecodings> decode{};  // by Decoding; `none` needs no stage
  Tiling tiling;
  std::uint32_t units = 1;  // of a core, all alike
  // Units that take tiles in turn: where group sums can wait for a later pass, the pass may come with another
  // tile, so all tiles are in the first one.
  std::uint32_t units_in_turn() const {
    return group_buffer_rows == 0 || dataflow == Dataflow::output_stationary ? units : 1;
  }
  double cells() const { return double{1} * units * rows * columns; }  // of all units
};

// The functions of the vector unit that have a cost of their own. A beat is up to `lanes` elements.
using VectorFunction = isa::LaneFunction;
inline constexpr int kVectorFunctions = isa::kLaneFunctions;

struct FunctionCost {
  std::uint32_t cycles_per_beat = 1;  // issue interval
  std::uint32_t latency_cycles = 1;   // from a beat's operands to its result
};

struct Vector {
  std::uint32_t lanes = 0;  // power of two
  std::array<FunctionCost, kVectorFunctions> functions{};
  std::uint32_t units = 1;  // of a core, all alike
  const FunctionCost& cost(VectorFunction f) const { return functions[static_cast<std::size_t>(f)]; }
};

struct Scratchpad {
  std::uint32_t capacity_bytes = 0;
  std::uint32_t banks = 0;  // power of two, at most 64; neighbouring bank words are in neighbouring banks
  std::uint32_t bank_bytes = 0;  // width of a bank word, power of two
  std::uint32_t read_latency_cycles = 1;
  bool separate_write_port = false;  // each bank: one read/write port, or one read and one write port
};

struct Accumulator {
  std::uint32_t capacity_bytes = 0;  // fp32 sums
};

struct Writeback {
  std::uint32_t ports = 1;  // instructions retired a cycle
};

struct DramSystem;

// ideal: a latency, then a bandwidth. commands: the devices' commands and the constraints between them.
enum class DramModel : std::uint8_t { ideal, commands };
inline constexpr int kDramModels = 2;

// With `commands` the first two follow from the system.
struct Dram {
  std::uint32_t channels = 1;
  std::uint64_t capacity_bytes = 0;
  double channel_gb_per_s = 0;     // peak of one channel, 10^9 bytes a second, as the data sheet has it
  double latency_ns = 0;           // ideal: from a request's grant to its last byte, unloaded
                                   // commands: of the way to the controllers and back
  std::uint32_t burst_bytes = 64;  // of a request; power of two
  std::uint32_t requests_in_flight = 64;  // accepted and unfinished bursts, all channels together
  DramModel model = DramModel::ideal;
  std::shared_ptr<const DramSystem> system;  // commands
};

// Where the values of a description come from.
struct Provenance {
  struct Value {
    std::string path, value, source;  // JSON pointer, JSON text, a file or an option
  };
  std::vector<std::filesystem::path> files;  // the description's, its base's, that one's base's ...
  std::vector<std::string> changes;          // "/matrix/rows=64", as given
  std::vector<Value> values;                 // those that the last of the files does not have
};

struct Machine {
  std::string name, description;
  double clock_ghz = 1.0;
  std::uint32_t cores = 1;  // all alike, each with memories of its own, on one DRAM
  Fetch fetch;
  Scoreboard scoreboard;
  Dispatch dispatch;
  Dma dma;
  Matrix matrix;
  Vector vector;
  Scratchpad scratchpad;
  Accumulator accumulator;
  Writeback writeback;
  Dram dram;
  std::string technology;             // a file, or a name in configs/technology; empty: none
  std::uint64_t watchdog_cycles = 0;  // no retirement for so long ends the run with the units' state

  std::string
      digest;  // of the canonical JSON of all values, name and description included, and of the devices
  Provenance provenance;                                                               // not in the digest
  double peak_dram_gb_per_s() const { return dram.channel_gb_per_s * dram.channels; }  // by the data sheet
};

std::string_view name_of(Dataflow d);
std::string_view name_of(VectorFunction f);
std::string_view name_of(DramModel m);

// What to change in a description so that its DRAM holds `bytes`: keys and values, for messages.
std::string larger_dram_text(const Machine& machine, std::uint64_t bytes);

// A change of a description: `value` (JSON text) takes the place of what is at `path`; null takes it away.
struct Change {
  std::string path, value;  // JSON pointer: "/matrix/rows", "64"; a text needs no quotes
  std::string source;       // for messages: "--set /matrix/rows=64"
  bool named = true;        // shown in the machine's name
};

struct ReadOptions {
  std::filesystem::path presets{};   // DRAM presets that are neither beside the file nor in its folder dram/
  std::filesystem::path machines{};  // bases that are not beside the file
  std::vector<Change> changes{};
};

// Reads and checks a machine description. Every violation found is listed, each with its source, JSON path,
// value and allowed range; unknown keys are refused with the nearest known name. Throws ConfigurationError,
// IoError.
Machine read_machine(const std::filesystem::path& path, const ReadOptions& options);
Machine read_machine(const std::filesystem::path& path, const std::filesystem::path& presets = {});
// `folder` stands for the file's.
Machine parse_machine(const std::string& json_text, const std::string& source_name,
                      const std::filesystem::path& folder, const ReadOptions& options);
Machine parse_machine(const std::string& json_text, const std::string& source_name,
                      const std::filesystem::path& folder = {}, const std::filesystem::path& presets = {});

// The checked values as canonical JSON text (what `digest` covers), indented.
std::string to_json(const Machine& machine);

}  // namespace tokencycle::config
