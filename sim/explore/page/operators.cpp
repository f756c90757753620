// SPDX-License-Identifier: Apache-2.0
// The table of operators, each with the command that traces it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

// An option and its value; a value that looks like an option is joined to the long name.
std::string option(const char* shorter, const char* longer, const std::string& value) {
  if (value.starts_with('-')) return fmt::format(" {}={}", longer, shell_word(value));
  return fmt::format(" {} {}", shorter, shell_word(value));
}

std::string number_option(double value) {
  return fmt::format("{}", value);
}

void add_sampler(std::string& command, const ResultSettings& s) {
  if (s.temperature == 0) return;
  command += " --temperature " + number_option(s.temperature);
  if (s.top_k) command += fmt::format(" --top-k {}", *s.top_k);
  if (s.top_p) command += " --top-p " + number_option(*s.top_p);
  if (s.seed) command += fmt::format(" --seed {}", *s.seed);
}

constexpr std::size_t kLongestPrompt = 400;  // bytes: the command stands in each row

void add_prompts(std::string& command, const Result& result) {
  const std::string& first = result.settings.prompt;
  const auto same = [&](const ResultSequence& s) { return s.prompt == first; };
  if (std::all_of(result.sequences.begin(), result.sequences.end(), same)) {
    command += first.size() > kLongestPrompt ? " -p \"$(cat prompt.txt)\"" : option("-p", "--prompt", first);
    return;
  }
  std::size_t bytes = 0;
  for (const ResultSequence& s : result.sequences) bytes += s.prompt.size();
  if (bytes > kLongestPrompt) {
    command += " --prompts prompts.txt";
    return;
  }
  for (const ResultSequence& s : result.sequences) command += option("-p", "--prompt", s.prompt);
}

std::string name_in_layer(const ResultOperator& op) {
  const std::string prefix = fmt::format("blk.{}.", op.layer);
  return op.layer >= 0 && op.name.starts_with(prefix) ? op.name.substr(prefix.size()) : op.name;
}

// Cycles a token of the phase.
double mean(std::uint64_t cycles, std::size_t tokens) {
  return tokens == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(tokens);
}

std::string rate(const Result& result, const PhaseUse& use, double amount) {
  if (!use.detail || use.detail->span_cycles == 0) return "–";
  return number_text(amount / static_cast<double>(use.detail->span_cycles) * result.clock_ghz, 2);
}

class Table {
 public:
  Table(const Page& page, std::size_t index)
      : page_(page),
        result_(page.results[index]),
        base_(page.results[page.baseline()]),
        compares_(index != page.baseline()),
        tokens_(result_.decode_count()),
        base_tokens_(base_.decode_count()) {
    for (const ResultOperator& op : base_.operators) baseline_.emplace(op.name, &op);
  }

  void add(std::string& out, const std::string& label) const {
    std::vector<const ResultOperator*> operators;
    operators.reserve(result_.operators.size());
    for (const ResultOperator& op : result_.operators) operators.push_back(&op);
    if (operators.size() > page_.detail.operators) {
      std::stable_sort(operators.begin(), operators.end(),
                       [](const ResultOperator* a, const ResultOperator* b) {
                         return a->decode.cycles + a->prefill.cycles > b->decode.cycles + b->prefill.cycles;
                       });
      operators.resize(page_.detail.operators);
      out += fmt::format("<p class=\"small\">The {} operators with most cycles, of {}.</p>\n",
                         count_text(operators.size()), count_text(result_.operators.size()));
    }
    open_table(out, "Operators of " + label + ", in the order of the model", "operators sortable filtered");
    add_head(out);
    for (const ResultOperator* op : operators) add_row(out, *op);
    out += kCloseTable;
  }

 private:
  void add_head(std::string& out) const {
    const auto column = [&](const char* name) {
      out += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", name);
    };
    out += "<thead><tr><th scope=\"col\">operator</th>";
    column("layer");
    column("prefill, cycles");
    column("decode, cycles a token");
    column("share of decode");
    if (compares_) column("baseline, cycles a token"), column("change, cycles");
    out += "<th scope=\"col\">critical resource</th>";
    column("DRAM, GB/s");
    column("array, GMAC/s");
    out += "<th scope=\"col\" class=\"fixed\">to trace it</th></tr></thead><tbody>\n";
  }

