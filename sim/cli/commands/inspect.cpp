// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: what is in a file, in a readable table.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/machine_options.h"
#include "cli/options.h"
#include "config/dram/system.h"
#include "config/machine.h"
#include "explore/result/document.h"
#include "explore/result/node.h"
#include "host/checkpoint_file.h"
#include "host/files.h"
#include "host/places.h"
#include "host/result/result.h"
#include "isa/program.h"
#include "model/architecture.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
namespace {

constexpr std::size_t kShownValue = 60;  // characters of a value in a table

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text;
}

std::string value_text(const model::GgufValue& value) {
  struct Visitor {
    std::string operator()(std::uint64_t v) const { return std::to_string(v); }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return fmt::format("{:g}", v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(const std::string& v) const { return v.size() > 60 ? v.substr(0, 57) + "..." : v; }
    std::string operator()(const model::GgufArray& v) const { return fmt::format("array of {}", v.size()); }
  };
  std::string text = std::visit(Visitor{}, value);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

// Rows of its weight that an operator reads for a token.
std::uint32_t rows_read(const model::Operator& op) {
  switch (op.kind) {
    case model::OperatorKind::gather_rows:
    case model::OperatorKind::position_rows:
      return 1;
    case model::OperatorKind::expert_linear:
      return op.output_columns;  // those of the chosen ones
    default:
      return op.weight->rows;
  }
}

// Bytes that a decode step reads: each weight by its format, once, a row of a table that is only looked up;
// and of each earlier position the keys and values.
void print_reads(const model::LlamaModel& model) {
  std::map<std::string, std::uint64_t> by_format;
  std::uint64_t all = 0;
  const auto read = [&](const model::Weight* w, std::uint64_t rows) {
    if (w == nullptr) return;
    const std::uint64_t bytes = rows * row_bytes(w->format, w->cols);
    by_format[std::string(name_of(w->format))] += bytes;
    all += bytes;
  };
  for (const model::Operator& op : model.graph().operators) {
    if (op.weight != nullptr) read(op.weight, rows_read(op));
    read(op.bias, 1);
  }
  fmt::print("\nweights read for a token\n");
  for (const auto& [format, bytes] : by_format)
    fmt::print("  {:<8} {:>16} bytes\n", format, with_separators(bytes));
  if (by_format.size() > 1) fmt::print("  {:<8} {:>16} bytes\n", "all", with_separators(all));
  fmt::print("\nkeys and values of a position, by --kv-type\n");
  for (int f = 0; f < kFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!kCacheFormats.has(format)) continue;
    std::uint64_t bytes = 0;
    for (const model::Value& v : model.graph().values) {
      if (v.kind == model::ValueKind::state) bytes += row_bytes(format, v.cols);
    }
    const std::uint32_t head = model.shape().head_dim, block = block_elements(format);
    const std::string text = head % block == 0
                                 ? fmt::format("{:>16} bytes", with_separators(bytes))
                                 : fmt::format("not for heads of {}: blocks of {}", head, block);
    fmt::print("  {:<8} {}\n", name_of(format), text);
  }
}

void inspect_model(const std::filesystem::path& path) {
  constexpr std::size_t kShown = 200;  // of a name
  model::GgufFile file(path);
  const std::string parts = file.parts() == 1 ? "" : fmt::format(" in {} files", file.parts());
  fmt::print("model      {}\n           GGUF version {}, {}{}, digest {}\n\nmetadata\n", path.string(),
             file.version(), bytes_text(file.file_bytes()), parts, file.digest());
  for (const auto& [key, value] : file.metadata())
    fmt::print("  {:<42} {}\n", printable(key, kShown), value_text(value));
  fmt::print("\ntensors\n");
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> by_type;  // elements, bytes
  for (const model::GgufTensor& t : file.tensors()) {
    fmt::print("  {:<30} {:<6} {:>20} {:>14} bytes{}\n", printable(t.name, kShown), t.type_name,
               shape_text(t.shape), with_separators(t.bytes), t.supported ? "" : "   (not supported)");
    auto& [elements, bytes] = by_type[t.type_name];
    elements += t.elements();
    bytes += t.bytes;
  }
  fmt::print("\nby type\n");
  std::pair<std::uint64_t, std::uint64_t> all;
  for (const auto& [type, sum] : by_type) {
    fmt::print("  {:<6} {:>14} parameters {:>14} bytes {:>6.2f} bits each\n", type,
               with_separators(sum.first), with_separators(sum.second),
               8.0 * static_cast<double>(sum.second) / static_cast<double>(sum.first));
    all.first += sum.first;
    all.second += sum.second;
  }
  if (by_type.size() > 1 && all.first != 0) {
    fmt::print("  {:<6} {:>14} parameters {:>14} bytes {:>6.2f} bits each\n", "all",
               with_separators(all.first), with_separators(all.second),
               8.0 * static_cast<double>(all.second) / static_cast<double>(all.first));
  }
  try {
    print_reads(model::LlamaModel(std::move(file)));
  } catch (const ModelError& error) {
    fmt::print("\nnot a model that can run: {}\n", error.what());
  }
}

// The files of a description and what each changes.
void print_provenance(const config::Provenance& p) {
  for (std::size_t i = 0; i < p.files.size(); ++i) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(p.files[i], error).lexically_normal();
    fmt::print("{:<10} {}\n", i == 0 ? "read from" : "its base", whole.string());
  }
  if (p.values.empty()) return;
  std::size_t path = 0, value = 0;
  for (const config::Provenance::Value& v : p.values) {
    path = std::max(path, v.path.size());
    value = std::max(value, std::min<std::size_t>(v.value.size(), kShownValue));
  }
  fmt::print("\nvalues that do not come from {}\n", p.files.back().filename().string());
  for (const config::Provenance::Value& v : p.values) {
    fmt::print("  {:<{}}  {:<{}}  {}\n", v.path, path, printable(v.value, kShownValue - 5), value, v.source);
  }
}

