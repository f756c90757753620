// SPDX-License-Identifier: Apache-2.0
// What `tokencycle inspect` says of each kind of file, for people and as data.
#pragma once

#include <filesystem>
#include <string>

#include "cli/document.h"
#include "config/machine.h"
#include "isa/program.h"
#include "model/gguf/gguf.h"

namespace tokencycle::cli {

struct Inspected {
  std::string text;
  Document document;  // schema "tokencycle-inspection-1" and "kind"; a result is itself
};

// Each throws as the reader of such a file does. `source` names it in messages and tables, `text` is its
// content.
Inspected inspect_model(model::GgufFile file);  // a GGUF file, or what a config.json describes
Inspected inspect_machine(const config::Machine& machine);
Inspected inspect_memory(const std::filesystem::path& path);  // of a DRAM: a preset or a system
Inspected inspect_program(const isa::Program& program, const std::string& source);
Inspected inspect_checkpoint(const std::filesystem::path& path);
Inspected inspect_result(const std::string& text, const std::string& source);
Inspected inspect_roofline(const std::string& text, const std::string& source);  // of a result
Inspected inspect_products(const std::string& text, const std::string& source);  // a list for gemm --shapes
Inspected inspect_requests(const std::filesystem::path& path);                   // a trace for dram

}  // namespace tokencycle::cli
