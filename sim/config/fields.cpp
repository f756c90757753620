// SPDX-License-Identifier: Apache-2.0
#include "config/fields.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/dataflow_names.h"

namespace tokencycle::config {
namespace {

constexpr Presence kRequired = Presence::required;
constexpr Presence kDefaulted = Presence::defaulted;
constexpr Presence kUnusual = Presence::unusual;
constexpr std::uint64_t kKiB = 1024, kMiB = kKiB * kKiB;

// How to read and to write one member of Machine.
struct Access {
  std::function<Value(const Machine&)> get;
  std::function<void(Machine&, const Value&)> set;
};

// A number or switch found by `locate(Machine&)`; JSON counts it in units of `scale`.
template <class Locate>
Access access(Locate locate, std::uint64_t scale = 1) {
  using T = std::remove_reference_t<decltype(locate(std::declval<Machine&>()))>;
  Access a;
  a.get = [=](const Machine& m) -> Value {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the locators only compute a reference
    const T v = locate(const_cast<Machine&>(m));
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return static_cast<std::uint64_t>(v / scale);
    } else {
      return v;
    }
  };
  a.set = [=](Machine& m, const Value& v) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      locate(m) = static_cast<T>(std::get<std::uint64_t>(v) * scale);
    } else {
      locate(m) = std::get<T>(v);
    }
  };
  return a;
}

template <class Section, class T>
Access at(Section Machine::*section, T Section::*member, std::uint64_t scale = 1) {
  return access([=](Machine& m) -> T& { return m.*section.*member; }, scale);
}

template <class T>
Access at(T Machine::*member) {
  return access([=](Machine& m) -> T& { return m.*member; });
}

Field whole(std::string path, Access a, std::string unit, double min, double max, Presence presence,
            std::string meaning) {
  return {std::move(path),    FieldType::whole, std::move(unit), min, max, false, {}, presence,
          std::move(meaning), std::move(a.get), std::move(a.set)};
}

Field power_of_two(Field f) {
  f.power_of_two = true;
  return f;
}

Field real(std::string path, Access a, std::string unit, double min, double max, std::string meaning) {
  Field f = whole(std::move(path), std::move(a), std::move(unit), min, max, kRequired, std::move(meaning));
  f.type = FieldType::real;
  return f;
}

Field boolean(std::string path, Access a, std::string meaning) {
  Field f = whole(std::move(path), std::move(a), "", 0, 0, kDefaulted, std::move(meaning));
  f.type = FieldType::boolean;
  return f;
}

Field text(std::string path, Access a, double min_bytes, double max_bytes, Presence presence,
           std::string meaning) {
  Field f = whole(std::move(path), std::move(a), "", min_bytes, max_bytes, presence, std::move(meaning));
  f.type = FieldType::text;
  return f;
}

// A name of which this version knows only one: nothing to store, everything else is refused.
Field only_choice(std::string path, std::string_view name, std::string meaning) {
  const std::string only(name);
  Access a{[only](const Machine&) -> Value { return only; }, [](Machine&, const Value&) {}};
  Field f = whole(std::move(path), std::move(a), "", 0, 0, kRequired, std::move(meaning));
  f.type = FieldType::choice;
  f.choices = {only};
  return f;
}

// An enumeration with a name_of() and `count` values from 0 on.
template <class Section, class Enum>
Field choice(std::string path, Section Machine::*section, Enum Section::*member, int count,
             std::string meaning, std::string_view (*full_name)(std::string_view) = nullptr) {
  Access a;
  a.get = [=](const Machine& m) -> Value { return std::string(name_of(m.*section.*member)); };
  Field f = whole(std::move(path), a, "", 0, 0, kRequired, std::move(meaning));
  f.type = FieldType::choice;
  for (int i = 0; i < count; ++i) f.choices.emplace_back(name_of(static_cast<Enum>(i)));
  f.full_name = full_name;
  f.set = [=, names = f.choices](Machine& m, const Value& v) {
    const std::string& given = std::get<std::string>(v);
    const auto at = std::find(names.begin(), names.end(), full_name == nullptr ? given : full_name(given));
    m.*section.*member = static_cast<Enum>(at - names.begin());
  };
  return f;
}

Field object(std::string path, std::string meaning) {
  Field f = whole(std::move(path), {}, "", 0, 0, kRequired, std::move(meaning));
  f.type = FieldType::object;
  return f;
}

Field only_with(DramModel model, Field f) {
  f.only_with = model;
  return f;
}

using Table = std::vector<Field>;

