// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/place.h"

#include <algorithm>
#include <utility>

namespace tokencycle::compiler {
namespace {

using model::Operator;
using model::ValueId;

enum class End : std::uint8_t { low, high };

struct Buffer {
  Life life;
  End end = End::low;
  std::uint64_t bytes = 0;
  std::uint32_t* address = nullptr;
  std::uint32_t order = 0;  // among those that begin at the same moment
};

// Buffers that live at the moment, at one end of the region, by distance from it.
class Side {
 public:
  // The lowest distance at which so many bytes are free from `now` on.
  std::uint64_t add(const Buffer& b) {
    std::erase_if(taken_, [&](const Taken& t) { return t.last < b.life.first; });
    std::uint64_t at = 0;
    auto next = taken_.begin();
    for (; next != taken_.end() && next->begin < at + b.bytes; ++next) at = next->end;
    taken_.insert(next, {at, at + b.bytes, b.life.last});
    return at;
  }
  std::uint64_t extent(std::uint32_t now) const {
    std::uint64_t end = 0;
    for (const Taken& t : taken_) end = std::max(end, t.last < now ? 0 : t.end);
    return end;
  }

 private:
  struct Taken {
    std::uint64_t begin, end;
    std::uint32_t last;
  };
  std::vector<Taken> taken_;  // ascending, disjoint
};

class Placer {
 public:
  Placer(const Demands& d, const Liveness& live, std::uint64_t tokens, std::uint64_t positions,
         const std::vector<AttentionBlock>& blocks, std::uint32_t gated_block)
      : d_(d), graph_(*d.graph), live_(live), tokens_(tokens), positions_(positions) {
    Plan& p = result_.plan;
    p.tokens = static_cast<std::uint32_t>(tokens);
    p.positions = static_cast<std::uint32_t>(positions);
    p.attention = blocks;
    p.gated_block = gated_block;
    p.values.resize(graph_.values.size());
    p.encoded.resize(graph_.values.size());
    p.rooms.resize(d.stages.size());
    in_gated_.resize(2 * d.stages.size() + 1);
  }

  Placement run() {
    for (std::uint32_t s = 0; s < d_.stages.size(); ++s) collect(s);
    std::stable_sort(buffers_.begin(), buffers_.end(), [](const Buffer& a, const Buffer& b) {
      return std::pair(a.life.first, a.order) < std::pair(b.life.first, b.order);
    });
    for (const Buffer& b : buffers_) add(b);
    const auto end = static_cast<std::uint32_t>(result_.bytes);
    for (const Buffer& b : buffers_) {
      if (b.end == End::high) *b.address = end - *b.address;
    }
    Plan& p = result_.plan;
    for (ValueId v = 0; v < p.values.size(); ++v) {
      p.values[v] = p.values[live_.place[v]];
      p.encoded[v][static_cast<std::size_t>(Format::f32)] = p.values[v];
    }
    return std::move(result_);
  }

 private:
  // What is made at a stage or in its preparation: first the forms of its input, then its results, then room.
  void collect(std::uint32_t s) {
    const Stage& stage = d_.stages[s];
    Plan& p = result_.plan;
    std::vector<ValueId> encoded;  // two products of a stage may read the same rows
    for (const std::uint32_t i : stage.operators) {
      for (const ValueId v : graph_.operators[i].inputs) {
        const Life& life = live_.encoded[v];
        if (life.none() || life.first != preparation_of(s)) continue;
        if (std::find(encoded.begin(), encoded.end(), v) != encoded.end()) continue;
        encoded.push_back(v);
        encode(v, encoded_life(v));
      }
    }
    for (const std::uint32_t i : stage.operators) {
      const ValueId v = graph_.operators[i].output;
      if (v == model::kNoValue || live_.fp32[v].none()) continue;
      if (in_blocks(s, v)) {
        want({moment_of(s), moment_of(s)}, End::low, tokens_ * p.gated_block * 4, p.rooms[s][0]);
        encode(v, {moment_of(s), live_.encoded[v].last});
      } else {
        want(live_.fp32[v], End::low, tokens_ * graph_.values[v].cols * 4, p.values[v]);
        if (stage.kind == Stage::Kind::linear) siblings(i, buffers_.back());
      }
    }
    room(s);
    if (stage.kind != Stage::Kind::gated) return;
    const ValueId v = graph_.operators[stage.operators.back()].output;
    const std::uint32_t last = std::max(live_.encoded[v].last, live_.fp32[v].last);
    for (std::uint32_t t = preparation_of(s); t <= last; ++t) in_gated_[t] = true;
  }

