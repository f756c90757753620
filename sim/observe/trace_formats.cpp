// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/text.h"
#include "observe/trace.h"

namespace tokencycle::observe {

namespace {

struct Format {
  std::string_view extension;
  std::unique_ptr<TraceWriter> (*make)(const TraceOptions&);
};
constexpr std::array kFormats = {
    Format{".pftrace", make_perfetto_trace}, Format{".pftrace.gz", make_perfetto_trace},
    Format{".kanata", make_kanata_trace},    Format{".kanata.gz", make_kanata_trace},
    Format{".log", make_kanata_trace},       Format{".vcd", make_vcd_trace},
    Format{".fst", make_fst_trace},          Format{".csv", make_csv_trace},
    Format{".csv.gz", make_csv_trace},
};

constexpr std::uint64_t kLeastCap = 64 << 10;  // names of all units and a step's end fit

}  // namespace

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
  for (const Format& f : kFormats) {
    if (name.size() > f.extension.size() && name.ends_with(f.extension)) return f.make(options);
  }
  const std::vector<std::string> extensions = {".pftrace", ".kanata", ".vcd", ".fst", ".csv"};
  throw UsageError(fmt::format(
      "--trace {}: the extension names the format, and this one is not known{}; use .pftrace "
      "(Perfetto), .kanata or .log (Konata), .vcd, .fst (GTKWave), .tokens.csv, .operators.csv or "
      ".instructions.csv, "
      "the first two and CSV also with .gz",
      options.path.string(), did_you_mean(options.path.extension().string(), extensions)));
}

}  // namespace tokencycle::observe