void add_front_end(Table& t) {
  t.push_back(only_choice("/schema", "tokencycle-machine-1", "version of this list of keys"));
  t.push_back(text("/name", at(&Machine::name), 1, kMostNameBytes, kRequired,
                   "short name, shown in tables and results"));
  t.push_back(text("/description", at(&Machine::description), 0, 4096, kDefaulted,
                   "one paragraph: what the machine stands for and where its numbers come from"));
  t.push_back(
      text("/technology", at(&Machine::technology), 1, 4096, kUnusual,
           "area and energy by this technology: a name in configs/technology, or a path that starts at "
           "this file and ends in .json; --technology comes before it"));
  t.push_back(real("/clock_ghz", at(&Machine::clock_ghz), "GHz", 0.001, 10,
                   "the clock; every cycle count of this file counts its periods"));
  t.push_back(
      whole("/cores", at(&Machine::cores), "cores", 1, 64, kUnusual,
            "cores, all alike: each has the units and memories of this file for itself, and all share "
            "its DRAM"));
  t.push_back(whole("/fetch/buffer_words", at(&Machine::fetch, &Fetch::buffer_words), "words of 32 bytes", 4,
                    65536, kDefaulted, "instruction buffer"));
  t.push_back(whole("/fetch/requests_in_flight", at(&Machine::fetch, &Fetch::requests_in_flight), "bursts", 1,
                    64, kDefaulted, "prefetch reads that wait for DRAM at the same time"));
  t.push_back(whole("/scoreboard/entries", at(&Machine::scoreboard, &Scoreboard::entries), "instructions", 1,
                    1024, kDefaulted, "instructions between decode and retirement"));
  t.push_back(whole("/dispatch/queue_depth", at(&Machine::dispatch, &Dispatch::queue_depth), "instructions",
                    1, 256, kDefaulted, "entries of each unit's queue"));
}

void add_dma(Table& t) {
  t.push_back(whole("/dma/engines", at(&Machine::dma, &Dma::engines), "pairs", 1, kMostUnits, kUnusual,
                    "pairs of a load and a store engine, each with bursts in flight and a port of its own"));
  t.push_back(whole("/dma/load_bursts_in_flight", at(&Machine::dma, &Dma::load_bursts_in_flight), "bursts", 1,
                    1024, kDefaulted, "reads of the load engine that wait for DRAM at the same time"));
  t.push_back(whole("/dma/store_bursts_in_flight", at(&Machine::dma, &Dma::store_bursts_in_flight), "bursts",
                    1, 1024, kDefaulted, "writes of the store engine that wait for DRAM at the same time"));
  t.push_back(whole("/dma/port_bytes", at(&Machine::dma, &Dma::port_bytes), "bytes/cycle", 4, 1024,
                    kDefaulted, "scratchpad port of each of the two engines"));
  t.push_back(whole("/dma/bursts_per_cycle", at(&Machine::dma, &Dma::bursts_per_cycle), "bursts/cycle", 1, 64,
                    kUnusual,
                    "bursts that an engine's scratchpad port takes in one cycle, port_bytes together; from 2 "
                    "on the engine also reads ahead"));
}