  // The results of linears that read the same rows are placed at once, those that die first nearest to the
  // end of the region: what outlives them lies behind them.
  void siblings(std::uint32_t op, Buffer& result) const {
    result.life.first = live_.read_by_linear[graph_.operators[op].inputs[0]];
    result.order = result.life.last;
  }

  // Whether the result of stage s is made and encoded block by block.
  bool in_blocks(std::uint32_t s, ValueId v) const {
    return d_.stages[s].kind == Stage::Kind::gated && result_.plan.gated_block < graph_.values[v].cols;
  }

  // None where the stage that makes the value encodes it.
  Life encoded_life(ValueId v) const {
    return in_blocks(d_.stage_of[d_.maker[v]], v) ? Life{} : live_.encoded[v];
  }

  void encode(ValueId v, Life life) {
    for (const Format f : kEncodedActivations) {
      if (d_.formats[v].has(f)) {
        want(life, End::high, tokens_ * row_bytes(f, graph_.values[v].cols),
             result_.plan.encoded[v][static_cast<std::size_t>(f)]);
      }
    }
  }

  void room(std::uint32_t s) {
    const Stage& stage = d_.stages[s];
    const Operator& op = graph_.operators[stage.operators.back()];
    Room& room = result_.plan.rooms[s];
    const Life now{moment_of(s), moment_of(s)};
    switch (stage.kind) {
      case Stage::Kind::gather:
        want(now, End::low, tokens_ * 4, room[0]);
        if (op.weight->format == Format::f32) return;
        return want(now, End::low, tokens_ * row_bytes(op.weight->format, op.weight->cols), room[1]);
      case Stage::Kind::positions:
        if (op.weight->format == Format::f32) return;
        return want(now, End::low, tokens_ * row_bytes(op.weight->format, op.weight->cols), room[1]);
      case Stage::Kind::norm:
        if (op.weight == nullptr) {
          want(now, End::high, tokens_ * (op.output_columns / op.norm.columns) * 4, room[0]);
          return want(now, End::high, tokens_ * op.output_columns * 4, room[1]);
        }
        if (op.norm.kind == model::NormKind::centered)
          want(now, End::high, tokens_ * (op.output_columns / op.norm.columns) * 4, room[1]);
        if (op.bias != nullptr) return want(now, End::high, std::uint64_t{op.weight->cols} * 8, room[0]);
        if (op.weight->format == Format::f32) return;
        return want(now, End::high, std::uint64_t{op.weight->cols} * 4, room[0]);
      case Stage::Kind::append:
        return want(now, End::high, tokens_ * row_bytes(d_.kv_format, graph_.values[op.inputs[0]].cols),
                    room[0]);
      case Stage::Kind::attention: {
        want(now, End::high,
             tokens_ * row_bytes(activation_format(d_.kv_format), graph_.values[op.inputs[0]].cols), room[0]);
        return scores(stage.operators.back(), now, room);
      }
      case Stage::Kind::row:
        if (op.kind == model::OperatorKind::keep_groups) {
          const std::uint64_t groups = tokens_ * op.groups.count;
          want(now, End::high, groups * 8, room[0]);
          want(now, End::high, groups * 8, room[1]);
          return want(now, End::high, groups * 4, room[2]);
        }
        if (op.kind == model::OperatorKind::normalize) want(now, End::high, tokens_ * 4, room[0]);
        return;
      case Stage::Kind::recurrent:
        if (op.kind == model::OperatorKind::cell) return cell_room(op, now, room);
        if (op.kind == model::OperatorKind::delta_rule) {
          want(now, End::high, std::uint64_t{delta_block(op)} * op.delta.dim * 4, room[0]);
          return want(now, End::high, std::uint64_t{delta_block(op)} * 4, room[1]);
        }
        want(now, End::high, std::uint64_t{op.weight->cols} * convolution_block(op) * 4, room[0]);
        return want(now, End::high, tokens_ * convolution_block(op) * 4, room[1]);
      case Stage::Kind::experts:
      case Stage::Kind::parts:
      case Stage::Kind::linear:
        if (op.output != graph_.result || op.kind == model::OperatorKind::linear) return;
        return want(now, End::high, 2 * head_chunk_bytes(op), room[0]);
      case Stage::Kind::gated:
      case Stage::Kind::read:
      case Stage::Kind::map:
      case Stage::Kind::zip:
      case Stage::Kind::rotary:
        return;
    }
  }

