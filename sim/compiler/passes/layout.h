// SPDX-License-Identifier: Apache-2.0
// Address assignment in DRAM.
#pragma once

#include "compiler/compiler.h"

namespace tokencycle::compiler {

// Everything but the program, which comes last: `program_bytes` is not known before steps are compiled.
DramLayout assign_layout(const Source& source, const Options& options, std::uint32_t batch);
void place_program(DramLayout& layout, std::uint64_t program_bytes);

}  // namespace tokencycle::compiler
