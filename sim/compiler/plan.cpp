// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan.h"

#include <algorithm>
#include <utility>

#include "compiler/operations.h"

namespace tokencycle::compiler {
namespace {

constexpr std::uint32_t kLargestChunk = 64 * 1024;
constexpr std::uint32_t kFairRows = 8;  // moving rows that keep an array reasonably busy

std::uint64_t aligned(std::uint64_t bytes) {
  return round_up(bytes, kAlignment);
}

// Buffers of one phase: some from the low end of the resident region upward, some from its high end downward.
// Phases alternate between the ends, so that what one phase leaves the next one reads where it is; the region
// is as large as the phase that needs most.
class Phases {
 public:
  explicit Phases(std::uint64_t base) : base_(base), low_(base), peak_(base) {}
  void begin() { low_ = base_, high_ = 0; }
  std::uint64_t low(std::uint64_t bytes) {
    const std::uint64_t at = low_;
    low_ += aligned(bytes);
    note();
    return at;
  }
  // The distance from the region's end; resolved once the peak is known.
  std::uint64_t high(std::uint64_t bytes) {
    high_ += aligned(bytes);
    note();
    return high_;
  }
  // What the phases since the last call need.
  std::uint64_t take_peak() { return std::exchange(peak_, base_); }

 private:
  void note() { peak_ = std::max(peak_, low_ + high_); }
  std::uint64_t base_, low_, high_ = 0, peak_;
};

// The resident buffers, with high addresses as distances until finish() turns them.
class Residents {
 public:
  Residents(const Demands& d, std::uint64_t tokens, std::uint64_t positions, const AttentionBlock& block,
            std::uint32_t feed_block)
      : d_(d), tokens_(tokens), positions_(positions), block_(block), phases_(aligned(f32(d.shape.width))) {
    plan_.feed_block = feed_block;
    embedding();
    head();
    const std::uint64_t others = phases_.take_peak();
    attention();
    attention_bytes_ = phases_.take_peak();
    feed_forward();
    feed_bytes_ = phases_.take_peak();
    bytes_ = std::max({others, attention_bytes_, feed_bytes_});
  }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t attention_bytes() const { return attention_bytes_; }
  std::uint64_t feed_bytes() const { return feed_bytes_; }

  Plan finish() const {
    Plan p = plan_;
    const auto end = static_cast<std::uint32_t>(bytes_);
    const auto turn = [end](std::uint32_t& at) { at = at == 0 ? 0 : end - at; };
    turn(p.gain), turn(p.q_encoded), turn(p.scores), turn(p.probabilities);
    for (std::size_t i = 0; i < kFormats; ++i) {
      const auto f = static_cast<Format>(i);
      if (!kActivationFormats.has(f) || f == Format::f32) continue;
      for (Plan::Encoded* e :
           {&p.attention_input, &p.attention_result, &p.feed_input, &p.feed_result, &p.head_input}) {
        turn((*e)[i]);
      }
    }
    p.tokens = static_cast<std::uint32_t>(tokens_);
    p.positions = static_cast<std::uint32_t>(positions_);
    p.attention = block_;
    return p;
  }

