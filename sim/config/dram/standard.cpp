// SPDX-License-Identifier: Apache-2.0
#include "config/dram/standard.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "config/dram/json.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestSum = 200, kMostRows = 500;
// Without these a controller could not serve a request, or a device could not be described.
constexpr std::array kRequiredCommands = {DramCommand::activate,      DramCommand::precharge,
                                          DramCommand::precharge_all, DramCommand::read,
                                          DramCommand::write,         DramCommand::refresh_all};
constexpr std::array<std::string_view, 2> kRequiredParameters = {"nBL", "nRFC"};

bool whole_rank(DramCommand c) {
  return c == DramCommand::precharge_all || c == DramCommand::refresh_all;
}

std::vector<std::string> names_of(const std::map<std::string, std::string>& parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const auto& [name, meaning] : parameters) names.push_back(name);
  return names;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  names.reserve(kDramCommands);
  for (int c = 0; c < kDramCommands; ++c) names.emplace_back(name_of(static_cast<DramCommand>(c)));
  return names;
}

class StandardReader {
 public:
  StandardReader(const Json& tree, Violations& violations) : file_(&tree, "", violations) {}

  DramStandard read() {
    static constexpr std::array<std::string_view, 1> kSchema = {"tokencycle-dram-standard-1"};
    file_.take_choice("schema", kSchema);
    standard_.name = file_.take_text("standard", 32).value_or("");
    file_.take_text("document", kLongestText);
    file_.take_text("about", kLongestText, Need::optional);
    static constexpr std::array<std::string_view, 2> kRanks = {"rank", "pseudo-channel"};
    standard_.pseudo_channels = file_.take_choice("rank_is", kRanks) == std::size_t{1};
    standard_.command_buses =
        static_cast<std::uint32_t>(file_.take_whole("command_buses", {1, 2, "buses"}).value_or(2));
    read_commands();
    read_parameters();
    read_data();
    read_data_clock();
    standard_.constraints = read_rows("constraints", Need::required);
    standard_.at_most = read_rows("at_most", Need::optional);
    check_use();
    file_.finish();
    return standard_;
  }

 private:
  void read_commands() {
    JsonObject commands = file_.take_object("commands");
    for (const std::string& name : commands.take_names()) {
      DramCommand command{};
      if (!dram_command_from_name(name, command)) {
        commands.complain(name, "unknown command; " + suggest(name, command_names()));
        continue;
      }
      JsonObject use = commands.take_object(name);
      const auto bus = use.take_whole("bus", {0, standard_.command_buses - 1, "index of a command bus"});
      const auto clocks = use.take_whole("clocks", {1, 16, "clocks"});
      use.take_text("part", kLongestText, Need::optional);
      use.take_text("needs", kLongestText, Need::optional);
      if (command == DramCommand::refresh_bank) read_reach(use);
      use.finish();
      standard_.commands[static_cast<std::size_t>(command)] = {
          true, static_cast<std::uint8_t>(bus.value_or(0)), static_cast<std::uint8_t>(clocks.value_or(1))};
    }
    for (const DramCommand c : kRequiredCommands) {
      if (!standard_.exists(c)) commands.complain(name_of(c), "missing; every standard has this command");
    }
    if (standard_.exists(DramCommand::sync_read) != standard_.exists(DramCommand::sync_write)) {
      file_.complain("commands", "one of SYNC_RD and SYNC_WR is missing; give both or neither");
    }
  }

  void read_reach(JsonObject& use) {
    static constexpr std::array<std::string_view, 3> kReaches = {"one bank group", "two bank groups",
                                                                 "every bank group"};
    standard_.reach = static_cast<DramReach>(use.take_choice("reach", kReaches, Need::optional).value_or(0));
  }

  void read_parameters() {
    JsonObject parameters = file_.take_object("parameters");
    for (const std::string& name : parameters.take_names()) {
      if (!is_timing_symbol(name)) {
        parameters.complain(name,
                            "not a timing symbol; allowed: n, a capital letter, then letters, digits or _");
      }
      JsonObject entry = parameters.take_object(name);
      standard_.parameters[name] = entry.take_text("meaning", kLongestText).value_or("");
      entry.take_text("section", kLongestText);
      entry.finish();
    }
    for (const std::string_view name : kRequiredParameters) {
      if (!parameters.has(name)) parameters.complain(name, "missing; every standard has this parameter");
    }
  }

  DramSum read_sum(JsonObject& object, const std::string& name) {
    const auto text = object.take_text(name, kLongestSum);
    if (!text) return {};
    const auto sum = parse_sum(*text);
    if (!sum) {
      object.complain(name, fmt::format("\"{}\" is no sum; allowed: symbols and numbers below 10^6 joined by "
                                        "\" + \" and \" - \", as in \"nCL + nBL + 2 - nCWL\"",
                                        escaped(shortened(*text))));
      return {};
    }
    for (const DramSum::Term& t : sum->terms) {
      if (t.symbol.empty()) continue;
      used_.insert(t.symbol);
      if (standard_.parameters.contains(t.symbol)) continue;
      object.complain(name, fmt::format("unknown symbol {}; {} Or add it to /parameters", t.symbol,
                                        suggest(t.symbol, names_of(standard_.parameters))));
    }
    return *sum;
  }

