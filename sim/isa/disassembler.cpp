// SPDX-License-Identifier: Apache-2.0
// Program -> assembly text that assembles to the same program.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "isa/assembly_text.h"
#include "isa/fields.h"
#include "isa/program.h"
#include "isa/program_check.h"

namespace tokencycle::isa {

namespace {

std::string address_register(const Instruction& i, Field address) {
  const auto reg = get_field(i, static_cast<Field>(static_cast<std::uint8_t>(address) + 1));
  return reg == 0 ? "" : fmt::format("+r{}", reg);
}

std::string unit_names(std::uint64_t set) {
  std::string names;
  for (std::uint32_t u = 0; u < kUnits; ++u) {
    if ((set >> u & 1u) == 0) continue;
    if (!names.empty()) names += ',';
    names += name_of(static_cast<Unit>(u));
  }
  return names;
}

// One field as an operand with a blank before it; empty where the assembler's default says the same.
std::string operand(const Instruction& i, Field field, std::string_view end_label) {
  const FieldInfo& info = info_of(field);
  const std::uint64_t value = get_field(i, field);
  const auto next = static_cast<Field>(static_cast<std::uint8_t>(field) + 1);
  switch (info.kind) {
    case FieldKind::local: {
      const auto address = LocalAddress::from_raw(static_cast<std::uint32_t>(value));
      return fmt::format(" {}={}:{:#x}{}", info.name, address.in_accumulator() ? 'a' : 's', address.byte(),
                         address_register(i, field));
    }
    case FieldKind::dram:
      return fmt::format(" {}={:#x}{}", info.name, value, address_register(i, field));
    case FieldKind::number:
      return value == 0 ? "" : fmt::format(" {}={}", info.name, value);
    case FieldKind::format:
      return fmt::format(" {}={}", info.name, name_of(static_cast<Format>(value)));
    case FieldKind::order:
      return fmt::format(" {}={}", info.name, value == 0 ? "nk" : "kn");
    case FieldKind::pairs:
      return fmt::format(" {}={}", info.name, value == 0 ? "adjacent" : "split");
    case FieldKind::flag:
      return value == 0 ? "" : fmt::format(" {}", info.name);
    case FieldKind::scalar:
      return fmt::format(" {}={}", info.name, std::bit_cast<float>(static_cast<std::uint32_t>(value)));
    case FieldKind::step_register:
      return value == 0 ? "" : fmt::format(" r{}+={}", value, static_cast<std::int64_t>(get_field(i, next)));
    case FieldKind::loop_length:
      return end_label.empty() ? fmt::format(" length={}", value) : fmt::format(" until={}", end_label);
    case FieldKind::target_register: {
      const auto bytes = static_cast<std::int64_t>(get_field(i, next));
      return bytes < 0 || i.op == Opcode::add_address ? fmt::format(" r{}={}", value, bytes)
                                                      : fmt::format(" r{}={:#x}", value, bytes);
    }
    case FieldKind::units:
      return value == 0 ? "" : fmt::format(" {}={}", info.name, unit_names(value));
    case FieldKind::register_number:
      return value == 0 ? "" : fmt::format(" {}=r{}", info.name, value);
    case FieldKind::address_register:
    case FieldKind::step_bytes:
    case FieldKind::target_value:
      return "";  // part of the operand before
  }
  return "";
}

std::string text_of(const Instruction& i, std::string_view end_label) {
  std::string text(name_of(i.op));
  for (const PlacedField& p : layout_of(i.op).fields()) text += operand(i, p.field, end_label);
  return text;
}

// How much work the instruction is, for the comment behind it.
std::string size_of(const Instruction& i) {
  const std::uint64_t elements = std::uint64_t{i.rows} * i.cols;
  switch (unit_of(i.op)) {
    case Unit::load:
      return fmt::format("{} bytes", with_separators(elements));
    case Unit::store:
      return fmt::format("{} bytes",
                         with_separators(elements * (i.op == Opcode::send ? 1 : block_bytes(i.dst_format))));
    case Unit::matrix:
      return i.op == Opcode::preload ? fmt::format("k={} n={}", i.rows, i.cols)
                                     : fmt::format("m={} n={} k={}", i.rows, i.cols, i.depth);
    case Unit::vector:
      return fmt::format("{} elements", with_separators(elements));
    case Unit::front_end:
      return i.op == Opcode::loop ? fmt::format("{}{} times {} words", i.times == 0 ? "" : "up to ",
                                                with_separators(i.count), i.length)
                                  : "";
  }
  return "";
}

std::string operator_text(const OperatorName& op) {
  return op.layer < 0 ? quote_name(op.name) : fmt::format("{} layer={}", quote_name(op.name), op.layer);
}

// True when the operators appear in the sections in the order of their table, so that .operator lines define
// them.
bool sections_define_operators(const Program& program) {
  std::size_t known = 0;
  for (const Section& s : program.sections) {
    if (s.operator_id > known) return false;
    known = std::max(known, std::size_t{s.operator_id} + 1);
  }
  return known == program.operators.size();
}

class Printer {
 public:
  explicit Printer(const Program& program) : program_(program) {
    for (std::size_t w = 0; w < program.words.size(); ++w) {
      instructions_.push_back(decode(program.words[w]));
      if (instructions_[w].op == Opcode::loop) ++ends_[w + 1 + instructions_[w].length];
    }
  }

