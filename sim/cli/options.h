// SPDX-License-Identifier: Apache-2.0
// Options of commands: parsing with errors that help.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace tokencycle::cli {

// One option as help, completion and the manual page have it.
struct OptionInfo {
  std::string name, letter;  // "model" and "m"; "" without a letter
  std::string meaning;
  bool takes_value = false, repeats = false, positional = false;
  std::string group;  // the title in --help-all; "" for those that --help has
};

// A command's options. Parsing prints the help and returns false for --help; unknown options are a UsageError
// with the nearest known one.
class OptionParser {
 public:
  // usage: the line after "tokencycle"; example: a command that works as it stands.
  OptionParser(std::string usage, std::string about, std::string example);
  boost::program_options::options_description_easy_init add() { return first_.add_options(); }
  // Options that --help leaves to --help-all, under a title of their own.
  boost::program_options::options_description_easy_init more(const std::string& title);
  // Names the option that takes the arguments without a dash, and how many there may be.
  void positional(const char* option, int count) {
    positional_.add(option, count);
    positional_name_ = option;
  }
  bool parse(const Arguments& given);

  bool has(const std::string& name) const { return values_.count(name) != 0; }
  // Said on the command line, not by a default.
  bool given(const std::string& name) const { return has(name) && !values_[name].defaulted(); }
  const std::string& usage() const { return usage_; }
  const std::string& about() const { return about_; }
  const std::string& example() const { return example_; }
  std::vector<OptionInfo> describe() const;  // in the order of --help-all
  std::vector<std::string> names() const;    // of the options that were added, --help aside
  // What parse() got, by long names in its order, without these options.
  Arguments arguments_without(const std::vector<std::string>& names) const;
  // What was said for an option of one text or several; none where it was not given.
  std::vector<std::string> texts(const std::string& name) const;
  template <class T>
  T get(const std::string& name) const {
    return values_[name].as<T>();
  }
  // An option that the command cannot do without.
  std::string require(const std::string& name) const;
  // A count; negative or overlong numbers are a UsageError.
  std::uint32_t count(const std::string& name) const;
  // An option given as text that is a whole number, 0 to 2^64 - 1; anything else is a UsageError.
  std::uint64_t unsigned_number(const std::string& name) const;
  // Of --jobs: processes at a time, one per processor where it is not given.
  unsigned jobs() const;

 private:
  std::string own_name(const std::string& argument) const;
  bool takes(std::string_view typed) const;
  void gather();
  void print_help(bool all) const;
  void refuse_empty() const;
  std::string expectation(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& message) const;

  std::string usage_, about_, example_, positional_name_;
  boost::program_options::options_description options_;  // of all groups, once parse() has begun
  boost::program_options::options_description first_;
  struct Group {
    std::string title;
    std::unique_ptr<boost::program_options::options_description> options;
  };
  std::vector<Group> more_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
  std::vector<boost::program_options::option> given_;  // in the order of the command line
};

}  // namespace tokencycle::cli
