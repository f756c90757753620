// SPDX-License-Identifier: Apache-2.0
// What makes a program well formed as a whole. Private to this folder.
#pragma once

#include <optional>
#include <string>

#include "isa/program.h"

namespace tokencycle::isa {

// The part of a program that a fault lies in, so that the caller can name the place in its own terms.
enum class Part : std::uint8_t { word, operator_name, section, data };

struct Fault {
  Part part = Part::word;
  std::size_t index = 0;  // of the word, operator, section or data segment
  std::string what;
};

// "word 12", "data segment 0".
std::string place_of(const Fault& fault);

// The first fault: a word that decode() refuses, a loop whose body leaves the program or the enclosing body
// or is nested too deep, two operators of one name and layer, sections out of order or out of range, data
// beyond the 48-bit addresses. Empty for a valid program.
std::optional<Fault> find_fault(const Program& program);

inline constexpr std::uint64_t kDramEnd = std::uint64_t{1} << 48;

}  // namespace tokencycle::isa
