// SPDX-License-Identifier: Apache-2.0
// What the sections of the report's page share, and the sections. Each adds its HTML to `out`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "explore/comparison.h"
#include "explore/result/document.h"

namespace tokencycle::explore {

// How much a page shows of each result; less when it would get too large.
struct Detail {
  std::size_t pipeline_rows = 8192;   // 0: none
  double least_share = 0;             // of all cycles; the tree sums up what has less
  std::size_t timeline_values = 512;  // a series
  std::size_t token_bars = 200;
  std::size_t operators = 2000;  // rows of a table
};

struct Page {
  const std::vector<Result>& results;
  Comparison comparison;
  Detail detail;

  std::size_t baseline() const { return comparison.baseline; }
  const std::string& label(std::size_t result) const { return comparison.labels[result]; }
  // What is shown first of several: the first that is not the baseline.
  std::size_t shown() const { return results.size() > 1 && baseline() == 0 ? 1 : 0; }
};

void add_summary(std::string& out, const Page& page);
void add_reasons(std::string& out, const Page& page);  // nothing for one result
void add_tokens(std::string& out, const Page& page);
void add_tree(std::string& out, const Page& page);
void add_roofline(std::string& out, const Page& page);
void add_timeline(std::string& out, const Page& page);
void add_pipeline(std::string& out, const Page& page);
void add_operators(std::string& out, const Page& page);
void add_details(std::string& out, const Page& page);
// What the scripts draw: the data of timelines and pipelines, packed.
std::string page_data(const Page& page);

// <section> with heading and an introduction in HTML.
// A document up to its title: it may load nothing and send nothing.
std::string_view page_head();
void open_section(std::string& out, const std::string& id, const std::string& heading,
                  const std::string& lead);
// The part of a section that is about one result; its heading is left out where there is only one.
void open_result(std::string& out, const Page& page, std::size_t result);
// A table that scrolls on its own where it is too wide. `caption`: HTML.
void open_table(std::string& out, const std::string& caption, const std::string& classes);
inline constexpr const char* kCloseTable = "</tbody></table></div>\n";
// A stack as a bar, `whole` cycles being its full width. Parts too thin to be seen are left out.
std::string stack_bar(const observe::Stack& stack, double whole);
// "preload 76 %, matrix 12 %": the largest causes.
std::string causes_text(const observe::Stack& stack, std::size_t most);
// The colours of all causes that occur in the results.
std::string legend(const Page& page);
double cycles_of(const observe::Stack& stack);

// The command that runs a result again and traces one operator (`--trace-window op:NAME`).
std::string trace_command(const Result& result, const std::string& operator_name);

}  // namespace tokencycle::explore
