// SPDX-License-Identifier: Apache-2.0
// The table of trace formats, one row per extension. A new format is a file with its writer, its declaration
// (here, or in trace.h when a test calls it) and a row.
#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "observe/trace.h"

namespace tokencycle::observe {

namespace {

struct TraceFormat {
  std::string_view extension;
  bool gzip;               // also with .gz behind it
  std::string_view shown;  // in --help and messages: with the program that opens it
  std::unique_ptr<TraceWriter> (*make)(const TraceOptions&);
};
constexpr TraceFormat kFormats[] = {
    {".pftrace", true, ".pftrace[.gz] (Perfetto)", make_perfetto_trace},
    {".kanata", true, ".kanata[.gz]", make_kanata_trace},
    {".log", false, ".log (Konata)", make_kanata_trace},
    {".vcd", false, ".vcd", make_vcd_trace},
    {".fst", false, ".fst (GTKWave)", make_fst_trace},
    {".csv", true, ".tokens.csv, .operators.csv, .instructions.csv", make_csv_trace},
};

constexpr std::uint64_t kLeastCap = 64 << 10;  // names of all units and a step's end fit

bool names(std::string_view file, const TraceFormat& format) {
  if (format.gzip && file.ends_with(".gz")) file.remove_suffix(3);
  return file.size() > format.extension.size() && file.ends_with(format.extension);
}

}  // namespace

std::string trace_formats_text() {
  std::string text;
  for (const TraceFormat& f : kFormats) text += fmt::format("{}{}", text.empty() ? "" : ", ", f.shown);
  return text;
}

std::unique_ptr<TraceWriter> make_trace_writer(const TraceOptions& options) {
  if (options.max_bytes < kLeastCap) {
    throw UsageError(fmt::format("--trace-max-bytes {}: it must be at least {} ({})", options.max_bytes,
                                 kLeastCap, bytes_text(kLeastCap)));
  }
  if (options.level < 1 || options.level > 2) {
    throw UsageError(fmt::format(
        "--trace-level {}: it must be 1 (tokens, layers, operators, counters) or 2 (also units and "
        "instructions)",
        options.level));
  }
  if (options.counter_interval == 0) {
    throw UsageError("the counters of a trace are averages over 0 cycles; it must be at least 1");
  }
  const std::string name = options.path.filename().string();
  std::vector<std::string> extensions;
  for (const TraceFormat& f : kFormats) {
    if (names(name, f)) return f.make(options);
    extensions.emplace_back(f.extension);
  }
  throw UsageError(
      fmt::format("--trace {}: the extension names the format, and this one is not known{}; use one of {}",
                  options.path.string(), did_you_mean(options.path.extension().string(), extensions),
                  trace_formats_text()));
}

}  // namespace tokencycle::observe
