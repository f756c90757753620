// SPDX-License-Identifier: Apache-2.0
#include "explore/alignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "explore/comparison.h"
#include "explore/differing.h"

namespace tokencycle::explore {
namespace {

void require_whole(const Result& result) {
  if (result.interrupted_at) {
    throw IoError(
        fmt::format("{}: the run was interrupted, and its operators have the complete tokens alone; "
                    "run it to its end",
                    result.source));
  }
  const auto has_detail = [](const ResultOperator& op) { return op.prefill.detail && op.decode.detail; };
  if (result.operators.empty() ||
      !std::all_of(result.operators.begin(), result.operators.end(), has_detail)) {
    throw IoError(
        fmt::format("{}: /operators have no stacks by cause, which --align compares; write the result again "
                    "with this version's `tokencycle run --result FILE`",
                    result.source));
  }
}

// Adds one result's use; `side` is the member of Pair that it counts in.
void add_use(AlignedOperator& to, const PhaseUse& use, std::uint64_t Pair::*side) {
  to.cycles.*side += use.cycles;
  for (std::size_t c = 0; c < to.stack.size(); ++c) to.stack[c].*side += use.detail->stack[c];
  for (const KindUse& kind : use.detail->kinds) {
    auto known = std::find_if(to.kinds.begin(), to.kinds.end(),
                              [&kind](const AlignedKind& k) { return k.instruction == kind.instruction; });
    if (known == to.kinds.end()) known = to.kinds.insert(known, {kind.instruction, {}, {}, {}});
    known->count.*side += kind.count;
    known->cycles.*side += kind.cycles;
    for (std::size_t c = 0; c < kind.stack.size(); ++c) known->stack[c].*side += kind.stack[c];
  }
}

std::vector<AlignedOperator> aligned(const Result& a, const Result& b, const char* phase,
                                     PhaseUse ResultOperator::*use) {
  std::vector<AlignedOperator> all;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> places;
  const auto add = [&](const Result& result, std::uint64_t Pair::*side) {
    for (const ResultOperator& op : result.operators) {
      const auto [place, added] = places.try_emplace({op.name, op.layer}, all.size());
      if (added) all.push_back({op.name, op.layer, phase, {}, {}, {}});
      add_use(all[place->second], op.*use, side);
    }
  };
  add(a, &Pair::a);
  add(b, &Pair::b);
  return all;
}

void add_tokens(const Result& result, std::uint64_t Pair::*side, Alignment& alignment) {
  for (const ResultToken& token : result.tokens) {
    Pair& phase = token.phase == "prefill" ? alignment.prefill : alignment.decode;
    phase.*side += token.cycles;
    if (token.phase != "prefill") alignment.decode_tokens.*side += token.sequences;
  }
  alignment.prefill_tokens.*side = result.prompt_count();
}

// Why a result's instructions cannot be compared; empty: they can.
std::string without_instructions(const Result& result) {
  if (!result.pipeline || result.pipeline->rows.empty()) {
    return fmt::format("{} has none; write it with `tokencycle run --result FILE`", result.source);
  }
  const Pipeline& pipeline = *result.pipeline;
  if (pipeline.rows.size() < pipeline.instructions) {
    return fmt::format(
        "{} has {} of the {} instructions of its token; write it with --pipeline-instructions {}",
        result.source, with_separators(pipeline.rows.size()), with_separators(pipeline.instructions),
        pipeline.instructions);
  }
  if (instruction_shares(pipeline)) return "";
  return fmt::format("{} has those of a prompt of several steps; name a decode token with --pipeline-token",
                     result.source);
}

// Name, layer, instruction, and the how manieth.
using InstructionKey = std::tuple<std::string, std::int64_t, std::string, std::uint64_t>;

class InstructionAligner {
 public:
  void add(const Pipeline& pipeline, bool first) {
    const InstructionShares shares = *instruction_shares(pipeline);
    std::map<std::tuple<std::string, std::int64_t, std::string>, std::uint64_t> counts;
    const auto put = [&](const std::pair<std::string, std::int64_t>& op, const std::string& instruction,
                         std::uint64_t cycles) {
      const std::uint64_t number = ++counts[{op.first, op.second, instruction}];
      const InstructionKey key{op.first, op.second, instruction, number};
      const auto [place, added] = places_.try_emplace(key, all_.instructions.size());
      if (added) all_.instructions.push_back({operator_of(op), instruction, number, {}, {}});
      AlignedInstruction& aligned = all_.instructions[place->second];
      (first ? aligned.a : aligned.b) = cycles;
    };
    for (std::size_t i = 0; i < pipeline.rows.size(); ++i) {
      const PipelineRow& row = pipeline.rows[i];
      if (row.op >= 0)
        put(pipeline.operators[static_cast<std::size_t>(row.op)], pipeline.kinds[row.kind], shares.rows[i]);
    }
    if (!pipeline.operators.empty()) put(pipeline.operators.back(), "the step's end", shares.rest);
    (first ? all_.cycles.a : all_.cycles.b) = pipeline.end - pipeline.start;
    all_.token = pipeline.token;
  }
  InstructionAlignment take() { return std::move(all_); }

