// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: machines and memories, and what runs on them: lists of products, traces of requests.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/print/inspect.h"
#include "cli/shapes_csv.h"
#include "config/dram/system.h"
#include "config/machine.h"
#include "host/places.h"
#include "memory/dram/trace.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kShownValue = 60;  // characters of a value in a table

// The files of a description and what each changes.
void add_provenance(const config::Provenance& p, Inspected& out) {
  Json files = Json::array(), changed = Json::array();
  for (std::size_t i = 0; i < p.files.size(); ++i) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(p.files[i], error).lexically_normal();
    out.text += fmt::format("{:<10} {}\n", i == 0 ? "read from" : "its base", whole.string());
    files.push_back(whole.string());
  }
  out.document.json["files"] = files;
  if (!p.values.empty()) {
    out.text += fmt::format("\nvalues that do not come from {}\n", p.files.back().filename().string());
  }
  std::size_t path = 0, value = 0;
  for (const config::Provenance::Value& v : p.values) {
    path = std::max(path, v.path.size());
    value = std::max(value, std::min<std::size_t>(v.value.size(), kShownValue));
  }
  for (const config::Provenance::Value& v : p.values) {
    out.text += fmt::format("  {:<{}}  {:<{}}  {}\n", v.path, path, printable(v.value, kShownValue - 5),
                            value, v.source);
    changed.push_back({{"path", v.path}, {"value", v.value}, {"source", v.source}});
  }
  out.document.json["changed_values"] = changed;
}

}  // namespace

Inspected inspect_machine(const config::Machine& m) {
  Inspected out;
  out.text =
      fmt::format("machine    {}\n           {}\n           digest {}\n", m.name, m.description, m.digest);
  out.document.json = {
      {"schema", "tokencycle-inspection-1"}, {"kind", "machine"}, {"name", m.name}, {"digest", m.digest}};
  add_provenance(m.provenance, out);
  out.text += "\nderived\n";
  double fastest = 0;
  Json peaks = Json::object();
  for (int t = 0; t < kMultiplyTypes; ++t) {
    const std::uint32_t cycles = m.matrix.cycles_per_row[static_cast<std::size_t>(t)];
    if (cycles == 0) continue;
    const double peak = m.clock_ghz * m.matrix.cells() / cycles;
    if (fastest == 0) fastest = peak;
    const auto name = name_of(static_cast<MultiplyType>(t));
    out.text +=
        fmt::format("  peak {:<5}              {:>12.1f} billion multiply-accumulates/s\n", name, peak);
    peaks[std::string(name)] = peak;
  }
  const double port = m.clock_ghz * m.scratchpad.banks * m.scratchpad.bank_bytes;
  out.text += fmt::format(
      "  scratchpad, all banks   {:>12.1f} GB/s\n  DRAM peak               {:>12.1f} GB/s ({:.1f} bytes a "
      "cycle)\n",
      port, m.peak_dram_gb_per_s(), m.peak_dram_gb_per_s() / m.clock_ghz);
  if (m.dram.system) {
    const config::DramDevice& device = m.dram.system->device;
    out.text += fmt::format("  DRAM devices            {} x {} ({}), {}\n", m.dram.channels, device.name,
                            device.standard, bytes_text(m.dram.capacity_bytes));
  }
  const double ridge = fastest / m.peak_dram_gb_per_s();
  const std::string values = config::to_json(m);
  out.text += fmt::format(
      "  roofline ridge          {:>12.1f} multiply-accumulates a DRAM byte (fastest type)\n\nvalues\n{}\n",
      ridge, values);
  Json& json = out.document.json;
  json["peak_billion_multiply_accumulates_per_s"] = peaks;
  json["scratchpad_gb_per_s"] = port;
  json["dram_peak_gb_per_s"] = m.peak_dram_gb_per_s();
  json["dram_bytes"] = m.dram.capacity_bytes;
  json["ridge_multiply_accumulates_per_byte"] = ridge;
  json["values"] = Json::parse(values);
  return out;
}

