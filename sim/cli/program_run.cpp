// SPDX-License-Identifier: Apache-2.0
#include "cli/program_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cli/terminal/live_view.h"
#include "host/interrupt.h"
#include "numerics/blocks.h"
#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/of_core.h"

namespace tokencycle::cli {

namespace {

struct Dump {
  std::string text;
  std::uint32_t core = 0;
  isa::Space space;
  std::uint64_t address = 0, count = 0;
  Format format = Format::f32;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool parse_number(const std::string& text, std::uint64_t& out) {
  const bool hex = text.starts_with("0x");
  const char* begin = text.data() + (hex ? 2 : 0);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, out, hex ? 16 : 10);
  return error == std::errc() && rest == end && begin != end;
}

// "core1.scratchpad" is that of a further core.
bool parse_core(std::string& memory, std::uint32_t cores, std::uint32_t& core) {
  constexpr std::string_view kCore = "core";
  const std::size_t dot = memory.find('.');
  if (!memory.starts_with(kCore) || dot == std::string::npos) return true;
  std::uint64_t number = 0;
  if (!parse_number(memory.substr(kCore.size(), dot - kCore.size()), number) || number >= cores) return false;
  core = static_cast<std::uint32_t>(number);
  memory.erase(0, dot + 1);
  return true;
}

Dump parse_dump(const std::string& text, std::uint32_t cores) {
  std::vector<std::string> parts = split(text);
  Dump dump{text, 0, isa::Space::dram, 0, 0, Format::f32};
  if (!parse_core(parts[0], cores, dump.core)) {
    throw UsageError(fmt::format("--dump {}: the machine has core0 to core{} (/cores)", text, cores - 1));
  }
  static const std::vector<std::string> kSpaces = {"scratchpad", "accumulator", "dram"};  // by isa::Space
  const auto space = parts.empty() ? kSpaces.end() : std::find(kSpaces.begin(), kSpaces.end(), parts[0]);
  if (parts.size() != 4 || space == kSpaces.end() || !parse_number(parts[1], dump.address) ||
      !format_from_name(parts[2], dump.format) || !parse_number(parts[3], dump.count) || dump.count == 0 ||
      dump.count > 1u << 20 || dump.count % block_elements(dump.format) != 0) {
    throw UsageError(
        fmt::format("--dump {}: it must be dram|scratchpad|accumulator:ADDRESS:FORMAT:COUNT with a format "
                    "such as f32, f16, u8 or "
                    "u32 and 1 to 1048576 elements, for example dram:0x1000:f32:16{}",
                    text, space == kSpaces.end() ? did_you_mean(parts[0], kSpaces) : ""));
  }
  dump.space = static_cast<isa::Space>(space - kSpaces.begin());
  return dump;
}

std::vector<std::byte> dump_bytes(const Dump& dump, machine::Accelerator& accelerator) {
  std::vector<std::byte> bytes(row_bytes(dump.format, dump.count));
  const config::Machine& m = accelerator.machine();
  const std::uint64_t capacity[] = {m.scratchpad.capacity_bytes, m.accumulator.capacity_bytes,
                                    m.dram.capacity_bytes};
  const std::uint64_t limit = capacity[static_cast<std::size_t>(dump.space)];
  if (dump.address > limit || bytes.size() > limit - dump.address) {
    throw UsageError(fmt::format(
        "--dump {}: it ends beyond the {} bytes of that memory; take a lower address or fewer elements",
        dump.text, limit));
  }
  if (dump.space == isa::Space::dram) {
    accelerator.dram().read(DramAddress(dump.address), bytes);
  } else {
    const auto byte = static_cast<std::uint32_t>(dump.address);
    const auto at = dump.space == isa::Space::accumulator ? isa::LocalAddress::accumulator(byte)
                                                          : isa::LocalAddress::scratchpad(byte);
    std::ranges::copy(accelerator.local(at, bytes.size(), dump.core), bytes.begin());
  }
  return bytes;
}

void print_dump(const Dump& dump, const std::vector<std::byte>& bytes) {
  fmt::print("{}\n", dump.text);
  const bool integers = dump.format == Format::u8 || dump.format == Format::u32;
  std::vector<float> values(integers ? 0 : dump.count);
  if (!integers) decode_row(dump.format, bytes, 0, values);
  const std::size_t size = block_bytes(dump.format);
  for (std::size_t i = 0; i < dump.count; ++i) {
    if (integers) {
      std::uint32_t value = 0;
      std::memcpy(&value, bytes.data() + i * size, size);
      fmt::print(" {}", value);
    } else {
      fmt::print(" {:g}", values[i]);
    }
    if (i % 16 == 15 || i + 1 == dump.count) fmt::print("\n");
  }
}

// A program of one core.
struct Loaded {
  std::filesystem::path path;
  isa::Program program;
  DramAddress base;  // of its words
};

void refuse_links(const Loaded& p, const config::Machine& machine) {
  for (std::size_t w = 0; w < p.program.words.size(); ++w) {
    const isa::Opcode op = isa::opcode_of(p.program.words[w]);
    if (!isa::uses_link(op)) continue;
    throw ProgramError(
        fmt::format("{}: word {}: {} needs a link, and {} has none; pass the data through DRAM, ordered by "
                    "signal and wait",
                    p.path.string(), w, isa::name_of(op), machine.name));
  }
}

// Bytes that two programs both put into DRAM must be the same.
void refuse_other_data(const Loaded& p, const Loaded& q) {
  for (const isa::DataSegment& a : p.program.data) {
    for (const isa::DataSegment& b : q.program.data) {
      const std::uint64_t first = std::max(a.address.value, b.address.value),
                          end = std::min(a.address.value + a.bytes.size(), b.address.value + b.bytes.size());
      if (first >= end) continue;
      if (std::memcmp(&a.bytes[first - a.address.value], &b.bytes[first - b.address.value], end - first) == 0)
        continue;
      throw ProgramError(fmt::format(
          "{} and {} have different data in DRAM bytes {:#x} to {:#x}; move one's, the cores share it",
          p.path.string(), q.path.string(), first, end));
    }
  }
}

// The words of all programs go behind all data, each at a border of 4 KiB.
void place_words(std::vector<Loaded>& programs, const config::Machine& machine) {
  std::uint64_t end = 0;
  for (const Loaded& p : programs) {
    for (const isa::DataSegment& d : p.program.data) end = std::max(end, d.address.value + d.bytes.size());
  }
  for (Loaded& p : programs) {
    const std::uint64_t base = round_up(end, 4096);
    const std::uint64_t bytes = p.program.words.size() * isa::kWordBytes;
    if (base > machine.dram.capacity_bytes || bytes > machine.dram.capacity_bytes - base) {
      throw ProgramError(fmt::format(
          "the program's data and words end at byte {}, and the machine's DRAM has {}; {}", base + bytes,
          bytes_text(machine.dram.capacity_bytes), config::larger_dram_text(machine, base + bytes)));
    }
    p.base = DramAddress(base);
    end = base + bytes;
  }
}

std::vector<Loaded> load_programs(const std::vector<std::string>& paths, const config::Machine& machine) {
  if (paths.size() > machine.cores) {
    throw UsageError(
        fmt::format("--program is given {} times, and {} has {} core{} (/cores); one program for a core",
                    paths.size(), machine.name, machine.cores, machine.cores == 1 ? "" : "s"));
  }
  std::vector<Loaded> programs;
  for (const std::string& path : paths) {
    programs.push_back({path, isa::read_program(path), {}});
    refuse_links(programs.back(), machine);
    for (const Loaded& earlier : programs) refuse_other_data(earlier, programs.back());
  }
  place_words(programs, machine);
  return programs;
}

// What a core did.
class CoreWatch : public observe::Observer {
 public:
  explicit CoreWatch(std::uint8_t core) : of_core_(stack_, core), core_(core) {}
  void subscribe(observe::EventHub& hub) {
    hub.subscribe(of_core_);
    hub.subscribe(*this);
  }
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const observe::InstructionRecord& record) override {
    if (record.core == core_) ++instructions_;
  }
  // Instructions, cycles and their causes, up to `end`.
  void print(Cycle end, std::uint32_t cores) {
    if (cores > 1) fmt::print("core{}: ", core_);
    fmt::print("{} instructions in {} cycles\n", with_separators(instructions_),
               with_separators(end.value - 1));
    const observe::Stack cycles = stack_.take(end);
    for (int i = 0; i < observe::kCauses; ++i) {
      if (cycles[static_cast<std::size_t>(i)] == 0) continue;
      fmt::print("  {:<17} {:>12}\n", observe::name_of(static_cast<observe::Cause>(i)),
                 with_separators(cycles[static_cast<std::size_t>(i)]));
    }
  }

