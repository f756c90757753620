// SPDX-License-Identifier: Apache-2.0
// Tables that a run writes, one line per row; csv_trace.cpp has the file around them.
#pragma once

#include <memory>
#include <string>

#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/token_span.h"
#include "observe/trace.h"

namespace tokencycle::observe {

// What is counted over the steps of a token, and its rows.
class CsvTable {
 public:
  virtual ~CsvTable() = default;
  virtual std::string header() const = 0;
  virtual std::uint32_t interests() const = 0;
  virtual void on_event(const Event&) {}
  virtual void on_retired(const InstructionRecord&) {}
  virtual void begin_step(const TraceStep& step) = 0;
  // cut: in the middle of the step.
  virtual void end_step(Cycle end, bool wanted, bool cut) = 0;
  // Complete lines of a token whose last step has ended; then it is forgotten.
  virtual std::string rows(const TokenSpan& token) = 0;
  // The token has more rows than any file of the cap's size can hold, and some were not kept.
  virtual bool full() const { return false; }
};

std::unique_ptr<CsvTable> make_token_table();                                   // one row per token
std::unique_ptr<CsvTable> make_operator_table(const TraceOptions& options);     // an operator of a token
std::unique_ptr<CsvTable> make_instruction_table(const TraceOptions& options);  // an executed instruction

// RFC 4180: a field with a comma, a quote or a line's end stands in quotes.
std::string csv_field(const std::string& text);
std::string csv_layer(int layer);  // empty for none
// ",NAME" of each cause; ",CYCLES" of each.
std::string csv_cause_names();
std::string csv_causes(const Stack& stack);
// Bytes a cycle; 0 where no machine is known.
double peak_dram_bytes(const TraceOptions& options);

}  // namespace tokencycle::observe