void inspect_machine(const MachineOptions& options) {
  const config::Machine m = machine_with(options);
  fmt::print("machine    {}\n           {}\n           digest {}\n", m.name, m.description, m.digest);
  print_provenance(m.provenance);
  fmt::print("\n");
  double int8 = 0;
  fmt::print("derived\n");
  for (int t = 0; t < kMultiplyTypes; ++t) {
    const std::uint32_t cycles = m.matrix.cycles_per_row[static_cast<std::size_t>(t)];
    if (cycles == 0) continue;
    const double peak = m.clock_ghz * m.matrix.rows * m.matrix.columns / cycles;
    if (int8 == 0) int8 = peak;
    fmt::print("  peak {:<5}              {:>12.1f} billion multiply-accumulates/s\n",
               name_of(static_cast<MultiplyType>(t)), peak);
  }
  const double port = m.clock_ghz * m.scratchpad.banks * m.scratchpad.bank_bytes;
  fmt::print(
      "  scratchpad, all banks   {:>12.1f} GB/s\n  DRAM peak               {:>12.1f} GB/s ({:.1f} bytes a "
      "cycle)\n",
      port, m.peak_dram_gb_per_s(), m.peak_dram_gb_per_s() / m.clock_ghz);
  if (m.dram.system) {
    const config::DramDevice& device = m.dram.system->device;
    fmt::print("  DRAM devices            {} x {} ({}), {}\n", m.dram.channels, device.name, device.standard,
               bytes_text(m.dram.capacity_bytes));
  }
  fmt::print(
      "  roofline ridge          {:>12.1f} multiply-accumulates a DRAM byte (fastest type)\n\nvalues\n{}\n",
      int8 / m.peak_dram_gb_per_s(), config::to_json(m));
}

void inspect_program(const std::filesystem::path& path) {
  const isa::Program p = isa::read_program(path);
  fmt::print("program    {}\n           {} words ({}), digest {}\n           machine: {}\n", path.string(),
             with_separators(p.words.size()), bytes_text(p.words.size() * isa::kWordBytes), p.digest(),
             p.machine.empty() ? "any" : p.machine);
  std::map<std::string, std::uint64_t> by_opcode;
  for (const isa::Word& w : p.words) ++by_opcode[std::string(isa::name_of(isa::decode(w).op))];
  fmt::print("\nwords by instruction\n");
  for (const auto& [name, count] : by_opcode) fmt::print("  {:<14} {:>10}\n", name, with_separators(count));
  std::vector<std::uint64_t> words(p.operators.size());
  for (const isa::Section& s : p.sections) words[s.operator_id] += s.count;
  if (!p.operators.empty()) fmt::print("\nwords by operator\n");
  for (std::size_t i = 0; i < words.size(); ++i)
    fmt::print("  {:<24} {:>10}\n", p.operators[i].name, with_separators(words[i]));
  for (const isa::DataSegment& d : p.data)
    fmt::print("data at 0x{:x}: {} bytes\n", d.address.value, with_separators(d.bytes.size()));
}

