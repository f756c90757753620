// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/attention.h"

#include <algorithm>
#include <optional>

namespace tokencycle::compiler {
namespace {

using isa::TileOrder;

constexpr std::uint32_t kMostPanelRows = (1u << 16) - kPlainGroup;

// KV heads [head, head + heads) for tokens [token, token + tokens) of the segment, which see positions of
// [begin, end), all of them where attention is not causal. Moving row (h, m, g) is query head g of the group
// of KV head h, token m of the block.
struct Block {
  std::uint32_t head = 0, heads = 0;
  std::uint32_t token = 0, tokens = 0;
  std::uint32_t begin = 0, end = 0;  // begin: where a group of positions does
  std::uint32_t unseen = 0;          // positions from `begin` on that lie before the first token's window
  bool windowed = false;             // all tokens see as many positions as the window has
  std::uint32_t positions() const { return end - begin; }
};

// Columns [first, first + cols) of the rows of one cache, over positions [begin, end), in the ring.
struct Panel {
  Rows rows;    // as the product takes them
  Rows stored;  // as the cache has them: the same, or those that `rows` were decoded from
  std::uint32_t begin = 0, end = 0;
  std::uint32_t first = 0, cols = 0;
};

// Of one segment.
class Attention {
 public:
  Attention(Builder& builder, const SegmentContext& context, std::uint32_t stage)
      : builder_(builder),
        c_(context),
        d_(context.whole.demands),
        operators_(d_.stages[stage].operators),
        op_(c_.op(operators_.back())),
        shape_(op_.attention),
        group_(shape_.heads / shape_.kv_heads),
        size_(c_.whole.plan.attention[d_.attention_of[operators_.back()]]),
        room_(c_.whole.plan.rooms[stage]),
        q_(c_.place_of(op_.inputs[0])),
        o_(c_.place_of(op_.output)),
        keys_(cache(op_.inputs[1])),
        values_(cache(op_.inputs[2])),
        cached_(d_.kv_format),
        query_(activation_format(cached_)),
        value_(value_format(cached_)),
        probability_(activation_format(value_)) {
    if (keys_.append == kNoOperator) builder_.hold_loads();  // the step's rows are in DRAM, stored before
  }

  void run() {
    encode_query();
    for (std::uint32_t m = 0; m < c_.tokens();) {
      const Block b = of_tokens(m, std::min(size_.rows, c_.tokens() - m));
      for (std::uint32_t h = 0; h < shape_.kv_heads; h += size_.kv_heads) {
        Block part = b;
        part.head = h;
        part.heads = std::min(size_.kv_heads, shape_.kv_heads - h);
        block(part);
      }
      m += b.tokens;
    }
    builder_.tap(operators_.back(), o_, {0, op_.output_columns, c_.first_row, c_.tokens()});
  }

 private:
  // Keys or values: their rows in DRAM, and those of this step as fp32 where the stage appends them.
  struct Cache {
    DramAddress at;
    std::uint32_t append = kNoOperator;
    Rows fresh;
  };

  // Tokens from `m` on, at most so many: either all of them see every position, or all have a whole window.
  Block of_tokens(std::uint32_t m, std::uint32_t tokens) const {
    const std::uint32_t position = c_.position() + m, window = shape_.window;
    Block b;
    b.token = m;
    b.tokens = tokens;
    b.windowed = window != 0 && position + 1 > window;
    if (b.windowed) {
      const std::uint32_t first = position + 1 - window;
      b.begin = first / kPlainGroup * kPlainGroup;
      b.unseen = first - b.begin;
    } else if (window != 0) {
      b.tokens = std::min(tokens, window - position);
    }
    b.end = shape_.causal ? position + b.tokens : c_.position() + c_.tokens();
    return b;
  }

  Cache cache(model::ValueId state) const {
    Cache found{c_.state_of(state), kNoOperator, {}};
    for (const std::uint32_t i : operators_) {
      if (c_.op(i).kind != model::OperatorKind::append || c_.op(i).inputs[1] != state) continue;
      found.append = i;
      found.fresh = c_.place_of(c_.op(i).inputs[0]);
    }
    return found;
  }

