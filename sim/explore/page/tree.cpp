// SPDX-License-Identifier: Apache-2.0
// Top-down: phase, layer, operator, kind of instruction; each with its cycles and their causes.
#include <fmt/format.h>

#include <algorithm>

#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

struct TreeNode {
  std::string name;  // HTML
  std::uint64_t cycles = 0;
  observe::Stack stack{};
  bool has_stack = true;
  std::vector<TreeNode> children;
};

void add_to(TreeNode& parent, TreeNode child) {
  parent.cycles += child.cycles;
  parent.has_stack &= child.has_stack;
  for (std::size_t i = 0; i < parent.stack.size(); ++i) parent.stack[i] += child.stack[i];
  parent.children.push_back(std::move(child));
}

TreeNode operator_node(const ResultOperator& op, const PhaseUse& use) {
  // Within its layer a name needs no layer: "blk.3.attn_q" is "attn_q".
  const std::string prefix = fmt::format("blk.{}.", op.layer);
  const bool inside = op.layer >= 0 && op.name.starts_with(prefix);
  TreeNode node{html_text(inside ? op.name.substr(prefix.size()) : op.name), use.cycles, {}, false, {}};
  if (!use.detail) return node;
  node.has_stack = true;
  node.stack = use.detail->stack;
  for (const KindUse& kind : use.detail->kinds) {
    if (kind.cycles == 0) continue;
    node.children.push_back(
        {fmt::format("{} <small>× {}</small>", html_text(kind.instruction, 40), count_text(kind.count)),
         kind.cycles,
         kind.stack,
         true,
         {}});
  }
  std::stable_sort(node.children.begin(), node.children.end(),
                   [](const TreeNode& a, const TreeNode& b) { return a.cycles > b.cycles; });
  return node;
}

TreeNode phase_node(const Result& result, bool decode) {
  TreeNode phase{decode ? "decode" : "prefill", 0, {}, true, {}};
  TreeNode layer{};
  std::int64_t number = -1;
  const auto close = [&] {
    if (!layer.children.empty()) add_to(phase, std::move(layer));
    layer = {};
  };
  for (const ResultOperator& op : result.operators) {
    TreeNode node = operator_node(op, decode ? op.decode : op.prefill);
    if (op.layer != number) close();
    number = op.layer;
    if (op.layer < 0) {
      add_to(phase, std::move(node));
      continue;
    }
    layer.name = fmt::format("layer {}", op.layer);
    add_to(layer, std::move(node));
  }
  close();
  return phase;
}

// Children below the share become one. Returns how many did.
std::size_t sum_up(TreeNode& node, double least) {
  std::size_t count = 0;
  std::vector<TreeNode> kept;
  TreeNode rest{};
  for (TreeNode& child : node.children) {
    count += sum_up(child, least);
    if (static_cast<double>(child.cycles) < least) {
      child.children.clear();
      add_to(rest, std::move(child));
    } else {
      kept.push_back(std::move(child));
    }
  }
  if (!rest.children.empty()) {
    count += rest.children.size();
    rest.name = fmt::format("{} smaller ones", count_text(rest.children.size()));
    rest.children.clear();
    kept.push_back(std::move(rest));
  }
  node.children = std::move(kept);
  return count;
}

void add_row(std::string& out, const TreeNode& node, double all, double largest_sibling) {
  out += fmt::format("<b>{}</b><i>{}</i><i>{}</i>", node.name, count_text(node.cycles),
                     share_text(static_cast<double>(node.cycles), all));
  if (node.has_stack)
    out += stack_bar(node.stack, largest_sibling) + "<em>" + causes_text(node.stack, 1) + "</em>";
}

void add_node(std::string& out, const TreeNode& node, double all, double largest_sibling, int depth) {
  if (node.children.empty()) {
    out += "<p class=r>";
    add_row(out, node, all, largest_sibling);
    out += "</p>\n";
    return;
  }
  out += depth == 0 ? "<details open><summary class=r>" : "<details><summary class=r>";
  add_row(out, node, all, largest_sibling);
  out += "</summary>\n";
  std::uint64_t largest = 0;
  for (const TreeNode& child : node.children) largest = std::max(largest, child.cycles);
  for (const TreeNode& child : node.children)
    add_node(out, child, all, static_cast<double>(largest), depth + 1);
  out += "</details>\n";
}

void add_tree_of(std::string& out, const Page& page, std::size_t i) {
  const Result& result = page.results[i];
  open_result(out, page, i);
  TreeNode root{};
  for (const bool decode : {false, true}) {
    TreeNode phase = phase_node(result, decode);
    if (phase.cycles != 0) add_to(root, std::move(phase));
  }
  const auto all = static_cast<double>(result.cycles);
  const std::size_t summed = page.detail.least_share > 0 ? sum_up(root, page.detail.least_share * all) : 0;
  if (!root.has_stack) {
    out +=
        "<p class=\"warning\"><b>Note</b> This result is older than causes by operator: write it again "
        "with this version's <code>run --result</code> to have bars here.</p>\n";
  }
  if (summed != 0) {
    out += fmt::format("<p class=\"small\">{} entries with less than {} of the cycles are summed up.</p>\n",
                       count_text(summed), share_text(page.detail.least_share, 1));
  }
  out +=
      "<div class=\"tree\"><p class=\"r head\"><b>what</b><i>cycles</i><i>share</i><span>by "
      "cause</span><em>critical resource</em></p>\n";
  std::uint64_t largest = 0;
  for (const TreeNode& child : root.children) largest = std::max(largest, child.cycles);
  for (const TreeNode& child : root.children) add_node(out, child, all, static_cast<double>(largest), 0);
  out += "</div></div>\n";
}

}  // namespace

void add_tree(std::string& out, const Page& page) {
  open_section(
      out, "tree", "Where the cycles went, top down",
      "From a phase to its layers, their operators and kinds of instruction. Each level sums exactly to the "
      "one above. "
      "Lengths compare what stands side by side; the critical resource is the cause of most cycles.");
  for (std::size_t i = 0; i < page.results.size(); ++i) add_tree_of(out, page, i);
  out += "</section>\n";
}

}  // namespace tokencycle::explore