 private:
  static std::uint32_t narrow(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
  std::uint64_t f32(std::uint64_t cols) const { return tokens_ * cols * 4; }
  std::uint32_t low(std::uint64_t bytes) { return narrow(phases_.low(bytes)); }
  std::uint32_t high(std::uint64_t bytes) { return narrow(phases_.high(bytes)); }

  // Encoded forms of a row buffer at `source`, at the high end.
  void encoded(const FormatSet& formats, std::uint64_t cols, std::uint32_t source, Plan::Encoded& out) {
    for (int i = 0; i < kFormats; ++i) {
      const auto f = static_cast<Format>(i);
      if (f != Format::f32 && formats.has(f))
        out[static_cast<std::size_t>(f)] = high(tokens_ * row_bytes(f, cols));
    }
    out[static_cast<std::size_t>(Format::f32)] = source;
  }

  void embedding() {
    phases_.begin();
    plan_.token_ids = low(tokens_ * 4);
    if (d_.embedding_format != Format::f32) plan_.table_rows = low(tokens_ * d_.embedding_row_bytes);
    phases_.begin();
    plan_.h = low(f32(d_.shape.width));
    if (d_.gains_converted) plan_.gain = high(std::uint64_t{d_.shape.width} * 4);
  }

  // h, its encoded forms, and behind them what is made of them: h itself stays when a weight is fp32.
  void from_h(const FormatSet& formats, Plan::Encoded& out) {
    phases_.begin();
    low(f32(d_.shape.width));
    encoded(formats, d_.shape.width, plan_.h, out);
    Phases& p = phases_;
    p.begin();
    if (formats.has(Format::f32)) low(f32(d_.shape.width));
    Plan::Encoded same{};
    encoded(formats, d_.shape.width, plan_.h, same);
  }

  void attention() {
    const std::uint64_t query = d_.shape.query_width(), kv = d_.shape.kv_width();
    const std::uint32_t element = block_bytes(d_.kv_format);
    from_h(d_.attention_input, plan_.attention_input);
    plan_.k = low(f32(kv));
    plan_.v = low(f32(kv));
    plan_.q = plan_.o = low(f32(query));
    phases_.begin();
    keep_to(plan_.o + aligned(f32(query)));
    plan_.q_encoded = high(tokens_ * query * element);
    const std::uint64_t rows = std::uint64_t{block_.kv_heads} * block_.rows * d_.group;
    plan_.probabilities = high(rows * positions_ * element);
    if (rows * positions_ > d_.accumulator_half) plan_.scores = high(rows * positions_ * 4);
    phases_.begin();
    keep_to(plan_.o + aligned(f32(query)));
    encoded(d_.attention_result, query, plan_.o, plan_.attention_result);
  }

  void feed_forward() {
    // The encoded result grows block by block while the inputs are still read.
    from_h(d_.feed_input, plan_.feed_input);
    Plan::Encoded& result = plan_.feed_result;
    const std::uint32_t cols = d_.shape.feed_forward;
    const bool keep_blocks = plan_.feed_block < cols;
    if (keep_blocks) encoded(d_.feed_result, cols, 0, result);
    plan_.act = low(f32(plan_.feed_block));
    if (keep_blocks) return;
    phases_.begin();
    keep_to(plan_.act + aligned(f32(cols)));
    encoded(d_.feed_result, cols, plan_.act, result);
  }

  void head() { from_h(d_.head_input, plan_.head_input); }

  // What the phase before left at the low end, up to address `end`, is still read.
  void keep_to(std::uint64_t end) { phases_.low(end - aligned(f32(d_.shape.width))); }

  const Demands& d_;
  std::uint64_t tokens_, positions_;
  AttentionBlock block_;
  Phases phases_;
  std::uint64_t bytes_ = 0, attention_bytes_ = 0, feed_bytes_ = 0;
  Plan plan_;
};

std::uint32_t moving_rows(const Demands& d, const AttentionBlock& b) {
  return b.kv_heads * b.rows * d.group;
}

// Bytes of the ring that the smallest chunk of everything that streams needs.
std::uint64_t smallest_ring(const Demands& d, std::uint64_t positions, const AttentionBlock& b) {
  const std::uint64_t kv_columns =
      std::uint64_t{b.kv_heads} * d.shape.head_dim;  // of keys; of values fewer when result_columns says so
  const std::uint64_t panel =
      std::min<std::uint64_t>(positions, kPlainGroup) * kv_columns * block_bytes(d.kv_format);
  return aligned(std::max({std::uint64_t{d.gain_bytes}, std::uint64_t{d.shape.rope_dims} * 4,
                           std::uint64_t{d.smallest_rectangle}, panel}));
}

// The largest weight chunk: an eighth of the ring when a tile of whole rows fits there, so that several
// loads run ahead of the array; a larger share in a small ring.
std::uint32_t chunk_limit(const Demands& d, std::uint32_t ring) {
  const auto down = [](std::uint32_t bytes) { return bytes / kAlignment * kAlignment; };
  for (const std::uint32_t share : {8u, 4u, 2u}) {
    if (ring / share >= d.widest_tile)
      return down(std::min(ring / share, std::max(kLargestChunk, d.widest_tile + kAlignment)));
  }
  return ring / 2 >= aligned(d.smallest_rectangle) ? down(ring / 2) : down(ring);
}

// The next smaller block, or false at the smallest. KV heads go first as long as what is loaded of a row
// fills a DRAM burst; fewer rows at once mean reading the cache more often.
bool shrink(const Demands& d, AttentionBlock& b) {
  constexpr std::uint32_t kBurst = 64;
  const std::uint32_t head_bytes = d.shape.head_dim * block_bytes(d.kv_format);
  if (b.kv_heads > 1 && (b.rows == 1 || (b.kv_heads / 2) * head_bytes >= kBurst)) {
    b.kv_heads = (b.kv_heads + 1) / 2;
  } else if (b.rows > 1) {
    b.rows = (b.rows + 1) / 2;
  } else {
    return false;
  }
  return true;
}

bool fits_accumulator(const Demands& d, const AttentionBlock& b) {
  const std::uint64_t rows = moving_rows(d, b);
  return rows <= kRowLimit && rows * d.shape.head_dim <= d.accumulator_half &&
         rows * std::min(d.columns, kPlainGroup) <= d.accumulator_half;
}

AttentionBlock smallest_block(const Demands& d) {
  const std::uint32_t columns = std::min(d.shape.head_dim, d.accumulator_half / d.group);
  return {1, 1, std::max(columns, 1u)};
}

// The next smaller block of feed-forward columns: whole blocks, which the encoding needs. fp32 rows are not
// encoded and stay whole.
bool shrink(const Demands& d, std::uint32_t& feed_block) {
  if (feed_block <= d.feed_cut || d.feed_result.has(Format::f32)) return false;
  feed_block = static_cast<std::uint32_t>(round_up(feed_block / 2, d.feed_cut));
  return true;
}

std::uint32_t smallest_feed_block(const Demands& d) {
  std::uint32_t block = d.shape.feed_forward;
  while (shrink(d, block)) {
  }
  return block;
}

// Blocks as large as they may be when the resident buffers end at `target` at most.
class Search {
 public:
  Search(const Demands& d, std::uint32_t end, std::uint64_t target, std::uint32_t tokens,
         std::uint32_t positions)
      : d_(d),
        end_(end),
        target_(target),
        tokens_(tokens),
        positions_(positions),
        block_{d.shape.kv_heads, tokens, d.shape.head_dim},
        feed_block_(d.shape.feed_forward) {}