Inspected inspect_memory(const std::filesystem::path& path) {
  const config::DramSystem s = config::read_dram_system(path, host::dram_presets_folder());
  const config::DramDevice& d = s.device;
  Inspected out;
  out.text = fmt::format(
      "memory     {}: {}\n           {}\n           from {}\n\n"
      "  channels                {:>12}\n  ranks                   {:>12}\n  banks of a rank         {:>12}\n"
      "  rows of a bank          {:>12}\n  burst, bytes            {:>12}\n  capacity                {:>12}\n"
      "  peak                    {:>12.1f} GB/s ({:.1f} a channel)\n"
      "  command clock           {:>12.1f} MHz\n  scheduler, page, refresh  {}, {}, {}\n",
      s.name, d.standard, s.description, path.string(), s.channels, d.ranks, d.banks_of_rank(),
      with_separators(d.rows), d.burst_bytes, bytes_text(s.channels * d.channel_bytes()),
      s.channels * d.peak_gb_per_s(), d.peak_gb_per_s(), 1e6 / static_cast<double>(d.tck_ps),
      name_of(s.scheduler), name_of(s.page_policy), name_of(s.refresh));
  out.document.json = {{"schema", "tokencycle-inspection-1"},
                       {"kind", "memory"},
                       {"file", path.string()},
                       {"name", s.name},
                       {"preset", d.name},
                       {"standard", d.standard},
                       {"channels", s.channels},
                       {"ranks", d.ranks},
                       {"banks_of_rank", d.banks_of_rank()},
                       {"rows", d.rows},
                       {"burst_bytes", d.burst_bytes},
                       {"capacity_bytes", s.channels * d.channel_bytes()},
                       {"peak_gb_per_s", s.channels * d.peak_gb_per_s()},
                       {"tck_ps", d.tck_ps},
                       {"scheduler", name_of(s.scheduler)},
                       {"page_policy", name_of(s.page_policy)},
                       {"refresh", name_of(s.refresh)}};
  return out;
}

Inspected inspect_products(const std::string& text, const std::string& source) {
  const ShapesList list = parse_shapes(text, source);
  Inspected out;
  Json layers = Json::array();
  out.text = fmt::format("products   {}\n{}\n  {:<30} {:>10} {:>10} {:>10} {:>20}\n", source,
                         list.form.empty() ? "" : "           " + list.form + "\n", "name", "M", "N", "K",
                         "multiply-accumulates");
  for (const host::GemmLayer& l : list.layers) {
    const auto work = static_cast<std::uint64_t>(l.shape.multiplications());
    out.text += fmt::format("  {:<30} {:>10} {:>10} {:>10} {:>20}\n", printable(l.name, 30), l.shape.m,
                            l.shape.n, l.shape.k, with_separators(work));
    layers.push_back({{"name", l.name},
                      {"m", l.shape.m},
                      {"n", l.shape.n},
                      {"k", l.shape.k},
                      {"multiply_accumulates", work}});
  }
  out.document = {{{"schema", "tokencycle-inspection-1"},
                   {"kind", "products"},
                   {"file", source},
                   {"form", list.form},
                   {"layers", layers}},
                  "layers"};
  return out;
}

Inspected inspect_requests(const std::filesystem::path& path) {
  memory::DramTraceReader trace(path.string(), {std::uint64_t{1} << 48, 1, true});
  memory::DramRequestAt request;
  std::uint64_t reads = 0, writes = 0, low = ~std::uint64_t{0}, high = 0;
  while (trace.next(request)) {
    ++(request.write ? writes : reads);
    low = std::min(low, request.address);
    high = std::max(high, request.address);
  }
  const memory::DramTraceForm& form = trace.form();
  const std::string source = path.string();
  return {
      fmt::format("requests   {}\n           form {}: {}\n\n  reads                   {:>16}\n"
                  "  writes                  {:>16}\n  lowest address          {:>#16x}\n"
                  "  highest address         {:>#16x}\n",
                  source, form.name, form.line, with_separators(reads), with_separators(writes), low, high),
      {{{"schema", "tokencycle-inspection-1"},
        {"kind", "requests"},
        {"file", source},
        {"form", form.name},
        {"reads", reads},
        {"writes", writes},
        {"lowest_address", low},
        {"highest_address", high}},
       ""}};
}

}  // namespace tokencycle::cli
