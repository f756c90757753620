// SPDX-License-Identifier: Apache-2.0
#include "observe/program_words.h"

#include <algorithm>

#include "base/error.h"

namespace tokencycle::observe {

std::string assembly_of(const isa::Program* program, std::uint32_t pc) {
  if (program == nullptr || pc >= program->words.size()) return "?";
  try {
    return isa::disassemble(isa::decode(program->words[pc]));
  } catch (const ProgramError&) {  // decode refuses it as well and says why
    return "?";
  }
}

std::string_view operator_name(const isa::Program* program, std::uint32_t pc) {
  if (program == nullptr) return {};
  const auto after =
      std::upper_bound(program->sections.begin(), program->sections.end(), pc,
                       [](std::uint32_t word, const isa::Section& s) { return word < s.first; });
  if (after == program->sections.begin()) return {};
  const isa::Section& section = *std::prev(after);
  if (pc - section.first >= section.count) return {};
  return program->operators[section.operator_id].name;
}

}  // namespace tokencycle::observe
