// SPDX-License-Identifier: Apache-2.0
#include "support/kanata_linter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace tokencycle::test {

namespace {

class Linter {
 public:
  std::vector<KanataOp> run(std::string_view text) {
    if (text.empty() || text.back() != '\n') fail("the file does not end with a line's end");
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      ++number_;
      line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    for (const Open& op : open_) {
      if (op.alive) fail("an op never ends");
    }
    return std::move(ops_);
  }

 private:
  struct Open {
    bool alive = true;
    std::array<int, 2> stage{-1, -1};  // index into stages, by lane
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("line " + std::to_string(number_) + ": " + what);
  }
  void require(bool holds, const char* what) const {
    if (!holds) fail(what);
  }
  std::uint64_t number(std::size_t column) const {
    const std::string_view s = columns_.at(column);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    require(error == std::errc() && end == s.data() + s.size() && !s.empty(), "not a number");
    return value;
  }
  void split(std::string_view line) {
    columns_.clear();
    for (;;) {
      const std::size_t tab = line.find('\t');
      columns_.push_back(line.substr(0, tab));
      if (tab == std::string_view::npos) return;
      line.remove_prefix(tab + 1);
    }
  }
  std::size_t alive(std::size_t column) const {
    const std::uint64_t id = number(column);
    require(id < ops_.size(), "an op that has not begun");
    require(open_[id].alive, "an op that has ended");
    return id;
  }
  std::size_t lane() const {
    const std::uint64_t lane = number(2);
    require(lane < 2, "a lane other than 0 and 1");
    return lane;
  }

  void line(std::string_view line) {
    split(line);
    if (number_ == 1) return require(line == "Kanata\t0004", "not the header of Kanata 0004");
    if (number_ == 2) return require(line == "C=\t0", "time does not start at 0");
    require(columns_[0].size() == 1, "an unknown command");
    const char command = columns_[0][0];
    static constexpr std::string_view kCommands = "CILSEWR";
    static constexpr std::array<std::size_t, 7> kColumns = {2, 4, 4, 4, 4, 4, 4};
    const std::size_t which = kCommands.find(command);
    require(which != std::string_view::npos, "an unknown command");
    require(columns_.size() == kColumns[which], "too many or too few columns");
    switch (command) {
      case 'C':
        require(number(1) > 0, "time does not grow");
        now_ += number(1);
        break;
      case 'I':
        begin();
        break;
      case 'L':
        label();
        break;
      case 'S':
        start();
        break;
      case 'E':
        end();
        break;
      case 'W':
        depend();
        break;
      default:
        retire();
    }
  }

  void begin() {
    require(number(1) == ops_.size(), "ids are not dense");
    require(number(3) == 0, "more than one thread");
    KanataOp op;
    op.sequence = number(2);
    op.begin = now_;
    ops_.push_back(op);
    open_.emplace_back();
  }
  void label() {
    KanataOp& op = ops_[alive(1)];
    const std::uint64_t kind = number(2);
    require(kind < 2, "a label of an unknown kind");
    (kind == 0 ? op.label : op.tooltip) += columns_[3];
  }
  void start() {
    const std::size_t id = alive(1), on = lane();
    require(!columns_[3].empty(), "a stage without a name");
    require(open_[id].stage[on] < 0, "the lane's last stage has not ended");
    open_[id].stage[on] = static_cast<int>(ops_[id].stages.size());
    ops_[id].stages.push_back({static_cast<int>(on), std::string(columns_[3]), now_, now_});
  }
  void end() {
    const std::size_t id = alive(1), on = lane();
    int& open = open_[id].stage[on];
    require(open >= 0, "no stage has begun on the lane");
    KanataStage& stage = ops_[id].stages[static_cast<std::size_t>(open)];
    require(stage.name == columns_[3], "another stage has begun on the lane");
    require(stage.begin < now_, "a stage of no cycles");
    stage.end = now_;
    open = -1;
  }
  void depend() {
    const std::size_t consumer = alive(1), producer = alive(2);
    require(consumer != producer, "an op depends on itself");
    require(number(3) == 0, "an unknown kind of dependency");
    ops_[consumer].producers.push_back(producer);
  }
  void retire() {
    const std::size_t id = alive(1);
    KanataOp& op = ops_[id];
    require(open_[id].stage == std::array{-1, -1}, "a stage has not ended");
    require(number(3) < 2, "neither retired nor flushed");
    op.flushed = number(3) == 1;
    op.retired = !op.flushed;
    op.retirement = number(2);
    op.end = now_;
    if (op.retired) require(op.retirement == retirements_++, "retirements are not numbered in order");
    open_[id].alive = false;
  }

  std::size_t number_ = 0;
  std::vector<std::string_view> columns_;
  std::uint64_t now_ = 0, retirements_ = 0;
  std::vector<KanataOp> ops_;
  std::vector<Open> open_;
};

}  // namespace

std::vector<KanataStage> KanataOp::lane(int which) const {
  std::vector<KanataStage> found;
  std::copy_if(stages.begin(), stages.end(), std::back_inserter(found),
               [&](const KanataStage& s) { return s.lane == which; });
  return found;
}

std::vector<KanataOp> lint_kanata(const std::string& text) {
  return Linter().run(text);
}

}  // namespace tokencycle::test