  std::uint64_t cache_row() const {
    return row_bytes(cached_, std::uint64_t{shape_.kv_heads} * shape_.head_dim);
  }

  // The first position whose row is not read from DRAM.
  std::uint32_t fresh_from(const Cache& cache) const {
    return cache.append == kNoOperator ? c_.position() + c_.tokens() : c_.position();
  }

  // q as [kv_heads][tokens][group][head_dim], so that the moving rows of a KV head are one sequence; behind
  // those of the segments before.
  std::uint32_t query_room() const {
    return room_[0] +
           static_cast<std::uint32_t>(c_.first_row * shape_.heads * row_bytes(query_, shape_.head_dim));
  }
  void encode_query() {
    const std::uint32_t cols = group_ * shape_.head_dim, tokens = c_.tokens();
    const Rows dst = scratchpad_rows(query_room(), row_bytes(query_, cols));
    if (tokens == 1) {
      builder_.emit(convert_rows(dst, query_, q_, Format::f32, {1, shape_.heads * shape_.head_dim}));
      return;
    }
    for (std::uint32_t h = 0; h < shape_.kv_heads; ++h) {
      builder_.emit(convert_rows(dst + std::uint64_t{h} * tokens * dst.stride, query_,
                                 q_ + std::uint64_t{h} * cols * 4, Format::f32, {tokens, cols}));
    }
  }

  void block(const Block& b) {
    const std::uint32_t rows = b.heads * rows_of_head(b);
    const Rows in_accumulator{{}, b.positions() * 4};
    const std::uint64_t sums = std::uint64_t{rows} * b.positions() + beyond_last_row(shape_, b.tokens);
    const bool direct = shape_.cap == 0.0f && sums <= d_.accumulator_half;
    Rows scores = direct ? in_accumulator : scratchpad_rows(room_[2], std::uint64_t{b.positions()} * 4);
    if (direct) scores.at = builder_.next_half();
    make_scores(b, scores, direct);
    builder_.flush();
    if (shape_.cap != 0.0f) builder_.emit(tanh_rows(scores, scores, {rows, b.positions()}));
    load_sinks(b);
    b.windowed ? softmax_in_window(b, scores) : softmax(b, scores);
    if (op_.weight != nullptr) builder_.release();
    weighted_sum(b);
  }

  std::uint32_t rows_of_head(const Block& b) const { return b.tokens * group_; }

  // What the scores are multiplied with on their way into the softmax: capped ones have had their scale.
  float softmax_scale() const { return shape_.cap != 0.0f ? shape_.cap : shape_.scale; }

  // scores[row][t] = q[row] . k[t]; straight in the accumulator memory, or copied from it piece by piece, as
  // shares of the cap where there is one.
  void make_scores(const Block& b, Rows scores, bool direct) {
    const std::uint32_t rows = b.heads * rows_of_head(b);
    const std::uint32_t cols = b.heads * shape_.head_dim;
    for (std::uint32_t t = b.begin; t < b.end; t += panel_rows(b, cols, cached_)) {
      const std::uint32_t end = std::min(b.end, t + panel_rows(b, cols, cached_));
      const Panel panel = load_panel(keys_, {{}, {}, t, end, b.head * shape_.head_dim, cols}, cached_);
      if (direct) {
        multiply_keys(b, panel, t, end, scores + std::uint64_t{t - b.begin} * 4);
      } else {
        const std::uint32_t piece = score_columns(rows);
        for (std::uint32_t n = t; n < end; n += piece) {
          const std::uint32_t part = std::min(piece, end - n);
          const Rows sums{builder_.next_half(), part * 4};
          multiply_keys(b, panel, n, n + part, sums);
          const Rows dst = scores + std::uint64_t{n - b.begin} * 4;
          builder_.defer([this, dst, sums, rows, part] {
            const Extent extent{rows, part};
            builder_.emit(shape_.cap == 0.0f ? copy_rows(dst, sums, extent)
                                             : scale_rows(dst, sums, shape_.scale / shape_.cap, extent));
          });
        }
      }
      store_new_rows(keys_, b, panel);
      builder_.release();
    }
  }

