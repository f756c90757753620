// SPDX-License-Identifier: Apache-2.0
// A small result document in which all sums hold, to be changed by tests.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace tokencycle::test {

using Json = nlohmann::ordered_json;

// A run of two prompt tokens and three new ones on a machine of this name: 100, 40 and 60 cycles, two
// operators, a unit of each kind, a timeline and a pipeline.
Json small_result(const std::string& machine = "small");

// The same as results were written before they had details of operators, a timeline and a pipeline.
Json old_result(const std::string& machine = "small");

// In an old_result: moves a decode token's cycles from one cause to another.
void move_cycles(Json& result, std::size_t token, const std::string& from, const std::string& to,
                 std::uint64_t cycles);
// In an old_result: makes a decode token longer by so many cycles of one cause.
void add_cycles(Json& result, std::size_t token, const std::string& cause, std::uint64_t cycles);

}  // namespace tokencycle::test
