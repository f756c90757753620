// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/liveness.h"

#include <algorithm>
#include <map>

namespace tokencycle::compiler {
namespace {

using model::Operator;
using model::OperatorKind;
using model::RowsOf;
using model::ValueId;
using model::ValueKind;

class Finder {
 public:
  explicit Finder(const Demands& d) : d_(d), graph_(*d.graph) {
    const std::size_t n = graph_.values.size();
    live_.fp32.resize(n);
    live_.encoded.resize(n);
    live_.read_by_linear.assign(n, 0xffff'ffffu);
    for (ValueId v = 0; v < n; ++v) live_.place.push_back(v);
  }

  Liveness run() {
    for (std::uint32_t i = 0; i < graph_.operators.size(); ++i) own_life(i);
    for (std::uint32_t i = 0; i < graph_.operators.size(); ++i) read(i);
    for (std::uint32_t i = 0; i < graph_.operators.size(); ++i) take_place(i);
    return std::move(live_);
  }

 private:
  const Stage& stage(std::uint32_t op) const { return d_.stages[d_.stage_of[op]]; }

  // Whether a buffer holds the result: not logits, which go to DRAM, nor what stays inside of a stage.
  bool buffered(std::uint32_t i) const {
    const Operator& op = graph_.operators[i];
    if (op.output == model::kNoValue || op.output == graph_.result) return false;
    const Stage& s = stage(i);
    const bool inside = s.kind == Stage::Kind::gated || s.kind == Stage::Kind::linear;
    return !inside || i == s.operators.back();
  }

  void own_life(std::uint32_t i) {
    if (!buffered(i)) return;
    const std::uint32_t now = moment_of(d_.stage_of[i]);
    live_.fp32[graph_.operators[i].output] = {now, now};
  }

  // A linear reads the encoded form, which is made when the first of them wants it; all others read fp32.
  void read(std::uint32_t i) {
    const Operator& op = graph_.operators[i];
    const std::uint32_t s = d_.stage_of[i];
    for (const ValueId v : op.inputs) {
      Life& fp32 = live_.fp32[v];
      const bool multiplied = multiplies(op) && v == op.inputs[0];
      if (op.kind == OperatorKind::linear) {
        live_.read_by_linear[v] = std::min(live_.read_by_linear[v], moment_of(s));
      }
      if (graph_.values[v].kind != ValueKind::activation) continue;
      if (!multiplied || activation_format(op.weight->format) == Format::f32) {
        fp32.last = std::max(fp32.last, fp32.none() ? 0 : moment_of(s));
        continue;
      }
      Life& encoded = live_.encoded[v];
      if (encoded.none()) encoded = {preparation_of(s), moment_of(s)};
      encoded.last = std::max(encoded.last, moment_of(s));
      if (!fp32.none()) fp32.last = std::max(fp32.last, encoded.first);
    }
  }

  // The result takes the place of an input that nothing reads any more. Sums that are added to the other
  // operand must: the instruction adds in place.
  void take_place(std::uint32_t i) {
    const Operator& op = graph_.operators[i];
    if (!buffered(i) || !in_place(op)) return;
    const std::uint32_t now = moment_of(d_.stage_of[i]);
    for (std::size_t k = 0; k < (op.kind == OperatorKind::zip ? 2u : 1u); ++k) {
      const ValueId v = op.inputs[k];
      if (live_.fp32[v].none() && live_.place[v] == v) continue;  // in no buffer
      const model::Value &in = graph_.values[v], &out = graph_.values[op.output];
      const ValueId place = live_.place[v];
      if (last_read(v) != now || in.cols != out.cols || in.rows != out.rows) continue;
      live_.place[op.output] = place;
      Life& life = live_.fp32[op.output];
      live_.fp32[place].last = std::max(live_.fp32[place].last, life.last);
      reads_[op.output] = life.last;
      life = {};
      return;
    }
  }

  // The last moment at which this value itself, not what follows it in its place, is read.
  std::uint32_t last_read(ValueId v) const { return live_.place[v] == v ? live_.fp32[v].last : reads_.at(v); }

  static bool in_place(const Operator& op) {
    return op.kind == OperatorKind::map || op.kind == OperatorKind::zip || op.kind == OperatorKind::norm ||
           op.kind == OperatorKind::zip_row || op.kind == OperatorKind::scale_parts ||
           op.kind == OperatorKind::rotary || op.kind == OperatorKind::attention;
  }

  const Demands& d_;
  const model::Graph& graph_;
  Liveness live_;
  std::map<ValueId, std::uint32_t> reads_;
};

}  // namespace

Liveness find_liveness(const Demands& demands) {
  return Finder(demands).run();
}

}  // namespace tokencycle::compiler