void add_matrix(Table& t) {
  t.push_back(whole("/matrix/units", at(&Machine::matrix, &Matrix::units), "units", 1, kMostUnits, kUnusual,
                    "matrix units of a core, all alike, each with tiles and ports of its own"));
  t.push_back(choice("/matrix/dataflow", &Machine::matrix, &Matrix::dataflow, kDataflows,
                     "which operand stays in the array; ws, is, os and dot for short", full_dataflow_name));
  t.push_back(whole("/matrix/rows", at(&Machine::matrix, &Matrix::rows), "processing elements", 1, 4096,
                    kRequired,
                    "height of the array: along k, the summed dimension; output-stationary: along m"));
  t.push_back(whole("/matrix/columns", at(&Machine::matrix, &Matrix::columns), "processing elements", 1, 1024,
                    kRequired,
                    "width of the array: along n, the outputs; input-stationary and dot-product: along m"));
  t.push_back(boolean("/matrix/double_buffered", at(&Machine::matrix, &Matrix::double_buffered),
                      "a tile may be preloaded while another one multiplies"));
  t.push_back(boolean("/matrix/back_to_back", at(&Machine::matrix, &Matrix::back_to_back),
                      "a pass may enter the array while the one before it drains"));
  t.push_back(whole("/matrix/stationary_port_bytes", at(&Machine::matrix, &Matrix::stationary_port_bytes),
                    "bytes/cycle", 4, 4096, kRequired, "scratchpad port through which tiles are preloaded"));
  t.push_back(whole("/matrix/moving_port_bytes", at(&Machine::matrix, &Matrix::moving_port_bytes),
                    "bytes/cycle", 4, 4096, kRequired,
                    "scratchpad port through which the moving rows enter"));
  t.push_back(whole("/matrix/scale_latency_cycles", at(&Machine::matrix, &Matrix::scale_latency_cycles),
                    "cycles", 0, 1000, kDefaulted,
                    "latency of one scale-and-accumulate cell at a group's end"));
  t.push_back(whole("/matrix/group_buffer_rows", at(&Machine::matrix, &Matrix::group_buffer_rows), "rows", 0,
                    65536, kDefaulted, "moving rows whose unfinished group sums can wait"));
  for (int i = 0; i < kMultiplyTypes; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const std::string type(tokencycle::name_of(static_cast<MultiplyType>(i)));
    const auto rate = access([=](Machine& m) -> std::uint32_t& { return m.matrix.cycles_per_row[index]; });
    t.push_back(whole("/matrix/cycles_per_row/" + type, rate, "cycles", 1, 1024, Presence::optional,
                      "cycles of a step (a moving row; output-stationary: a k value) of type " + type +
                          "; absent: the machine lacks the type"));
  }
  for (int d = 1; d < kDecodings; ++d) {
    const auto index = static_cast<std::size_t>(d);
    const std::string kind(tokencycle::name_of(static_cast<Decoding>(d)));
    const auto member = [index](std::uint32_t DecodeStage::*m) {
      return access([=](Machine& machine) -> std::uint32_t& { return machine.matrix.decode[index].*m; });
    };
    t.push_back(whole("/matrix/decode/" + kind + "/values_per_cycle", member(&DecodeStage::values_per_cycle),
                      "values/cycle", 1, 65536, Presence::optional,
                      "numbers of formats of " + kind +
                          " that the stage behind each port takes apart in a cycle; absent: as "
                          "many as the port delivers"));
    t.push_back(whole("/matrix/decode/" + kind + "/latency_cycles", member(&DecodeStage::latency_cycles),
                      "cycles", 0, 1000, kUnusual,
                      "from the bytes of such a number to the number at the array's edge"));
  }
  const auto tile = [&t](const char* name, std::uint32_t Tiling::*member, double most, const char* meaning) {
    const auto size = access([=](Machine& m) -> std::uint32_t& { return m.matrix.tiling.*member; });
    t.push_back(
        whole(std::string("/matrix/tiling/") + name, size, "elements", 1, most, Presence::optional, meaning));
  };
  tile("m", &Tiling::m, 65535,
       "most rows of activations that one instruction multiplies; absent: as many as fit");
  tile("n", &Tiling::n, 65535, "most output columns of one instruction; absent: as many as fit");
  tile("k", &Tiling::k, 65504, "most k values of one instruction; absent: as many as fit");
}

std::string_view covers(VectorFunction f) {
  switch (f) {
    case VectorFunction::add:
      return "sums of two operands";
    case VectorFunction::mul:
      return "products and scaling";
    case VectorFunction::copy:
      return "copies and transposes";
    case VectorFunction::convert:
      return "conversions between fp32, fp16 and bf16, and out of block formats";
    case VectorFunction::quantize:
      return "conversions into block formats";
    case VectorFunction::exp:
      return "exponentials";
    case VectorFunction::divide:
      return "divisions and square roots";
    case VectorFunction::reduce:
      return "sums, maxima and arg-maxima over a row";
    case VectorFunction::rotary:
      return "rotary position embedding";
  }
  return "";
}

void add_vector(Table& t) {
  t.push_back(whole("/vector/units", at(&Machine::vector, &Vector::units), "units", 1, kMostUnits, kUnusual,
                    "vector units of a core, all alike"));
  t.push_back(power_of_two(whole("/vector/lanes", at(&Machine::vector, &Vector::lanes), "elements", 1, 1024,
                                 kRequired, "elements of a beat")));
  for (int i = 0; i < kVectorFunctions; ++i) {
    const auto function = static_cast<VectorFunction>(i);
    const auto index = static_cast<std::size_t>(i);
    const std::string path = "/vector/functions/" + std::string(name_of(function));
    const std::string what(covers(function));
    t.push_back(whole(path + "/cycles_per_beat", access([=](Machine& m) -> std::uint32_t& {
                        return m.vector.functions[index].cycles_per_beat;
                      }),
                      "cycles", 1, 1024, kRequired, "issue interval of " + what));
    t.push_back(whole(path + "/latency_cycles", access([=](Machine& m) -> std::uint32_t& {
                        return m.vector.functions[index].latency_cycles;
                      }),
                      "cycles", 1, 1024, kRequired, "operands to result of " + what));
  }
}

