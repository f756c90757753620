// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: models.
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "cli/print/inspect.h"
#include "host/result/json_text.h"
#include "model/architecture.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

namespace {

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
    case model::OperatorKind::part_linear:
      return op.output_columns;
    default:
      return op.weight->rows;
  }
}

Json value_json(const model::GgufValue& value) {
  if (const auto* array = std::get_if<model::GgufArray>(&value)) return {{"elements", array->size()}};
  if (const auto* text = std::get_if<std::string>(&value)) return host::replace_invalid(*text);
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>) return v;
        return nullptr;
      },
      value);
}

// Bytes that a decode step reads: each weight by its format, once, a row of a table that is only looked up;
// and of each earlier position the keys and values.
void add_reads(const model::LlamaModel& model, Inspected& out) {
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
  out.text += "\nweights read for a token\n";
  for (const auto& [format, bytes] : by_format)
    out.text += fmt::format("  {:<8} {:>16} bytes\n", format, with_separators(bytes));
  if (by_format.size() > 1) out.text += fmt::format("  {:<8} {:>16} bytes\n", "all", with_separators(all));
  out.text += "\nkeys and values of a position, by --kv-type\n";
  Json cache = Json::object();
  for (int f = 0; f < kFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!kCacheFormats.has(format)) continue;
    std::uint64_t bytes = 0;
    for (const model::Value& v : model.graph().values) {
      const bool cached = v.kind == model::ValueKind::state && v.rows == model::RowsOf::positions;
      if (cached) bytes += row_bytes(format, v.cols);
    }
    const std::uint32_t head = model.shape().head_dim, block = block_elements(format);
    const bool whole = head % block == 0;
    out.text += fmt::format("  {:<8} {}\n", name_of(format),
                            whole ? fmt::format("{:>16} bytes", with_separators(bytes))
                                  : fmt::format("not for heads of {}: blocks of {}", head, block));
    cache[std::string(name_of(format))] = whole ? Json(bytes) : Json();
  }
  std::uint64_t own = 0;
  for (const model::Value& v : model.graph().values) own += std::uint64_t{v.count} * v.cols * 4;
  if (own != 0) {
    out.text += fmt::format("\nrecurrent state, read and written by a step\n  {:<8} {:>16} bytes\n", "f32",
                            with_separators(own));
  }
  out.document.json["recurrent_state_bytes"] = own;
  out.document.json["token_weight_bytes"] = by_format;
  out.document.json["position_cache_bytes"] = cache;
}

void add_tensors(const model::GgufFile& file, Inspected& out) {
  constexpr std::size_t kShown = 200;  // of a name
  out.text += "\ntensors\n";
  Json tensors = Json::array(), types = Json::array();
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> by_type;  // elements, bytes
  std::pair<std::uint64_t, std::uint64_t> all;
  for (const model::GgufTensor& t : file.tensors()) {
    out.text +=
        fmt::format("  {:<30} {:<6} {:>20} {:>14} bytes{}\n", printable(t.name, kShown), t.type_name,
                    shape_text(t.shape), with_separators(t.bytes), t.supported ? "" : "   (not supported)");
    tensors.push_back({{"name", host::replace_invalid(t.name)},
                       {"type", t.type_name},
                       {"shape", t.shape},
                       {"bytes", t.bytes},
                       {"supported", t.supported}});
    for (auto* sum : {&by_type[t.type_name], &all}) {
      sum->first += t.elements();
      sum->second += t.bytes;
    }
  }
  out.text += "\nby type\n";
  const auto line = [&out](const std::string& type, const std::pair<std::uint64_t, std::uint64_t>& sum) {
    out.text += fmt::format("  {:<6} {:>14} parameters {:>14} bytes {:>6.2f} bits each\n", type,
                            with_separators(sum.first), with_separators(sum.second),
                            8.0 * static_cast<double>(sum.second) / static_cast<double>(sum.first));
  };
  for (const auto& [type, sum] : by_type) {
    line(type, sum);
    types.push_back({{"type", type}, {"parameters", sum.first}, {"bytes", sum.second}});
  }
  if (by_type.size() > 1 && all.first != 0) line("all", all);
  out.document.json["types"] = types;
  out.document.json["tensors"] = tensors;
}

}  // namespace

Inspected inspect_model(model::GgufFile file) {
  constexpr std::size_t kShown = 200;  // of a name
  Inspected out;
  const bool described = file.version() == 0;
  const std::string parts = file.parts() == 1 ? "" : fmt::format(" in {} files", file.parts());
  out.text = fmt::format("model      {}\n           ", file.path().string());
  out.text += described
                  ? std::string("config.json of a model, as the GGUF file that it would be converted to\n")
                  : fmt::format("GGUF version {}, {}{}, digest {}\n", file.version(),
                                bytes_text(file.file_bytes()), parts, file.digest());
  Json metadata = Json::object();
  out.text += "\nmetadata\n";
  for (const auto& [key, value] : file.metadata()) {
    out.text += fmt::format("  {:<42} {}\n", printable(key, kShown), value_text(value));
    metadata[host::replace_invalid(key)] = value_json(value);
  }
  out.document = {{{"schema", "tokencycle-inspection-1"},
                   {"kind", described ? "config.json" : "gguf"},
                   {"file", host::replace_invalid(file.path().string())},
                   {"gguf_version", described ? Json() : Json(file.version())},
                   {"file_bytes", described ? Json() : Json(file.file_bytes())},
                   {"files", file.parts()},
                   {"digest", described ? Json() : Json(file.digest())},
                   {"metadata", metadata}},
                  "tensors"};
  add_tensors(file, out);
  out.document.json["cannot_run"] = nullptr;
  try {
    constexpr std::uint32_t kPositions = 1;  // tables of positions are a run's
    add_reads(model::LlamaModel(std::move(file), std::nullopt, kPositions), out);
  } catch (const ModelError& error) {
    out.text += fmt::format("\nnot a model that can run: {}\n", error.what());
    out.document.json["cannot_run"] = error.what();
  }
  return out;
}

}  // namespace tokencycle::cli