  void read_data() {
    JsonObject data = file_.take_object("data");
    standard_.read_first = read_sum(data, "read_first");
    standard_.read_last = read_sum(data, "read_last");
    standard_.write_first = read_sum(data, "write_first");
    standard_.write_last = read_sum(data, "write_last");
    data.finish();
  }

  void read_data_clock() {
    standard_.data_clock = standard_.exists(DramCommand::sync_read) || file_.has("data_clock");
    if (!standard_.data_clock) return;
    if (!standard_.exists(DramCommand::sync_read)) {
      file_.complain("data_clock", "needs the commands SYNC_RD and SYNC_WR; add them or remove it");
    }
    JsonObject clock = file_.take_object("data_clock");
    clock.take_text("meaning", kLongestText);
    clock.take_text("section", kLongestText);
    standard_.after_read = read_sum(clock, "after_read");
    standard_.after_write = read_sum(clock, "after_write");
    clock.finish();
  }

  std::vector<DramCommand> read_command_list(JsonObject& row, const std::string& name) {
    std::vector<DramCommand> list;
    for (const Json* value : row.take_array(name, kDramCommands)) {
      DramCommand command{};
      const bool known = value->is_string() &&
                         dram_command_from_name(value->get_ref<const std::string&>(), command) &&
                         standard_.exists(command);
      if (known) {
        list.push_back(command);
      } else {
        row.complain(
            name, fmt::format("{} is not a command of /commands; {}", shown_json(*value),
                              suggest(value->is_string() ? value->get<std::string>() : "", command_names())));
      }
    }
    return list;
  }

  std::vector<DramStandard::Row> read_rows(const std::string& name, Need need) {
    std::vector<DramStandard::Row> rows;
    const auto values = file_.take_array(name, kMostRows, need);
    for (std::size_t i = 0; i < values.size(); ++i) {
      JsonObject row(values[i], fmt::format("/{}/{}", name, i), file_.violations());
      rows.push_back(read_row(row));
      row.finish();
    }
    return rows;
  }

  DramStandard::Row read_row(JsonObject& row) {
    static constexpr std::array<std::string_view, kDramLevels> kLevels = {"channel", "rank", "stack_id",
                                                                          "bank_group", "bank"};
    DramStandard::Row result;
    DramConstraint form;
    form.level = static_cast<DramLevel>(row.take_choice("level", kLevels).value_or(0));
    const auto before = read_command_list(row, "before"), after = read_command_list(row, "after");
    result.clocks = read_sum(row, "clocks");
    form.formula = result.clocks.text;
    form.window =
        static_cast<std::uint32_t>(row.take_whole("window", {1, 16, "commands"}, Need::optional).value_or(1));
    form.other = row.take_boolean("other", Need::optional).value_or(false);
    form.section = row.take_text("section", kLongestText).value_or("");
    const bool siblings = form.level == DramLevel::rank || form.level == DramLevel::stack;
    if (form.other && (!siblings || form.window != 1)) {
      row.complain("other",
                   "true is only allowed at the levels \"rank\" and \"stack_id\" with window 1; remove it");
    }
    if (form.level == DramLevel::stack) {
      if (form.window != 1) row.complain("window", "only 1 is allowed at level \"stack_id\"; remove it");
      for (const auto* list : {&before, &after}) {
        if (std::none_of(list->begin(), list->end(), whole_rank)) continue;
        row.complain("level", "\"stack_id\" is not allowed for PREA and REFab, which address all of a rank");
      }
    }
    for (const DramCommand b : before) {
      for (const DramCommand a : after) {
        form.before = b;
        form.after = a;
        result.forms.push_back(form);
        if (rows_.emplace(form.level, form.other, b, a, form.formula, form.window).second) continue;
        row.complain("clocks", fmt::format("{} to {} stands here for the second time; remove one", name_of(b),
                                           name_of(a)));
      }
    }
    return result;
  }

  void check_use() {
    for (const auto& [symbol, meaning] : standard_.parameters) {
      if (!used_.contains(symbol)) {
        file_.complain("parameters", fmt::format("no sum uses {}; remove it", pointer_token(symbol)));
      }
    }
  }

  JsonObject file_;
  DramStandard standard_;
  std::set<std::string> used_;
  std::set<std::tuple<DramLevel, bool, DramCommand, DramCommand, std::string, std::uint32_t>> rows_;
};

}  // namespace

DramStandard read_dram_standard(const std::filesystem::path& path) {
  Violations violations(path.string());
  const Json tree = parse_text(read_dram_text(path), violations);
  DramStandard standard = StandardReader(tree, violations).read();
  violations.throw_if_any();
  standard.digest = json_digest(tree);
  return standard;
}

}  // namespace tokencycle::config
