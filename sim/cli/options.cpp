// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <thread>
#include <typeinfo>
#include <utility>

#include "base/text.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {
constexpr unsigned kHelpColumns = 80;

// Sentences as lines of at most so many columns.
std::string folded(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  std::size_t column = 0;
  for (std::string word; words >> word; column += word.size()) {
    const bool fits = column == 0 || column + 1 + word.size() <= kHelpColumns;
    if (!fits) column = 0;
    if (!out.empty()) out += fits ? ' ' : '\n';
    if (column != 0) ++column;
    out += word;
  }
  return out;
}
// boost leaves some behind lines that it breaks.
std::string without_trailing_blanks(const std::string& text) {
  std::string out;
  for (const char c : text) {
    while (c == '\n' && out.ends_with(' ')) out.pop_back();
    out += c;
  }
  return out;
}
}  // namespace

OptionParser::OptionParser(std::string usage, std::string about, std::string example)
    : usage_(std::move(usage)),
      about_(std::move(about)),
      example_(std::move(example)),
      first_("Options", kHelpColumns, kHelpColumns / 2) {
  add()("help,h", "print this help");
}

po::options_description_easy_init OptionParser::more(const std::string& title) {
  if (more_.empty()) add()("help-all", "print all options");
  more_.push_back({title, std::make_unique<po::options_description>(title, kHelpColumns, kHelpColumns / 2)});
  return more_.back().options->add_options();
}

// boost copies what a group has when it is added.
void OptionParser::gather() {
  options_.add(first_);
  for (const Group& group : more_) options_.add(*group.options);
}

// Options as users of llama.cpp type them, and as the other commands have them for the only file of a
// command, with their names here.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {
    {"--temp", "temperature"},
    {"--ctx-size", "context"},
    {"--n-predict", "new-tokens"},
    {"--predict", "new-tokens"},
    {"--batch-size", "batch"},
    {"--config", "input"},
    {"-c", "input"},
    {"--model", "input"},
    {"-m", "input"},
};

// Whether an option has this name, long or short, with its dashes.
bool OptionParser::takes(std::string_view typed) const {
  const auto& all = options_.options();
  return std::any_of(all.begin(), all.end(), [&](const auto& o) {
    return typed == o->canonical_display_name(po::command_line_style::allow_dash_for_short) ||
           typed == "--" + o->long_name();
  });
}

std::string OptionParser::own_name(const std::string& argument) const {
  const std::size_t end = std::min(argument.find('='), argument.size());
  for (const auto& [other, name] : kOtherNames) {
    if (std::string_view(argument).substr(0, end) != other || options_.find_nothrow(name, false) == nullptr)
      continue;
    if (takes(other)) return argument;
    return std::string("--") + name + argument.substr(end);
  }
  return argument;
}