  // Positions [begin, end) of the panel against every head of the block.
  void multiply_keys(const Block& b, const Panel& panel, std::uint32_t begin, std::uint32_t end, Rows sums) {
    const std::uint32_t rows = rows_of_head(b);
    for (std::uint32_t h = 0; h < b.heads; ++h) {
      const std::uint64_t query = (std::uint64_t{b.head + h} * c_.tokens() + b.token) * group_;
      const std::uint64_t row = row_bytes(query_, shape_.head_dim);
      const Rows x = scratchpad_rows(query_room(), row) + query * row;
      const Rows w = panel.rows + (std::uint64_t{begin - panel.begin} * panel.rows.stride +
                                   h * row_bytes(cached_, shape_.head_dim));
      emit_product(builder_, c_.machine().matrix,
                   {x, w, cached_, TileOrder::nk, sums + std::uint64_t{h} * rows * sums.stride, rows,
                    end - begin, shape_.head_dim, true});
    }
  }

  // Those of the block's query heads.
  void load_sinks(const Block& b) {
    if (op_.weight == nullptr) return;
    const std::uint64_t first = op_.weight->offset + std::uint64_t{b.head} * group_ * 4;
    const std::uint64_t bytes = std::uint64_t{b.heads} * group_ * 4;
    const isa::Instruction load = load_rows(0, c_.whole.layout.weights + first, bytes, 1, bytes);
    sinks_ = builder_.acquire(bytes, &load);
  }

  // Of rows that all belong to one query head of the block, or are one of each.
  void emit_softmax(Rows dst, Rows scores, std::optional<std::uint32_t> head, std::uint32_t valid,
                    bool causal, Extent extent) {
    if (op_.weight == nullptr) {
      return builder_.emit(softmax_rows(dst, probability_, scores, softmax_scale(), valid, causal, extent));
    }
    builder_.emit(softmax_sink_rows(dst, probability_, scores, sinks_ + head.value_or(0) * 4, !head, valid,
                                    causal, extent));
  }

  void softmax(const Block& b, Rows scores) {
    const std::uint32_t valid = c_.position() + b.token + 1;
    const Rows dst = probabilities(b);
    if (!shape_.causal) {  // all rows see all positions
      emit_softmax(dst, scores, {}, b.positions(), false, {b.heads * rows_of_head(b), b.positions()});
      return;
    }
    if (b.tokens == 1) {  // all rows see the same positions
      emit_softmax(dst, scores, {}, valid, false, {b.heads * group_, b.positions()});
      return;
    }
    // The tokens of one query head: every group-th row, each seeing one position more.
    for (std::uint32_t h = 0; h < b.heads; ++h) {
      for (std::uint32_t g = 0; g < group_; ++g) {
        const std::uint64_t first = std::uint64_t{h} * rows_of_head(b) + g;
        const Rows to{(dst + first * dst.stride).at, dst.stride * group_};
        const Rows from{(scores + first * scores.stride).at, scores.stride * group_};
        emit_softmax(to, from, h * group_ + g, valid, true, {b.tokens, b.positions()});
      }
    }
  }

  // Every row has a whole window, each token's one position behind the one before it: rows that begin an
  // element later each. A row's instruction leaves zeros behind the window as far as the next row's window
  // begins, so that only the zeros before the very first window are missing; those are left by the softmax of
  // one value, which itself lands before the probabilities.
  void softmax_in_window(const Block& b, Rows scores) {
    const std::uint32_t window = shape_.window, length = b.positions();
    const Rows all = probabilities(b);
    if (b.unseen != 0) {
      const std::uint32_t before = room_[1] + kAlignment - probability_bytes();
      builder_.emit(softmax_rows(scratchpad_rows(before, 0), probability_, scores, softmax_scale(), 1, false,
                                 {1, b.unseen + 1}));
    }
    const Rows to = all + std::uint64_t{b.unseen} * probability_bytes(),
               from = scores + std::uint64_t{b.unseen} * 4;
    if (b.tokens == 1) {
      emit_softmax(to, from, {}, window, false, {b.heads * group_, length});
      return;
    }
    for (std::uint32_t h = 0; h < b.heads; ++h) {
      for (std::uint32_t g = 0; g < group_; ++g) {
        const std::uint64_t first = std::uint64_t{h} * rows_of_head(b) + g;
        const Rows to_rows{(to + first * to.stride).at, to.stride * group_ + probability_bytes()};
        const Rows from_rows{(from + first * from.stride).at, from.stride * group_ + 4};
        emit_softmax(to_rows, from_rows, h * group_ + g, window, false, {b.tokens, length + 1});
      }
    }
  }

