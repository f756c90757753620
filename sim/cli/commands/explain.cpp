// SPDX-License-Identifier: Apache-2.0
// tokencycle explain: what keys, fields, causes and instructions mean, from the program's tables.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/document.h"
#include "cli/explain/topic.h"
#include "cli/options.h"
#include "cli/standard_output.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
namespace {

constexpr std::size_t kTableColumns = 80;

// Breaks `text` at blanks; every line begins with `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out, line;
  const auto end_line = [&] {
    out += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!line.empty() && indent + line.size() + 1 + end > kTableColumns) end_line();
    line += (line.empty() ? "" : " ") + std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  end_line();
  return out;
}

void print_table(const Topic& topic) {
  if (!topic.text.empty()) {
    fmt::print("{}", topic.text);
    return;
  }
  fmt::print("{}\n\n", fmt::join(topic.columns, ", "));
  for (const std::vector<std::string>& row : topic.rows) {
    std::string head = row.front();
    const char* between = "   ";
    for (std::size_t c = 1; c + 1 < row.size(); ++c) {
      if (row[c].empty()) continue;
      const bool plain =
          topic.columns[c] != "default" || row[c].starts_with("required") || row[c] == "absent";
      head += between + std::string(plain ? "" : "default ") + row[c];
      between = ", ";
    }
    fmt::print("{}{}", wrapped(head, 0), wrapped(row.back(), 4));
  }
  if (!topic.notes.empty()) fmt::print("\n");
  for (const std::string& note : topic.notes) fmt::print("{}", wrapped("- " + note, 0));
}

nlohmann::ordered_json json_of(const TopicRow& name, const Topic& topic) {
  using Json = nlohmann::ordered_json;
  Json json = {{"schema", "tokencycle-explain-1"},
               {"version", TOKENCYCLE_VERSION},
               {"topic", name.name},
               {"about", name.about}};
  if (!topic.text.empty()) {
    json["text"] = topic.text;
    return json;
  }
  json["rows"] = Json::array();
  for (const std::vector<std::string>& cells : topic.rows) {
    Json row;
    for (std::size_t c = 0; c < cells.size(); ++c) row[topic.columns[c]] = cells[c];
    json["rows"].push_back(row);
  }
  json["notes"] = topic.notes;
  return json;
}

}  // namespace

OptionParser explain_parser() {
  OptionParser parser(
      "explain [TOPIC] [options]",
      "Says what keys, fields, causes and instructions mean. Without a topic: which there are.",
      "tokencycle explain machine");
  parser.add()("topic", po::value<std::string>(), "one of the topics that explain lists");
  add_output_forms(parser, "row");
  parser.positional("topic", 1);
  return parser;
}

ExitCode explain_command(const Arguments& arguments) {
  OptionParser parser = explain_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (!parser.has("topic")) {
    if (form != OutputForm::text)
      throw UsageError("explain --json or --csv needs a topic; `tokencycle explain` lists them");
    for (const TopicRow& t : topics()) fmt::print("{:<13} {}\n", t.name, t.about);
    return ExitCode::success;
  }
  const std::string name = parser.get<std::string>("topic");
  std::vector<std::string> names;
  for (const TopicRow& t : topics()) {
    names.emplace_back(t.name);
    if (t.name != name) continue;
    if (form != OutputForm::text) {
      const Topic topic = t.make();
      print_now(document_text({json_of(t, topic), topic.text.empty() ? "rows" : ""}, form));
    } else {
      print_table(t.make());
    }
    return ExitCode::success;
  }
  throw UsageError(
      fmt::format("no topic '{}'{}; there are {}", name, did_you_mean(name, names), fmt::join(names, ", ")));
}

}  // namespace tokencycle::cli
