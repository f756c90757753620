// SPDX-License-Identifier: Apache-2.0
#include "cli/program_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

#include "base/error.h"
#include "base/text.h"
#include "cli/terminal/live_view.h"
#include "host/interrupt.h"
#include "host/one_core.h"
#include "numerics/blocks.h"
#include "observe/analysis/cycle_stack.h"

namespace tokencycle::cli {

namespace {

struct Dump {
  std::string text;
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

Dump parse_dump(const std::string& text) {
  const std::vector<std::string> parts = split(text);
  Dump dump{text, isa::Space::dram, 0, 0, Format::f32};
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
    std::ranges::copy(accelerator.local(at, bytes.size()), bytes.begin());
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

// Words go behind all data, at a burst's border.
DramAddress place_words(const isa::Program& program, const config::Machine& machine) {
  std::uint64_t end = 0;
  for (const isa::DataSegment& d : program.data) end = std::max(end, d.address.value + d.bytes.size());
  const std::uint64_t base = round_up(end, 4096);
  const std::uint64_t bytes = program.words.size() * isa::kWordBytes;
  if (base > machine.dram.capacity_bytes || bytes > machine.dram.capacity_bytes - base) {
    throw ProgramError(fmt::format(
        "the program's data and words end at byte {}, and the machine's DRAM has {} bytes; {}", base + bytes,
        machine.dram.capacity_bytes, config::larger_dram_text(machine, base + bytes)));
  }
  return DramAddress(base);
}

// Instructions, cycles and their causes, and the traces.
void print_summary(machine::Accelerator& accelerator, observe::CycleStack& stack,
                   const host::Traces& traces) {
  const Cycle end = accelerator.now() + 1;
  fmt::print("{} instructions in {} cycles\n", with_separators(accelerator.instructions()),
             with_separators(end.value - 1));
  const observe::Stack cycles = stack.take(end);
  for (int i = 0; i < observe::kCauses; ++i) {
    if (cycles[static_cast<std::size_t>(i)] == 0) continue;
    fmt::print("  {:<17} {:>12}\n", observe::name_of(static_cast<observe::Cause>(i)),
               with_separators(cycles[static_cast<std::size_t>(i)]));
  }
  fmt::print("{}", traces.summary_text());
}

}  // namespace

void run_program(const std::filesystem::path& path, const config::Machine& machine,
                 machine::Clocking clocking, const std::vector<std::string>& dump_texts, bool quiet,
                 const host::TraceRequest& request) {
  host::refuse_several_cores(machine);
  std::vector<Dump> dumps;
  dumps.reserve(dump_texts.size());
  for (const std::string& text : dump_texts) dumps.push_back(parse_dump(text));
  const isa::Program program = isa::read_program(path);
  const DramAddress base = place_words(program, machine);
  host::Traces traces(request, fmt::format("{} on {}", path.filename().string(), machine.name), machine);
  machine::Accelerator accelerator(machine, clocking);
  traces.subscribe(accelerator.events());
  observe::CycleStack stack(Cycle(1));
  accelerator.events().subscribe(stack);
  for (const isa::DataSegment& d : program.data) accelerator.dram().write(d.address, d.bytes);
  accelerator.dram().write(base, std::as_bytes(std::span(program.words)));
  traces.begin_step({&program, Cycle(1)});
  const host::Interruptible interruptible;
  LiveView live(live_mode(quiet));
  live.set_place("program");
  accelerator.set_pulse([&live](Cycle now) {
    if (host::interrupted()) throw Interrupted("");  // the words for it follow
    live.update(now.value);
  });
  std::optional<Cycle> cut;
  try {
    const auto words = static_cast<std::uint32_t>(program.words.size());
    traces.end_step(accelerator.execute(base, words).end);
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
  if (!quiet) print_summary(accelerator, stack, traces);
  if (!cut) return;
  throw Interrupted(fmt::format("interrupted at cycle {}; {}", with_separators(cut->value),
                                host::kept_text(traces.files())));
}

}  // namespace tokencycle::cli