  void cell_room(const Operator& op, Life now, Room& room) {
    const std::uint64_t row = std::uint64_t{op.cell.width} * 4, gates = op.cell.gates() * row;
    want(now, End::high, gates, room[0]);
    want(now, End::high, op.cell.state_rows() * row + (op.bias == nullptr ? 0 : gates), room[1]);
    want(now, End::high, row_bytes(activation_format(op.weight->format), op.cell.width), room[2]);
  }

  // Probabilities, and scores where the accumulator memory does not keep them.
  void scores(std::uint32_t index, Life now, Room& room) {
    const model::AttentionShape& shape = graph_.operators[index].attention;
    const std::uint32_t which = d_.attention_of[index];
    const AttentionBlock& block = result_.plan.attention[which];
    const std::uint64_t element = block_bytes(activation_format(value_format(d_.kv_format)));
    const std::uint64_t rows = std::uint64_t{block.kv_heads} * block.rows * d_.attentions[which].group;
    std::uint64_t positions = positions_, before = 0;
    const std::uint64_t behind = beyond_last_row(shape, block.rows);
    if (shape.window != 0) {
      before = kAlignment;
      positions = std::min<std::uint64_t>(positions, shape.window + behind);
    }
    want(now, End::high, before + (rows * positions + behind) * element, room[1]);
    const bool kept = shape.cap == 0.0f && rows * positions + behind <= d_.accumulator_half;
    if (!kept) want(now, End::high, (rows * positions + behind) * 4, room[2]);
  }

  // Of one chunk's sums, for as many rows as results may be wanted.
  std::uint64_t head_chunk_bytes(const Operator& op) const {
    return round_up(std::min<std::uint64_t>(tokens_ * op.output_columns, d_.accumulator_half) * 4,
                    kAlignment);
  }

  void want(Life life, End end, std::uint64_t bytes, std::uint32_t& address) {
    if (!life.none()) buffers_.push_back({life, end, round_up(bytes, kAlignment), &address, 0});
  }

  void add(const Buffer& b) {
    const std::uint32_t now = b.life.first;
    const bool low = b.end == End::low;
    const std::uint64_t at = (low ? low_ : high_).add(b);
    *b.address = static_cast<std::uint32_t>(low ? at : at + b.bytes);  // from the end until that is known
    const std::uint64_t bytes = low_.extent(now) + high_.extent(now);
    result_.bytes = std::max(result_.bytes, bytes);
    if (in_gated_[now]) result_.gated_bytes = std::max(result_.gated_bytes, bytes);
  }

  const Demands& d_;
  const model::Graph& graph_;
  const Liveness& live_;
  std::uint64_t tokens_, positions_;
  std::vector<Buffer> buffers_;
  std::vector<bool> in_gated_;  // by moment
  Side low_, high_;
  Placement result_;
};

}  // namespace

Placement place(const Demands& demands, const Liveness& live, std::uint32_t tokens, std::uint32_t positions,
                const std::vector<AttentionBlock>& blocks, std::uint32_t gated_block) {
  return Placer(demands, live, tokens, positions, blocks, gated_block).run();
}

}  // namespace tokencycle::compiler
