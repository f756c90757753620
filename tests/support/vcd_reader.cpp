// SPDX-License-Identifier: Apache-2.0
#include "support/vcd_reader.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

namespace tokencycle::test {

namespace {

class Reader {
 public:
  Reader(const std::string& text, const VcdRules& rules) : in_(text), rules_(rules) {}

  VcdDump run() {
    while (!defined_) keyword();
    require(path_.empty(), "a scope is not closed");
    while (next_line()) value_line();
    require(!dumping_, "$dumpvars has no end");
    return std::move(dump_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("line " + std::to_string(number_) + " (" + line_ + "): " + what);
  }
  void require(bool holds, const char* what) const {
    if (!holds) fail(what);
  }
  bool next_line() {
    ++number_;
    return static_cast<bool>(std::getline(in_, line_));
  }

  // One keyword with its arguments up to $end, on one line or several.
  void keyword() {
    std::vector<std::string> words;
    while (words.empty() || words.back() != "$end") {
      require(next_line(), "the definitions have no end");
      std::istringstream split(line_);
      for (std::string word; split >> word;) words.push_back(word);
    }
    require(std::count(words.begin(), words.end(), "$end") == 1, "two keywords on a line");
    words.pop_back();
    const std::string name = words.front();
    words.erase(words.begin());
    define(name, words);
  }

  void define(const std::string& name, const std::vector<std::string>& words) {
    if (name == "$comment" || name == "$timescale") {
      std::string text;
      for (const std::string& w : words) text += (text.empty() ? "" : " ") + w;
      if (name == "$comment") dump_.comments.push_back(text);
      if (name == "$timescale") dump_.timescale = text;
    } else if (name == "$scope") {
      require(words.size() == 2, "a scope has a kind and a name");
      path_.push_back(words[1]);
      require(scopes_.insert(dotted()).second, "a scope is entered twice");
    } else if (name == "$upscope") {
      require(!path_.empty() && words.empty(), "no scope is open");
      path_.pop_back();
    } else if (name == "$var") {
      variable(words);
    } else if (name == "$enddefinitions") {
      defined_ = true;
    } else {
      require(name == "$version" || name == "$date" || name == "$attrbegin", "an unknown keyword");
    }
  }

  void variable(const std::vector<std::string>& words) {
    require(words.size() == 4, "a variable has a kind, a width, a code and a name");
    require(words[0] == "wire" || words[0] == "string", "an unexpected kind of variable");
    path_.push_back(words[3]);
    const auto [signal, is_new] = dump_.signals.try_emplace(dotted());
    path_.pop_back();
    require(is_new, "two signals of one name");
    signal->second.text = words[0] == "string";
    signal->second.bits = static_cast<std::uint32_t>(std::stoul(words[1]));
    require(codes_.emplace(words[2], &signal->second).second, "two signals of one code");
  }

  std::string dotted() const {
    std::string text;
    for (const std::string& part : path_) text += (text.empty() ? "" : ".") + part;
    return text;
  }

  void value_line() {
    require(!line_.empty(), "an empty line");
    if (line_[0] == '#') {
      const std::uint64_t time = std::stoull(line_.substr(1));
      require(!timed_ || time > dump_.last, "time does not grow");
      if (!timed_) dump_.first = time;
      timed_ = true;
      dump_.last = time;
    } else if (line_ == "$dumpvars") {
      require(timed_ && dump_.last == dump_.first && dump_.changes == 0, "the first values come once");
      dumping_ = true;
    } else if (line_ == "$end") {
      require(dumping_ && dump_.changes == dump_.signals.size(), "some signal has no first value");
      dumping_ = false;
    } else {
      change();
    }
  }

  void change() {
    require(timed_ && (dumping_ || dump_.changes >= dump_.signals.size()), "a value before the first ones");
    const std::size_t blank = line_.find(' ');
    require(blank != std::string::npos, "a value without a code");
    const auto found = codes_.find(line_.substr(blank + 1));
    require(found != codes_.end(), "an unknown code");
    VcdSignal& signal = *found->second;
    const std::string value = line_.substr(1, blank - 1);
    require(line_[0] == (signal.text ? 's' : 'b') && !value.empty(), "not a value of this signal");
    if (!signal.text) {
      require(value.find_first_not_of("01") == std::string::npos, "not binary");
      require(value.size() <= signal.bits, "too wide");
      require(!rules_.no_leading_zeros || value[0] == '1' || value.size() == 1, "a leading zero");
    }
    if (!signal.changes.empty()) {
      require(signal.changes.back().time < dump_.last, "two values at a time");
      require(signal.changes.back().value != value, "not a change");
    }
    signal.changes.push_back({dump_.last, value});
    ++dump_.changes;
  }

  std::istringstream in_;
  const VcdRules rules_;
  std::string line_;
  std::size_t number_ = 0;
  VcdDump dump_;
  std::map<std::string, VcdSignal*> codes_;
  std::vector<std::string> path_;
  std::set<std::string> scopes_;
  bool defined_ = false, timed_ = false, dumping_ = false;
};

}  // namespace

std::string VcdSignal::at(std::uint64_t time) const {
  const auto after = std::upper_bound(changes.begin(), changes.end(), time,
                                      [](std::uint64_t t, const VcdChange& c) { return t < c.time; });
  return after == changes.begin() ? "" : std::prev(after)->value;
}

VcdDump read_vcd(const std::string& text, const VcdRules& rules) {
  return Reader(text, rules).run();
}

}  // namespace tokencycle::test