 private:
  std::size_t operator_of(const std::pair<std::string, std::int64_t>& op) {
    const auto [place, added] = operators_.try_emplace(op, all_.operators.size());
    if (added) all_.operators.push_back(op);
    return place->second;
  }

  InstructionAlignment all_;
  std::map<InstructionKey, std::size_t> places_;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> operators_;
};

void align_instructions(const Result& a, const Result& b, Alignment& alignment) {
  alignment.no_instructions = without_instructions(a);
  if (alignment.no_instructions.empty()) alignment.no_instructions = without_instructions(b);
  if (alignment.no_instructions.empty() && a.pipeline->token != b.pipeline->token) {
    alignment.no_instructions =
        fmt::format("{} has those of token {}, {} those of token {}; name one with --pipeline-token",
                    a.source, a.pipeline->token, b.source, b.pipeline->token);
  }
  if (!alignment.no_instructions.empty()) return;
  InstructionAligner aligner;
  aligner.add(*a.pipeline, true);
  aligner.add(*b.pipeline, false);
  alignment.instructions = aligner.take();
}

}  // namespace

std::optional<InstructionShares> instruction_shares(const Pipeline& pipeline) {
  constexpr std::size_t kWrittenBack = kPipelineStages.size() - 1;
  if (pipeline.rows.size() != pipeline.instructions) return std::nullopt;
  const auto halts = std::count_if(pipeline.rows.begin(), pipeline.rows.end(), [&](const PipelineRow& row) {
    return pipeline.kinds[row.kind] == "halt";
  });
  if (halts > 1) return std::nullopt;  // a step each
  std::vector<std::size_t> order(pipeline.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto retired = [&](std::size_t row) { return pipeline.rows[row].times[kWrittenBack].value_or(0); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return retired(x) < retired(y); });
  // As OperatorCycles: a retirement voids what later operators had gathered before it.
  struct Mark {
    std::int64_t op = -1, at = 0;
    std::vector<std::size_t> rows{};  // that have gathered shares
  };
  InstructionShares shares{std::vector<std::uint64_t>(pipeline.rows.size()), 0};
  std::vector<Mark> marks(1);
  for (const std::size_t i : order) {
    const std::int64_t op = pipeline.rows[i].op;
    if (op < 0) continue;
    for (; marks.back().op > op; marks.pop_back()) {
      for (const std::size_t row : marks.back().rows) shares.rows[row] = 0;
    }
    const std::int64_t cycles = retired(i) - marks.back().at;
    if (cycles < 0) return std::nullopt;
    shares.rows[i] = static_cast<std::uint64_t>(cycles);
    if (marks.back().op != op) marks.push_back({op, 0, {}});
    marks.back().at = retired(i);
    marks.back().rows.push_back(i);
  }
  const auto length = static_cast<std::int64_t>(pipeline.end - pipeline.start);
  if (marks.back().at > length) return std::nullopt;
  shares.rest = static_cast<std::uint64_t>(length - marks.back().at);
  return shares;
}

Alignment align(const Result& a, const Result& b) {
  require_whole(a);
  require_whole(b);
  const std::vector<Result> results = {a, b};
  const std::vector<std::string> labels = labels_of(results);
  Alignment alignment;
  alignment.a = labels[0];
  alignment.b = labels[1];
  alignment.warnings = warnings_of(results, 0, labels);
  add_tokens(a, &Pair::a, alignment);
  add_tokens(b, &Pair::b, alignment);
  alignment.operators = aligned(a, b, "prefill", &ResultOperator::prefill);
  const auto decode = aligned(a, b, "decode", &ResultOperator::decode);
  alignment.operators.insert(alignment.operators.end(), decode.begin(), decode.end());
  align_instructions(a, b, alignment);
  return alignment;
}

}  // namespace tokencycle::explore