  Rows probabilities(const Block& b) const {
    const std::uint32_t before = shape_.window == 0 ? 0 : kAlignment;  // of the first zeros
    return scratchpad_rows(room_[1] + before, std::uint64_t{b.positions()} * probability_bytes());
  }
  std::uint32_t probability_bytes() const { return block_bytes(probability_); }

  // o[row] = sum over t of probability[row][t] * v[t].
  void weighted_sum(const Block& b) {
    const std::uint32_t rows = rows_of_head(b), part = size_.result_columns,
                        all_columns = shape_.result_dim();
    for (std::uint32_t first = 0; first < all_columns; first += part) {
      const std::uint32_t width = std::min(part, all_columns - first);  // of each head
      // Narrower results come with single heads only.
      const std::uint32_t cols = width == all_columns ? b.heads * width : width;
      const Rows sums{builder_.next_half(), width * 4};
      const std::uint32_t step = panel_rows(b, cols, value_);
      for (std::uint32_t t = b.begin; t < b.end; t += step) {
        const std::uint32_t end = std::min(b.end, t + step);
        const Panel panel =
            load_panel(values_, {{}, {}, t, end, b.head * shape_.head_dim + first, cols}, value_);
        for (std::uint32_t h = 0; h < b.heads; ++h) {
          const Rows all = probabilities(b);
          const Rows x =
              all + (std::uint64_t{h} * rows * all.stride + std::uint64_t{t - b.begin} * probability_bytes());
          const Rows w = panel.rows + h * row_bytes(value_, width);
          emit_product(builder_, c_.machine().matrix,
                       {x, w, value_, TileOrder::kn, sums + std::uint64_t{h} * rows * sums.stride, rows,
                        width, end - t, t == b.begin});
        }
        if (op_.inputs[1] != op_.inputs[2]) store_new_rows(values_, b, panel);  // else stored as keys
        builder_.release();
      }
      copy_result(b, sums, first, width);
    }
  }

  // From [heads][tokens][group][width] sums into o: [tokens][heads x columns].
  void copy_result(const Block& b, Rows sums, std::uint32_t first, std::uint32_t width) {
    const std::uint32_t columns = shape_.result_dim();
    const std::uint64_t head_bytes = std::uint64_t{group_} * columns * 4;
    const Rows o = o_ + (std::uint64_t{b.token} * o_.stride + b.head * head_bytes + std::uint64_t{first} * 4);
    if (width < columns) {  // one token of one KV head
      builder_.emit(copy_rows({o.at, columns * 4}, sums, {group_, width}));
      return;
    }
    const std::uint32_t cols = group_ * width;
    if (b.tokens == 1) {
      builder_.emit(copy_rows(o, sums, {1, b.heads * cols}));
      return;
    }
    for (std::uint32_t h = 0; h < b.heads; ++h) {
      const Rows from{(sums + std::uint64_t{h} * rows_of_head(b) * sums.stride).at, cols * 4};
      builder_.emit(copy_rows(o + h * head_bytes, from, {b.tokens, cols}));
    }
  }