  std::optional<Plan> run() {
    for (;;) {
      if (block_.kv_heads == 1 && block_.rows == 1) block_ = smallest_block(d_);
      const std::uint64_t ring = smallest_ring(d_, positions_, block_);
      const std::uint64_t allowed = std::min(target_, end_ > ring ? end_ - ring : 0);
      const Residents residents(d_, tokens_, positions_, block_, feed_block_);
      if (residents.bytes() <= allowed && usable()) {
        Plan plan = residents.finish();
        plan.ring_begin = static_cast<std::uint32_t>(residents.bytes());
        plan.ring_end = static_cast<std::uint32_t>(end_);
        plan.chunk_bytes = chunk_limit(d_, plan.ring_bytes());
        return plan;
      }
      if (residents.feed_bytes() > allowed && shrink(d_, feed_block_)) continue;
      if (!shrink(d_, block_)) return std::nullopt;
    }
  }

 private:
  bool usable() const { return (block_.kv_heads == 1 && block_.rows == 1) || fits_accumulator(d_, block_); }

  const Demands& d_;
  std::uint64_t end_, target_;
  std::uint32_t tokens_, positions_;
  AttentionBlock block_;
  std::uint32_t feed_block_;
};

}  // namespace

std::optional<Plan> plan_scratchpad(const Demands& d, std::uint32_t capacity, std::uint32_t tokens,
                                    std::uint32_t positions) {
  const std::uint32_t end = capacity / kAlignment * kAlignment;
  const std::uint64_t roomy = std::uint64_t{end} * 3 / 5;
  std::optional<Plan> plan = Search(d, end, roomy, tokens, positions).run();
  if (!plan) return Search(d, end, end, tokens, positions).run();
  plan->comfortable = plan->attention.rows * d.group >= std::min(kFairRows, tokens * d.group);
  return plan;
}

std::uint64_t smallest_scratchpad(const Demands& d, std::uint32_t positions) {
  const AttentionBlock block = smallest_block(d);
  return Residents(d, 1, positions, block, smallest_feed_block(d)).bytes() +
         smallest_ring(d, positions, block);
}

std::uint64_t smallest_accumulator(const Demands& d) {
  return std::uint64_t{d.group} * 8;
}

}  // namespace tokencycle::compiler