// Results come from anywhere as well.
std::string text_of(const nlohmann::json& value) {
  return printable(value.get<std::string>(), 200);
}

// Memory channels do the same things: one line for all of them together.
void print_counters(const nlohmann::json& counters) {
  struct Line {
    std::string name, unit;
    std::uint64_t value;
  };
  std::vector<Line> lines;
  std::map<std::string, std::size_t> at;
  for (const nlohmann::json& c : counters) {
    std::string name = text_of(c.at("name"));
    if (name.starts_with("dram.channel")) name = "dram, all channels" + name.substr(name.rfind('.'));
    const auto [line, added] = at.emplace(name, lines.size());
    if (added) lines.push_back({name, text_of(c.at("unit")), 0});
    std::uint64_t& sum = lines[line->second].value;
    sum = explore::add_counts(sum, c.at("value").get<std::uint64_t>());
  }
  fmt::print("\ncounters\n");
  for (const Line& l : lines) fmt::print("  {:<42} {:>16} {}\n", l.name, with_separators(l.value), l.unit);
}

// Of one phase: its operators' cycles, what most of them were spent on, and rates over each operator's span.
// Older results have cycles alone.
void print_operators(const nlohmann::json& result, const char* phase) {
  std::uint64_t all = 0;
  for (const nlohmann::json& o : result.at("operators")) all += o.at(phase).at("cycles").get<std::uint64_t>();
  if (all == 0) return;
  const double ghz = result.at("configuration").at("values").at("clock_ghz").get<double>();
  fmt::print("\noperators, {:<13} {:>14} {:>7}  {:<17} {:>8} {:>8}\n", phase, "cycles", "share",
             "critical resource", "GB/s", "GMAC/s");
  for (const nlohmann::json& o : result.at("operators")) {
    const nlohmann::json& use = o.at(phase);
    const auto cycles = use.at("cycles").get<std::uint64_t>();
    std::string line =
        fmt::format("  {:<22} {:>14} {:>5.1f} %", text_of(o.at("name")), with_separators(cycles),
                    100 * static_cast<double>(cycles) / static_cast<double>(all));
    if (use.contains("critical")) {
      const double ns = use.at("span_cycles").get<double>() / ghz;
      const auto rate = [ns](double work) { return ns == 0 ? 0.0 : work / ns; };
      line += fmt::format("  {:<17} {:>8.2f} {:>8.2f}",
                          use["critical"].is_null() ? "-" : text_of(use["critical"]),
                          rate(use.at("loaded_bytes").get<double>() + use.at("stored_bytes").get<double>()),
                          rate(use.at("multiply_accumulates").get<double>()));
    }
    fmt::print("{}\n", line);
  }
}

// Bytes and energy of DRAM for each token of the two phases, and whether the prompt's batches are too small.
void print_phases(const nlohmann::json& result) {
  const nlohmann::json phases = result.value("phases", nlohmann::json::object());
  for (const auto& [name, of] : {std::pair("prefill", "prompt"), std::pair("decode", "decode")}) {
    if (!phases.contains(name)) continue;
    const nlohmann::json& phase = phases.at(name);
    const auto tokens = phase.at("tokens").get<double>();
    if (tokens == 0) continue;
    double bytes = 0;
    for (const char* part : {"loaded_bytes", "stored_bytes", "instruction_bytes"})
      bytes += phase.at(part).get<double>();
    const nlohmann::json& energy = phase.at("dram_pj");
    fmt::print("{:<10} {} bytes of DRAM{} for each {} token\n", name,
               with_separators(static_cast<std::uint64_t>(bytes / tokens + 0.5)),
               energy.is_null() ? "" : fmt::format(" and {:.4g} uJ", energy.get<double>() * 1e-6 / tokens),
               of);
  }
  const nlohmann::json settings = result.at("settings");
  const nlohmann::json small = settings.value("small_batch", nlohmann::json());
  if (small.is_null()) return;
  const compiler::SmallBatch batch{
      settings.at("batch").get<std::uint32_t>(), small.at("useful_tokens").get<std::uint32_t>(),
      small.at("scratchpad_kib").is_null() ? 0 : small["scratchpad_kib"].get<std::uint32_t>()};
  if (batch.tokens == 0) return;
  fmt::print("batch      {}\n", host::small_batch_text(batch, result.at("prompt_tokens").size()));
}