  // The rows before this step from DRAM, the step's own from fp32; all of them as `wanted` says.
  Panel load_panel(const Cache& cache, Panel panel, Format wanted) {
    const std::uint64_t row = row_bytes(cached_, panel.cols);
    const std::uint32_t fresh = fresh_from(cache), rows = panel.end - panel.begin;
    const std::uint32_t old_end = std::min(panel.end, fresh);
    std::uint32_t at = 0;
    if (old_end > panel.begin) {
      const DramAddress from = cache.at + (panel.begin * cache_row() + row_bytes(cached_, panel.first));
      const isa::Instruction load = load_rows(0, from, cache_row(), old_end - panel.begin, row);
      at = builder_.acquire(panel_bytes(rows, panel.cols, wanted), &load);
    } else {
      at = builder_.acquire(panel_bytes(rows, panel.cols, wanted), nullptr);
    }
    panel.rows = panel.stored = scratchpad_rows(at, row);
    const std::uint32_t new_begin = std::max(panel.begin, fresh);
    if (new_begin < panel.end) {
      const Rows source = cache.fresh + (std::uint64_t{new_begin - fresh} * cache.fresh.stride +
                                         std::uint64_t{panel.first} * 4);
      builder_.set_operator(cache.append);
      builder_.emit(convert_rows(panel.stored + (new_begin - panel.begin) * row, cached_, source, Format::f32,
                                 {panel.end - new_begin, panel.cols}));
      builder_.set_operator(operators_.back());
    }
    if (wanted != cached_) {
      panel.rows = scratchpad_rows(at + static_cast<std::uint32_t>(round_up(rows * row, kAlignment)),
                                   row_bytes(wanted, panel.cols));
      builder_.emit(convert_rows(panel.rows, wanted, panel.stored, cached_, {rows, panel.cols}));
    }
    return panel;
  }

  // Bytes of a panel in the ring: as stored and, where that is not what is wanted, decoded behind it.
  std::uint64_t panel_bytes(std::uint64_t rows, std::uint32_t cols, Format wanted) const {
    const std::uint64_t stored = rows * row_bytes(cached_, cols);
    return wanted == cached_ ? stored : round_up(stored, kAlignment) + rows * row_bytes(wanted, cols);
  }

  // Appends the block's own tokens to the cache; those of earlier blocks are there already. Without a later
  // step nothing reads them there.
  void store_new_rows(const Cache& cache, const Block& b, const Panel& panel) {
    if (!shape_.causal) return;
    const std::uint32_t begin = std::max(panel.begin, c_.position() + b.token);
    if (cache.append == kNoOperator || begin >= panel.end) return;
    const DramAddress to = cache.at + (begin * cache_row() + row_bytes(cached_, panel.first));
    builder_.set_operator(cache.append);
    builder_.emit(store_rows(to, cache_row(),
                             panel.stored + std::uint64_t{begin - panel.begin} * panel.stored.stride, cached_,
                             {panel.end - begin, panel.cols}));
    builder_.set_operator(operators_.back());
  }

  // Positions of a panel of `cols` columns: all when they fit half the ring, else whole groups of 32.
  std::uint32_t panel_rows(const Block& b, std::uint32_t cols, Format wanted) const {
    const std::uint64_t ring = c_.whole.plan.ring_bytes();
    if (panel_bytes(b.positions(), cols, wanted) <= ring / 2 && b.positions() <= kMostPanelRows)
      return b.positions();
    const std::uint64_t group = panel_bytes(kPlainGroup, cols, wanted);
    const std::uint64_t groups = std::max<std::uint64_t>(ring / 4 / group, 1);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(groups * kPlainGroup, kMostPanelRows));
  }

  // Columns of scores that half the accumulator memory holds, whole tiles if possible.
  std::uint32_t score_columns(std::uint32_t rows) const {
    const std::uint32_t cols = std::max(d_.accumulator_half / rows, 1u);
    return cols >= d_.columns ? cols / d_.columns * d_.columns : cols;
  }

  Builder& builder_;
  const SegmentContext& c_;
  const Demands& d_;
  const std::vector<std::uint32_t>& operators_;
  const model::Operator& op_;
  const model::AttentionShape& shape_;
  std::uint32_t group_;  // query heads of one KV head
  const AttentionBlock& size_;
  const Room& room_;
  Rows q_, o_;  // fp32 rows; o may take q's place
  Cache keys_, values_;
  // Keys are multiplied in the cache's format with queries in query_; values as value_ with probability_.
  Format cached_, query_, value_, probability_;
  std::uint32_t sinks_ = 0;  // scratchpad byte
};

}  // namespace

void emit_attention(Builder& builder, const StepContext& context, std::uint32_t stage) {
  builder.set_operator(context.demands.stages[stage].operators.back());
  for (const SegmentContext& segment : segments_of(context)) Attention(builder, segment, stage).run();
}

}  // namespace tokencycle::compiler
