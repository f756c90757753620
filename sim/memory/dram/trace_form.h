// SPDX-License-Identifier: Apache-2.0
// The ways in which programs write memory requests as text: one row per form.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace tokencycle::memory {

// A line's words, without the blanks, tabs or commas between them.
struct DramTraceWords {
  static constexpr std::size_t kMost = 8;
  std::array<std::string_view, kMost> words{};
  std::size_t count = 0;  // kMost + 1: more than there is room for
  bool commas = false;    // between the words
  std::string_view operator[](std::size_t i) const { return words[i]; }
};
DramTraceWords split_trace_line(std::string_view line);

// What the words say; numbers are not parsed yet. Empty: not given.
struct DramTraceFields {
  bool write = false;
  std::string_view address;
  std::string_view bytes;       // of the request
  std::string_view time;        // of arrival
  std::string_view write_back;  // the address of a write behind it
};

enum class DramTraceTime : std::uint8_t { none, clocks, picoseconds };

// Usual lines of a form that need no looking for words: R or W and an address, in which order.
enum class DramTracePlain : std::uint8_t { none, kind_first, address_first };

struct DramTraceForm {
  std::string_view name;     // of the program that writes it
  std::string_view line;     // its grammar
  std::string_view example;  // a line
  DramTraceTime time;
  std::string_view left_out;  // what is in the file and has no effect; empty: nothing
  std::string_view refused;   // why such traces cannot be read, and the remedy; empty: they can
  // False: the words are no line of this form.
  bool (*read)(const DramTraceWords& words, DramTraceFields& fields);
  DramTracePlain plain = DramTracePlain::none;
};

// The first that reads a trace's first line is the form of the trace.
std::span<const DramTraceForm> dram_trace_forms();

}  // namespace tokencycle::memory