void add_local_memories(Table& t) {
  t.push_back(whole("/scratchpad/capacity_kib", at(&Machine::scratchpad, &Scratchpad::capacity_bytes, kKiB),
                    "KiB", 1, 1048576, kRequired, "size of the scratchpad"));
  t.push_back(
      power_of_two(whole("/scratchpad/banks", at(&Machine::scratchpad, &Scratchpad::banks), "banks", 1, 64,
                         kRequired, "banks; neighbouring bank words are in neighbouring banks")));
  t.push_back(power_of_two(whole("/scratchpad/bank_bytes", at(&Machine::scratchpad, &Scratchpad::bank_bytes),
                                 "bytes", 4, 1024, kRequired, "width of a bank word")));
  t.push_back(whole("/scratchpad/read_latency_cycles",
                    at(&Machine::scratchpad, &Scratchpad::read_latency_cycles), "cycles", 1, 1000, kDefaulted,
                    "from a granted read to its data"));
  t.push_back(boolean("/scratchpad/separate_write_port",
                      at(&Machine::scratchpad, &Scratchpad::separate_write_port),
                      "each bank has a read port and a write port instead of one shared port"));
  t.push_back(whole("/accumulator/capacity_kib",
                    at(&Machine::accumulator, &Accumulator::capacity_bytes, kKiB), "KiB", 1, 65536, kRequired,
                    "size of the memory of fp32 sums"));
  t.push_back(whole("/writeback/ports", at(&Machine::writeback, &Writeback::ports), "instructions/cycle", 1,
                    16, kDefaulted, "instructions that can retire in one cycle"));
}

void add_dram(Table& t) {
  const auto ideal = [&t](Field f) { t.push_back(only_with(DramModel::ideal, std::move(f))); };
  t.push_back(
      choice("/dram/model", &Machine::dram, &Dram::model, kDramModels,
             "ideal: a fixed latency, then the channel's bandwidth; commands: the devices of a preset, "
             "command by command"));
  t.push_back(only_with(DramModel::commands,
                        object("/dram/system",
                               "preset, channels, mapping, scheduler, pages, refresh, queues: the keys "
                               "of a memory system in dram/README.md")));
  ideal(whole("/dram/channels", at(&Machine::dram, &Dram::channels), "channels", 1, 64, kDefaulted,
              "independent channels; bursts interleave over them"));
  ideal(whole("/dram/capacity_mib", at(&Machine::dram, &Dram::capacity_bytes, kMiB), "MiB", 1, 268435456,
              kRequired, "size of all channels together, at most 2^48 bytes"));
  t.push_back(real(
      "/dram/channel_gb_per_s", at(&Machine::dram, &Dram::channel_gb_per_s), "10^9 bytes/s", 0.001, 10000,
      "peak bandwidth of one channel as the data sheet has it; commands: checked against the preset"));
  t.back().presence = Presence::of_preset;
  t.push_back(
      real("/dram/latency_ns", at(&Machine::dram, &Dram::latency_ns), "ns", 0, 10000,
           "ideal: from a request's grant to its last byte, unloaded; commands: the way to the controllers "
           "and back, which the devices' times come on top of"));
  t.push_back(
      power_of_two(whole("/dram/burst_bytes", at(&Machine::dram, &Dram::burst_bytes), "bytes", 32, 1024,
                         kDefaulted, "size of one request; commands: one or more bursts of the devices")));
  t.push_back(whole("/dram/requests_in_flight", at(&Machine::dram, &Dram::requests_in_flight), "bursts", 1,
                    4096, kDefaulted, "accepted and unfinished requests, all channels together"));
  t.push_back(whole("/watchdog_cycles", at(&Machine::watchdog_cycles), "cycles", 1, 1e12, kRequired,
                    "no retirement for so long ends the run and prints the units' state"));
}

}  // namespace

const std::vector<Field>& fields() {
  static const Table table = [] {
    Table t;
    add_front_end(t);
    add_dma(t);
    add_matrix(t);
    add_vector(t);
    add_local_memories(t);
    add_dram(t);
    return t;
  }();
  return table;
}

}  // namespace tokencycle::config