void inspect_result(const std::filesystem::path& path, const nlohmann::json& result) {
  explore::read_result(path);  // a damaged one is refused before anything is printed
  try {
    fmt::print("result     {}\nmodel      {} ({})\nmachine    {} ({})\n", path.string(),
               text_of(result.at("model").at("file")), text_of(result.at("model").at("digest")),
               text_of(result.at("configuration").at("name")),
               text_of(result.at("configuration").at("digest")));
    if (result.contains("interrupted_at")) {
      fmt::print("ended      interrupted at cycle {}, with {} tokens complete\n",
                 with_separators(result["interrupted_at"].get<std::uint64_t>()), result.at("tokens").size());
    }
    print_phases(result);
    fmt::print("\n");
    fmt::print("  {:>4} {:>7} {:<8} {:>14} {:>14}  text\n", "", "id", "phase", "cycles", "ends at");
    std::size_t index = 0;
    for (const nlohmann::json& t : result.at("tokens")) {
      fmt::print("  {:>4} {:>7} {:<8} {:>14} {:>14}  {}\n", index++, t.at("id").get<std::uint64_t>(),
                 text_of(t.at("phase")), with_separators(t.at("cycles").get<std::uint64_t>()),
                 with_separators(t.at("end").get<std::uint64_t>()),
                 nlohmann::json(t.at("text")).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    for (const char* phase : {"prefill", "decode"}) print_operators(result, phase);
    print_counters(result.at("counters"));
  } catch (const nlohmann::json::exception& error) {
    throw IoError(fmt::format("{}: this is not a whole tokencycle result: {}", path.string(), error.what()));
  }
}

void inspect_checkpoint(const std::filesystem::path& path) {
  host::read_checkpoint(path, [&](const nlohmann::ordered_json& header, std::istream&) {
    const nlohmann::json run = header.at("run");
    const nlohmann::json& settings = run.at("settings");
    const auto number = [&](const char* key) { return with_separators(header.at(key).get<std::uint64_t>()); };
    fmt::print("checkpoint {}\n           written by {} build of tokencycle (version {})\n", path.string(),
               header.at("build") == host::program_file_digest() ? "this" : "another",
               text_of(header.at("version")));
    fmt::print("model      digest {}\nmachine    {}\nreached    step {}, {} new tokens, cycle {}\n",
               text_of(run.at("model").at("digest")), text_of(run.at("configuration").at("name")),
               number("steps"), number("tokens"), number("cycle"));
    fmt::print("\nsettings\n");
    for (const auto& [key, value] : settings.items()) fmt::print("  {:<26} {}\n", key, value.dump());
  });
}

}  // namespace

ExitCode inspect_command(const Arguments& arguments) {
  OptionParser parser("inspect FILE",
                      "Prints what is in a model (GGUF), machine description, program, result or checkpoint.",
                      "tokencycle inspect configs/edge.json");
  parser.add()("input", po::value<std::string>(), "file, or the name of a machine in configs/");
  add_set_option(parser);
  parser.positional("input", 1);
  if (!parser.parse(arguments)) return ExitCode::success;
  const MachineOptions machine{parser.require("input"), sets_of(parser)};
  if (names_changes(machine)) {
    inspect_machine(machine);
    return ExitCode::success;
  }
  const std::filesystem::path path = host::find_configuration(parser.require("input"));
  std::array<char, 6> magic{};
  {
    const auto fail = [&path](const std::string& why) {
      throw IoError(fmt::format("{}: cannot be read: {}", path.string(), why));
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) fail("it is a folder; name a file in it");
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) fail(fmt::format("{}; check path and permissions", std::strerror(errno)));
    in.read(magic.data(), magic.size());
    if (in.gcount() == 0)
      fail("it is empty; name a model, machine description, program, result or checkpoint");
  }
  const std::string_view head(magic.data(), magic.size());
  if (head.starts_with("GGUF")) {
    inspect_model(path);
  } else if (head.starts_with("TCPROG")) {
    inspect_program(path);
  } else if (host::is_checkpoint(path)) {
    inspect_checkpoint(path);
  } else {
    const nlohmann::json json = nlohmann::json::parse(host::read_text(path), nullptr, false);
    const bool result = json.is_object() && json.value("schema", nlohmann::json()).is_string() &&
                        json["schema"].get<std::string>().starts_with("tokencycle-result-");
    result ? inspect_result(path, json) : inspect_machine(machine);
  }
  return ExitCode::success;
}

}  // namespace tokencycle::cli
