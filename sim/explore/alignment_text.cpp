// SPDX-License-Identifier: Apache-2.0
// An alignment for people: tables of at most 100 columns whose lines sum to their totals.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "explore/alignment.h"

namespace tokencycle::explore {
namespace {

constexpr std::size_t kShownCauses = 25, kShownInstructions = 25;

std::string difference_text(std::int64_t value) {
  const std::string digits = with_separators(static_cast<std::uint64_t>(std::abs(value)));
  return value == 0 ? digits : (value < 0 ? "-" : "+") + digits;
}

std::string short_text(const std::string& text, std::size_t most) {
  return printable(text.size() <= most ? text : text.substr(0, most - 2) + "..", most);
}

std::string line(const std::string& name, const std::string& a, const std::string& b,
                 const std::string& difference) {
  return fmt::format("{:<52} {:>14} {:>14} {:>14}\n", name, a, b, difference);
}
std::string line(const std::string& name, const Pair& cycles) {
  return line(name, with_separators(cycles.a), with_separators(cycles.b),
              difference_text(cycles.difference()));
}

struct Entry {
  std::string name;
  Pair cycles;
};

// The largest differences first, one line for the others, and the sum of both.
std::string table_text(const std::string& title, std::vector<Entry> entries, std::size_t shown,
                       const Alignment& alignment) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) {
    return std::abs(x.cycles.difference()) > std::abs(y.cycles.difference());
  });
  const auto same =
      std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.cycles.difference() == 0; });
  shown = std::min(shown, static_cast<std::size_t>(same - entries.begin()));
  std::string text =
      '\n' + line(title, short_text(alignment.a, 14), short_text(alignment.b, 14), "difference");
  Pair others, all;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    all += entries[i].cycles;
    if (i < shown) {
      text += line(entries[i].name, entries[i].cycles);
    } else {
      others += entries[i].cycles;
    }
  }
  if (shown < entries.size()) {
    const bool equal = shown == static_cast<std::size_t>(same - entries.begin());
    text += line(fmt::format("{} {}", with_separators(entries.size() - shown),
                             equal ? "without difference" : "others"),
                 others);
  }
  return text + line("total", all);
}

// "blk.3.ffn_up" as "blk.*.ffn_up": the same in all layers.
std::string without_layer(const AlignedOperator& op) {
  const std::string layer = fmt::format(".{}.", op.layer);
  const std::size_t at = op.name.find(layer);
  return at == std::string::npos ? op.name
                                 : op.name.substr(0, at) + ".*." + op.name.substr(at + layer.size());
}

// Operators of all layers and phases together, by cause and kind of instruction.
std::vector<Entry> causes_of(const Alignment& alignment) {
  std::map<std::string, Pair> sums;
  for (const AlignedOperator& op : alignment.operators) {
    for (const AlignedKind& kind : op.kinds) {
      for (int c = 0; c < observe::kCauses; ++c) {
        const Pair cycles = kind.stack[static_cast<std::size_t>(c)];
        if (cycles == Pair{}) continue;
        sums[fmt::format("{:<18} {:<14} {}", short_text(without_layer(op), 18),
                         short_text(kind.instruction, 14),
                         observe::name_of(static_cast<observe::Cause>(c)))] += cycles;
      }
    }
  }
  std::vector<Entry> entries;
  for (const auto& [name, cycles] : sums) entries.push_back({name, cycles});
  return entries;
}

std::vector<Entry> all_causes_of(const Alignment& alignment) {
  std::vector<Entry> entries;
  for (int c = 0; c < observe::kCauses; ++c) {
    Entry entry{std::string(observe::name_of(static_cast<observe::Cause>(c))), {}};
    for (const AlignedOperator& op : alignment.operators)
      entry.cycles += op.stack[static_cast<std::size_t>(c)];
    if (entry.cycles != Pair{}) entries.push_back(entry);
  }
  return entries;
}

std::string instructions_text(const Alignment& alignment) {
  if (!alignment.instructions) {
    return fmt::format("\ninstructions are not compared: {}\n", alignment.no_instructions);
  }
  const InstructionAlignment& all = *alignment.instructions;
  std::vector<Entry> entries;
  std::size_t only_a = 0, only_b = 0;
  for (const AlignedInstruction& i : all.instructions) {
    entries.push_back({fmt::format("{:<22} {} #{}{}", short_text(all.operators[i.op].first, 22),
                                   short_text(i.instruction, 16), i.number,
                                   !i.a   ? " (second only)"
                                   : !i.b ? " (first only)"
                                          : ""),
                       {i.a.value_or(0), i.b.value_or(0)}});
    only_a += i.b ? 0 : 1;
    only_b += i.a ? 0 : 1;
  }
  std::string text = table_text(fmt::format("cycles of token {}'s instructions", all.token),
                                std::move(entries), kShownInstructions, alignment);
  if (only_a + only_b != 0) {
    text += fmt::format("{} instructions are in the first alone, {} in the second\n", with_separators(only_a),
                        with_separators(only_b));
  }
  return text;
}

}  // namespace

std::string alignment_text(const Alignment& alignment) {
  std::string text =
      fmt::format("first    {}\nsecond   {}\n\n", printable(alignment.a, 90), printable(alignment.b, 90));
  text += line("cycles", short_text(alignment.a, 14), short_text(alignment.b, 14), "difference");
  const auto tokens = [](const char* phase, const Pair& count, const char* what) {
    return count.a == count.b ? fmt::format("{}, {} {}", phase, with_separators(count.a), what)
                              : fmt::format("{}, {} and {} {}", phase, with_separators(count.a),
                                            with_separators(count.b), what);
  };
  text += line(tokens("prefill", alignment.prefill_tokens, "prompt tokens"), alignment.prefill);
  text += line(tokens("decode", alignment.decode_tokens, "tokens"), alignment.decode);
  Pair total = alignment.prefill;
  total += alignment.decode;
  text += line("total", total);
  text += table_text("cycles by cause", all_causes_of(alignment), observe::kCauses, alignment);
  text +=
      table_text("cycles by operator, instruction and cause", causes_of(alignment), kShownCauses, alignment);
  text += instructions_text(alignment);
  for (const std::string& warning : alignment.warnings) text += fmt::format("warning: {}\n", warning);
  return text;
}

}  // namespace tokencycle::explore