 private:
  observe::CycleStack stack_{Cycle(1)};
  observe::OfCore of_core_;
  std::uint8_t core_;
  std::uint64_t instructions_ = 0;
};

void refuse_traces_of_cores(const config::Machine& machine, const host::TraceRequest& request) {
  if (machine.cores == 1 || request.files.empty()) return;
  throw UsageError(fmt::format("--trace: traces show one core so far, and {} has {} (/cores); leave it out",
                               machine.name, machine.cores));
}

}  // namespace

void run_programs(const std::vector<std::string>& paths, const config::Machine& machine,
                  machine::Clocking clocking, const std::vector<std::string>& dump_texts, bool quiet,
                  const host::TraceRequest& request) {
  refuse_traces_of_cores(machine, request);
  std::vector<Dump> dumps;
  dumps.reserve(dump_texts.size());
  for (const std::string& text : dump_texts) dumps.push_back(parse_dump(text, machine.cores));
  const std::vector<Loaded> programs = load_programs(paths, machine);
  host::Traces traces(request, fmt::format("{} on {}", programs[0].path.filename().string(), machine.name),
                      machine);
  machine::Accelerator accelerator(machine, clocking);
  traces.subscribe(accelerator.events());
  std::vector<std::unique_ptr<CoreWatch>> watches;
  std::vector<machine::ProgramPlace> places;
  for (const Loaded& p : programs) {
    watches.push_back(std::make_unique<CoreWatch>(static_cast<std::uint8_t>(watches.size())));
    watches.back()->subscribe(accelerator.events());
    for (const isa::DataSegment& d : p.program.data) accelerator.dram().write(d.address, d.bytes);
    accelerator.dram().write(p.base, std::as_bytes(std::span(p.program.words)));
    places.push_back({p.base, static_cast<std::uint32_t>(p.program.words.size())});
  }
  traces.begin_step({&programs[0].program, Cycle(1)});
  const host::Interruptible interruptible;
  LiveView live(live_mode(quiet));
  live.set_place("program");
  accelerator.set_pulse([&live](Cycle now) {
    if (host::interrupted()) throw Interrupted("");  // the words for it follow
    live.update(now.value);
  });
  std::vector<machine::Execution> executions;
  std::optional<Cycle> cut;
  try {
    executions = accelerator.execute(places);
    traces.end_step(executions[0].end);
    traces.close(accelerator.now() + 1);
  } catch (const Interrupted&) {
    cut = accelerator.now() + 1;
    traces.interrupt(*cut);
  } catch (const IoError&) {
    throw;
  } catch (const Error& error) {
    traces.fail(accelerator.now() + 1, error.what());
    throw;
  } catch (const std::bad_alloc&) {
    traces.fail(accelerator.now() + 1, "out of memory");
    throw;
  }
  live.end();
  for (std::size_t i = 0; i < dumps.size() && !cut; ++i)
    print_dump(dumps[i], dump_bytes(dumps[i], accelerator));
  fmt::print(stderr, "{}", traces.warning());
  for (std::size_t c = 0; c < watches.size() && !quiet; ++c)
    watches[c]->print(cut ? *cut : executions[c].end, machine.cores);
  if (!quiet) fmt::print("{}", traces.summary_text());
  if (!cut) {
    traces.refuse_empty_window();
    return;
  }
  throw Interrupted(fmt::format("interrupted at cycle {}; {}", with_separators(cut->value),
                                host::kept_text(traces.files())));
}

}  // namespace tokencycle::cli