bool OptionParser::parse(const Arguments& given) {
  gather();
  Arguments arguments;
  for (const std::string& argument : given) arguments.push_back(own_name(argument));
  try {
    const auto parsed =
        po::command_line_parser(arguments)
            .options(options_)
            .positional(positional_)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .run();
    po::store(parsed, values_);
    given_ = parsed.options;
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const auto& o : options_.options()) known.push_back("--" + o->long_name());
    const std::string& typed = error.get_option_name();
    const auto longer = std::find_if(known.begin(), known.end(),
                                     [&](const std::string& name) { return name.starts_with(typed); });
    const std::string near = longer != known.end() ? *longer : nearest(typed, known);
    refuse(fmt::format("unknown option {}{}", error.get_option_name(),
                       near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  } catch (const po::invalid_option_value& error) {
    refuse(fmt::format("{}; {}", error.what(), expectation(error.get_option_name())));
  } catch (const po::error& error) {
    refuse(error.what());
  }
  refuse_empty();
  const bool all = has("help-all");
  if (!has("help") && !all) return true;
  print_help(all);
  return false;
}

void OptionParser::print_help(bool all) const {
  std::ostringstream options;
  options << first_;
  for (const Group& group : more_) {
    if (all) options << '\n' << *group.options;
  }
  std::string more;
  if (!all && !more_.empty()) {
    more = "--help-all has more:";
    const char* before = " ";
    for (const Group& group : more_) more += std::exchange(before, ", ") + group.title;
    more = '\n' + folded(more) + '\n';
  }
  fmt::print("usage: tokencycle {}\n\n{}\n\n{}\nexample:\n  {}\n", usage_, folded(about_),
             without_trailing_blanks(options.str()) + more, example_);
}

// What an option that is no text must be.
std::string OptionParser::expectation(const std::string& name) const {
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  const auto* option = options_.find_nothrow(bare, false);
  const auto* typed =
      option == nullptr ? nullptr : dynamic_cast<const po::typed_value_base*>(option->semantic().get());
  const std::type_info& type = typed == nullptr ? typeid(std::string) : typed->value_type();
  if (type == typeid(double)) return "it must be a number, for example 0.8";
  if (type == typeid(int)) return "it must be a whole number";
  return fmt::format("it must be a whole number, 0 to {}", std::numeric_limits<std::uint32_t>::max());
}

// The options that name files: an empty name would lead to a message without one.
void OptionParser::refuse_empty() const {
  for (const char* const name : {"model", "config", "input", "output", "result", "results", "trace",
                                 "commands", "program", "file", "shapes"}) {
    for (const std::string& text : texts(name)) {
      if (text.empty()) refuse(fmt::format("--{} is empty; name a file, or leave the option out", name));
    }
  }
}

void OptionParser::refuse(const std::string& message) const {
  const std::string command = usage_.substr(0, usage_.find(' '));
  throw UsageError(fmt::format("{}; `tokencycle {} --help` lists the options", message, command));
}

std::vector<OptionInfo> OptionParser::describe() const {
  std::vector<OptionInfo> all;
  const auto add_group = [&](const po::options_description& group, const std::string& title) {
    for (const auto& option : group.options()) {
      // "-m" where there is a letter, else "--model".
      const std::string shortest =
          option->canonical_display_name(po::command_line_style::allow_dash_for_short);
      const bool letter = shortest.size() == 2 && shortest[1] != '-';
      all.push_back({option->long_name(), letter ? shortest.substr(1) : "", option->description(),
                     option->semantic()->max_tokens() != 0, option->semantic()->is_composing(),
                     option->long_name() == positional_name_, title});
    }
  };
  add_group(first_, "");
  for (const Group& group : more_) add_group(*group.options, group.title);
  return all;
}

std::vector<std::string> OptionParser::names() const {
  std::vector<std::string> names;
  const auto add_names = [&names](const po::options_description& group) {
    for (const auto& option : group.options()) {
      if (!option->long_name().starts_with("help")) names.push_back(option->long_name());
    }
  };
  add_names(first_);
  for (const Group& group : more_) add_names(*group.options);
  return names;
}

Arguments OptionParser::arguments_without(const std::vector<std::string>& names) const {
  Arguments arguments;
  for (const po::option& option : given_) {
    if (std::find(names.begin(), names.end(), option.string_key) != names.end()) continue;
    const std::string name = "--" + option.string_key;
    if (option.value.empty()) arguments.push_back(name);
    for (const std::string& value : option.value) {
      if (value.empty()) {  // "--name=" would be refused
        arguments.insert(arguments.end(), {name, value});
      } else {
        arguments.push_back(name + '=' + value);
      }
    }
  }
  return arguments;
}

std::vector<std::string> OptionParser::texts(const std::string& name) const {
  using Texts = std::vector<std::string>;
  if (!has(name)) return {};
  const boost::any& value = values_[name].value();
  if (const auto* one = boost::any_cast<std::string>(&value)) return {*one};
  const auto* several = boost::any_cast<Texts>(&value);
  return several == nullptr ? Texts{} : *several;
}

std::string OptionParser::require(const std::string& name) const {
  if (!has(name)) refuse(fmt::format("--{} is missing", name));
  return get<std::string>(name);
}

std::uint32_t OptionParser::count(const std::string& name) const {
  const auto value = get<long long>(name);
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    refuse(fmt::format("--{} is {}; it must be 0 to {}", name, value,
                       std::numeric_limits<std::uint32_t>::max()));
  }
  return static_cast<std::uint32_t>(value);
}

unsigned OptionParser::jobs() const {
  if (!has("jobs")) return std::max(1u, std::thread::hardware_concurrency());
  const std::uint64_t jobs = unsigned_number("jobs");
  if (jobs < 1 || jobs > 4096) throw UsageError(fmt::format("--jobs is {}; it must be 1 to 4096", jobs));
  return static_cast<unsigned>(jobs);
}

std::uint64_t OptionParser::unsigned_number(const std::string& name) const {
  const std::string text = get<std::string>(name);
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) {
    refuse(fmt::format("--{} is '{}'; it must be a whole number, 0 to {}", name, text,
                       std::numeric_limits<std::uint64_t>::max()));
  }
  return value;
}

}  // namespace tokencycle::cli
