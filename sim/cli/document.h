// SPDX-License-Identifier: Apache-2.0
// What a command has to say, in one of three forms: text, --json or --csv. The CSV is made from the JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/options.h"

namespace tokencycle::cli {

enum class OutputForm { text, json, csv };

// --json and --csv; `what` is what --csv has a line for: "layer".
void add_output_forms(OptionParser& parser, const std::string& what);
// Throws UsageError for both.
OutputForm output_form(const OptionParser& parser);

struct Document {
  nlohmann::ordered_json json;
  // The key of the records, one of which is a line of the CSV; empty: a line is one field of the document.
  std::string list;
};

// --json or --csv of a document (not for OutputForm::text), with the last line's end.
std::string document_text(const Document& document, OutputForm form);

// A list of records as lines of comma-separated values (RFC 4180, line feeds): a heading of the keys, in the
// order of their first appearance; inner objects as "outer.inner"; lists of plain values joined by blanks,
// null as nothing. Lists of records inside are left to the JSON.
std::string csv_of_records(const nlohmann::ordered_json& records);
// "field,value" and a line for each plain value of the document, its key as a JSON pointer.
std::string csv_of_fields(const nlohmann::ordered_json& document);

}  // namespace tokencycle::cli