  void add_row(std::string& out, const ResultOperator& op) const {
    const auto cell = [&](const std::string& text) { out += "<td class=n>" + text + "</td>"; };
    // Without decode tokens the first token's use is what there is.
    const PhaseUse& use = tokens_ != 0 ? op.decode : op.prefill;
    const double cycles = mean(op.decode.cycles, tokens_);
    out += fmt::format("<tr><th scope=row>{}</th>", html_text(name_in_layer(op)));
    cell(op.layer < 0 ? "–" : std::to_string(op.layer));
    cell(count_text(op.prefill.cycles));
    cell(tokens_ == 0 ? "–" : number_text(cycles));
    cell(tokens_ == 0 ? "–" : share_text(cycles, mean(all_decode(), tokens_)));
    if (compares_) add_comparison(out, op, cycles);
    const std::string critical = use.detail ? use.detail->critical : std::string();
    out += fmt::format("<td>{}</td>", critical.empty() ? "–" : html_text(critical, 20));
    const UseDetail none{};
    const UseDetail& d = use.detail ? *use.detail : none;
    cell(rate(result_, use, static_cast<double>(d.loaded_bytes) + static_cast<double>(d.stored_bytes)));
    cell(rate(result_, use, static_cast<double>(d.multiply_accumulates)));
    out +=
        fmt::format("<td class=cmd><details><summary>command</summary><code>{}</code></details></td></tr>\n",
                    html_text(trace_command(result_, op.name), kLongestCommand));
  }

  void add_comparison(std::string& out, const ResultOperator& op, double cycles) const {
    const auto found = baseline_.find(op.name);
    if (found == baseline_.end() || tokens_ == 0 || base_tokens_ == 0) {
      out += "<td class=n>–</td><td class=n>–</td>";
      return;
    }
    const double before = mean(found->second->decode.cycles, base_tokens_);
    out += fmt::format("<td class=n>{}</td><td class=n>{} <small>{}</small></td>", number_text(before),
                       signed_text(cycles - before), change_text(before, cycles));
  }

  std::uint64_t all_decode() const {
    std::uint64_t sum = 0;
    for (const ResultOperator& op : result_.operators) sum += op.decode.cycles;
    return sum;
  }

  static constexpr std::size_t kLongestCommand = 1'000'000;  // characters: whole
  const Page& page_;
  const Result& result_;
  const Result& base_;
  bool compares_;
  std::size_t tokens_, base_tokens_;
  std::map<std::string, const ResultOperator*> baseline_;
};

}  // namespace

std::string trace_command(const Result& result, const std::string& operator_name) {
  const ResultSettings& s = result.settings;
  std::string command = "tokencycle run" + option("-m", "--model", result.model.file) +
                        option("-c", "--config", result.machine);
  if (s.timing_only) {
    // Ids say all about such a run; a result has those of the prompt and of the new tokens.
    command += " --timing-only --tokens " + shell_word("@" + result.source);
    if (result.model.shapes_from == "config.json")
      command += option("--weights", "--weights", result.model.weights);
  } else {
    add_prompts(command, result);
  }
  if (s.position > 0) command += fmt::format(" --position {}", s.position);
  if (s.sequences > 1) command += fmt::format(" --sequences {}", s.sequences);
  command += fmt::format(" -n {}", s.new_tokens);
  add_sampler(command, s);
  if (s.ignore_eos) command += " --ignore-eos";
  command += fmt::format(" --context {} --batch {}", s.context, s.batch);
  if (s.kv_format != "f16") command += option("--kv-type", "--kv-type", s.kv_format);
  if (s.rope_pairs != "adjacent") command += option("--rope", "--rope", s.rope_pairs);
  return command + " --trace op.pftrace --trace-window " + shell_word("op:" + operator_name);
}

void add_operators(std::string& out, const Page& page) {
  open_section(
      out, "operators", "Operators",
      "Rates are over an operator's span: from the first start of one of its instructions to the retirement "
      "of its "
      "last. The commands take model and machine by the names that they had: give files with their folders.");
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    open_result(out, page, i);
    const ResultSettings& s = page.results[i].settings;
    if (!s.timing_only && s.prompt.size() > 400) {
      out +=
          "<p class=\"small\">The prompt is long: the commands read it from <code>prompt.txt</code>.</p>\n";
    }
    Table(page, i).add(out, html_text(page.label(i)));
    out += "</div>\n";
  }
  out += "</section>\n";
}

}  // namespace tokencycle::explore
