// SPDX-License-Identifier: Apache-2.0
#include "cli/document.h"

#include <algorithm>
#include <map>
#include <vector>

#include "host/result/json_text.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

namespace {

bool is_plain_list(const Json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_primitive(); });
}

// As JSON has it, texts without their quotes.
std::string cell_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!is_plain_list(value)) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text;
  for (const Json& v : value) text += (text.empty() ? "" : " ") + cell_text(v);
  return text;
}

std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

using Cells = std::vector<std::pair<std::string, std::string>>;  // column, value

void add_cells(const std::string& name, const Json& value, Cells& cells) {
  if (value.is_array() && !is_plain_list(value)) return;
  if (!value.is_object()) {
    cells.emplace_back(name, cell_text(value));
    return;
  }
  for (const auto& [key, inner] : value.items())
    add_cells(name.empty() ? key : name + "." + key, inner, cells);
}

std::string csv_line(const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + csv_quoted(values[i]);
  return text + '\n';
}

}  // namespace

void add_output_forms(OptionParser& parser, const std::string& what) {
  auto add = parser.add();
  add("json", po::bool_switch(), "print everything as one JSON object");
  add("csv", po::bool_switch(), ("print lines of comma-separated values, one per " + what).c_str());
}

OutputForm output_form(const OptionParser& parser) {
  const bool json = parser.get<bool>("json"), csv = parser.get<bool>("csv");
  if (json && csv) throw UsageError("--json and --csv are two forms of the same; choose one");
  return json ? OutputForm::json : csv ? OutputForm::csv : OutputForm::text;
}

std::string document_text(const Document& document, OutputForm form) {
  if (form == OutputForm::json) return host::json_text(document.json);
  return document.list.empty() ? csv_of_fields(document.json)
                               : csv_of_records(document.json.at(document.list));
}

std::string csv_of_records(const Json& records) {
  std::vector<Cells> rows;
  std::vector<std::string> heading;
  std::map<std::string, std::size_t> columns;
  for (const Json& record : records) {
    rows.emplace_back();
    add_cells(record.is_object() ? "" : "value", record, rows.back());
    for (const auto& [name, value] : rows.back()) {
      if (columns.emplace(name, heading.size()).second) heading.push_back(name);
    }
  }
  std::string text = heading.empty() ? "" : csv_line(heading);
  for (const Cells& row : rows) {
    std::vector<std::string> values(heading.size());
    for (const auto& [name, value] : row) values[columns.at(name)] = value;
    text += csv_line(values);
  }
  return text;
}

std::string csv_of_fields(const Json& document) {
  std::string text = csv_line({"field", "value"});
  const Json flat = document.flatten();
  for (const auto& [field, value] : flat.items()) text += csv_line({field, cell_text(value)});
  return text;
}

}  // namespace tokencycle::cli