  std::string print() {
    line(fmt::format("; instruction set {}, {} words", kVersion, program_.words.size()));
    if (!program_.machine.empty()) line(".machine " + quote_name(program_.machine));
    if (!sections_define_operators(program_)) {
      for (const OperatorName& op : program_.operators) line(".declare " + operator_text(op));
    }
    for (const DataSegment& segment : program_.data) data(segment);
    auto section = program_.sections.begin();
    bool in_section = false;
    std::uint64_t section_end = 0;
    for (std::size_t w = 0; w <= instructions_.size(); ++w) {
      label(w);
      if (in_section && section_end == w) {
        line(".end");
        in_section = false;
      }
      for (; section != program_.sections.end() && section->first == w; ++section) {
        line(".operator " + operator_text(program_.operators.at(section->operator_id)));
        section_end = w + std::uint64_t{section->count};
        in_section = section->count != 0;
        if (!in_section) line(".end");
      }
      if (w < instructions_.size()) instruction(w);
    }
    return std::move(out_);
  }

 private:
  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }

  void data(const DataSegment& segment) {
    constexpr std::size_t kBytesALine = 32;
    std::size_t i = 0;
    do {
      std::string text = i == 0 ? fmt::format(".data {:#x} hex", segment.address.value) : ".data + hex";
      const std::size_t end = std::min(i + kBytesALine, segment.bytes.size());
      if (i < end) text += ' ';
      for (; i < end; ++i) text += fmt::format("{:02x}", std::to_integer<unsigned>(segment.bytes[i]));
      line(text);
    } while (i < segment.bytes.size());
  }

  void label(std::size_t word) {
    const auto found = ends_.find(word);
    if (found == ends_.end()) return;
    depth_ -= found->second;
    line(fmt::format("end_{}:", word));
  }

  void instruction(std::size_t word) {
    const Instruction& i = instructions_[word];
    const bool is_loop = i.op == Opcode::loop;
    const std::string size = size_of(i);
    line(fmt::format("{:{}}{}  ; {}{}{}", "", 2 * (depth_ + 1),
                     text_of(i, is_loop ? fmt::format("end_{}", word + 1 + i.length) : ""), word,
                     size.empty() ? "" : ": ", size));
    if (is_loop) ++depth_;
  }

  const Program& program_;
  std::vector<Instruction> instructions_;
  std::map<std::size_t, std::size_t> ends_;  // word behind a loop's body -> loops that end there
  std::size_t depth_ = 0;                    // loops around the word being printed
  std::string out_;
};

}  // namespace

std::string disassemble(const Instruction& instruction) {
  return text_of(instruction, "");
}

std::string disassemble(const Program& program) {
  if (const auto fault = find_fault(program)) {
    throw ProgramError(fmt::format("{}: {}", place_of(*fault), fault->what));
  }
  return Printer(program).print();
}

}  // namespace tokencycle::isa
