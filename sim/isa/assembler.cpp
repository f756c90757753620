// SPDX-License-Identifier: Apache-2.0
// Assembly text -> program: lines, labels and directives. Operands are in assembly_operands.cpp.
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <map>
#include <optional>

#include "base/error.h"
#include "isa/assembly_operands.h"
#include "isa/assembly_text.h"
#include "isa/program.h"
#include "isa/program_check.h"
#include "numerics/scalar.h"

namespace tokencycle::isa {

namespace {

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof value);
  std::memcpy(bytes.data() + end, &value, sizeof value);
}

void append_value(std::vector<std::byte>& bytes, Format format, const Token& token) {
  switch (format) {
    case Format::u8:
      return append(bytes, static_cast<std::uint8_t>(parse_integer(token, 0, 0xff, "a u8")));
    case Format::u32:
      return append(bytes, static_cast<std::uint32_t>(parse_integer(token, 0, 0xffff'ffff, "a u32")));
    case Format::i8:
      return append(bytes, static_cast<std::int8_t>(parse_integer(token, -128, 127, "an i8")));
    case Format::f32:
      return append(bytes, parse_float(token, "an f32"));
    case Format::f16:
      return append(bytes, f16_from_f32(parse_float(token, "an f16")));
    case Format::bf16:
      return append(bytes, bf16_from_f32(parse_float(token, "a bf16")));
    default:
      refuse(token,
             fmt::format("{} values cannot be written one by one; give the bytes as hex", name_of(format)));
  }
}

// What VALUE*COUNT may make of a text, all together: ten characters could be 4 MiB.
constexpr std::uint64_t kMostRepeatedBytes = 64 << 20;

// VALUE, or VALUE*COUNT for the value COUNT times.
void append_values(std::vector<std::byte>& bytes, Format format, const Token& token,
                   std::uint64_t& repeated_bytes_left) {
  constexpr std::int64_t kMostRepeats = 1 << 20;
  const std::size_t star = token.text.find('*');
  const std::size_t first = bytes.size();
  append_value(bytes, format, token.part(0, star));
  if (star == std::string_view::npos) return;
  const std::vector<std::byte> value(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end());
  const std::int64_t repeats = parse_integer(token.part(star + 1), 1, kMostRepeats, "the count");
  if (value.size() * static_cast<std::uint64_t>(repeats) > repeated_bytes_left) {
    refuse(token,
           fmt::format("all repeated values together would make more than {} MiB, the most that is read; "
                       "give the data as bytes of a program file",
                       kMostRepeatedBytes >> 20));
  }
  repeated_bytes_left -= value.size() * static_cast<std::uint64_t>(repeats);
  for (std::int64_t i = 1; i < repeats; ++i) bytes.insert(bytes.end(), value.begin(), value.end());
}

void append_hex(std::vector<std::byte>& bytes, const Token& token) {
  if (token.text.size() % 2 != 0) refuse(token, "hex bytes need two digits each");
  for (std::size_t i = 0; i < token.text.size(); i += 2) {
    const auto digit = [&](std::size_t at) {
      const char c = token.text[at];
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      refuse(token.part(at), fmt::format("'{}' is no hexadecimal digit", c));
    };
    bytes.push_back(static_cast<std::byte>(digit(i) * 16 + digit(i + 1)));
  }
}

class Assembler {
 public:
  explicit Assembler(std::string_view source) : source_(source) {}

  void line(std::string_view text, std::size_t number) {
    const std::vector<Token> tokens = split_line(text, source_, number);
    std::span<const Token> rest(tokens);
    while (!rest.empty() && rest[0].text.ends_with(':')) {
      label(rest[0]);
      rest = rest.subspan(1);
    }
    if (rest.empty()) return;
    if (rest[0].text.starts_with('.')) return directive(rest);
    instruction(rest);
  }

  Program finish() {
    end_section();
    resolve_labels();
    if (const auto fault = find_fault(program_)) {
      const auto& tokens = fault->part == Part::data ? data_tokens_ : word_tokens_;
      if (fault->index < tokens.size()) refuse(tokens[fault->index], fault->what);
      throw ProgramError(fmt::format("{}: {}", source_, fault->what));
    }
    return std::move(program_);
  }

 private:
  struct PendingLoop {
    std::size_t word;
    Instruction loop;
    Token label;
  };

  void label(const Token& token) {
    const std::string_view name = token.text.substr(0, token.text.size() - 1);
    if (name.empty() || parse_name(token.part(0, name.size())) != name) refuse(token, "a label needs a name");
    const auto [at, is_new] = labels_.try_emplace(std::string(name), token, program_.words.size());
    if (!is_new)
      refuse(token, fmt::format("label \"{}\" is already on line {}", name, at->second.first.line));
  }

  void instruction(std::span<const Token> tokens) {
    ParsedInstruction parsed = parse_instruction(tokens);
    if (parsed.until) {
      pending_.push_back({program_.words.size(), parsed.instruction, *parsed.until});
      parsed.instruction.length = 1;  // checked now, with all the rest; encoded again when the label is known
    }
    program_.words.push_back(encode_at(tokens[0], parsed.instruction));
    word_tokens_.push_back(tokens[0]);
  }

  static Word encode_at(const Token& mnemonic, const Instruction& instruction) {
    try {
      return encode(instruction);
    } catch (const ProgramError& error) {
      refuse(mnemonic, error.what());
    }
  }

  void resolve_labels() {
    std::vector<std::string_view> names;
    names.reserve(labels_.size());
    for (const auto& [name, place] : labels_) names.push_back(name);
    for (PendingLoop& p : pending_) {
      const auto found = labels_.find(p.label.text);
      if (found == labels_.end()) {
        refuse(p.label, fmt::format("unknown label \"{}\"{}; put \"{}:\" behind the body's last instruction",
                                    p.label.text, suggestion(p.label.text, names), p.label.text));
      }
      const std::size_t end = found->second.second;
      if (end <= p.word + 1) {
        refuse(p.label,
               fmt::format("label \"{}\" (line {}) leaves no instruction in the loop's body; it belongs "
                           "behind the body",
                           p.label.text, found->second.first.line));
      }
      const std::size_t length = end - p.word - 1;
      if (length > 0xffff) refuse(p.label, fmt::format("the body has {} words; allowed: 1 .. 65535", length));
      p.loop.length = static_cast<std::uint32_t>(length);
      program_.words[p.word] = encode_at(word_tokens_[p.word], p.loop);
    }
  }

  void directive(std::span<const Token> tokens) {
    const std::string_view name = tokens[0].text;
    const std::span<const Token> operands = tokens.subspan(1);
    if (name == ".data") return data(tokens[0], operands);
    if (name == ".machine") {
      if (operands.size() != 1) refuse(tokens[0], ".machine takes one name, quoted if it has blanks");
      program_.machine = parse_name(operands[0]);
      return;
    }
    if (name == ".declare") {
      const std::size_t known = program_.operators.size();
      if (operator_id(tokens[0], operands) != known) {
        refuse(operands[0], fmt::format("operator {} is already declared", operands[0].text));
      }
      return;
    }
    if (name == ".operator") {
      const auto id = static_cast<std::uint32_t>(operator_id(tokens[0], operands));
      end_section();
      section_ = Section{word_count(), 0, id};
      return;
    }
    if (name == ".end") {
      if (!operands.empty()) refuse(operands[0], ".end takes no operand");
      if (!section_) refuse(tokens[0], ".end without an .operator before it");
      return end_section();
    }
    constexpr std::array<std::string_view, 5> kNames = {".data", ".declare", ".end", ".machine", ".operator"};
    refuse(tokens[0], fmt::format("unknown directive \"{}\"{}; allowed: {}", name, suggestion(name, kNames),
                                  join(kNames)));
  }

  // NAME [layer=N]: the operator's index, new or known.
  std::size_t operator_id(const Token& directive, std::span<const Token> operands) {
    constexpr std::string_view kLayer = "layer=";
    if (operands.empty() || operands.size() > 2) {
      refuse(directive, fmt::format("{} takes a name and optionally layer=N", directive.text));
    }
    OperatorName op{parse_name(operands[0]), -1};
    if (operands.size() == 2) {
      if (!operands[1].text.starts_with(kLayer)) {
        refuse(operands[1], fmt::format("\"{}\" is unknown here; allowed: layer=N", operands[1].text));
      }
      op.layer = static_cast<int>(parse_integer(operands[1].part(kLayer.size()), 0, 0x7fff'ffff, "layer"));
    }
    const auto [known, is_new] = operator_ids_.try_emplace({op.name, op.layer}, program_.operators.size());
    if (is_new) program_.operators.push_back(std::move(op));
    return known->second;
  }

  // .data ADDRESS FORMAT values, or `.data + FORMAT values` to continue the segment before.
  void data(const Token& directive, std::span<const Token> operands) {
    if (operands.size() < 2) {
      refuse(directive, ".data takes an address (or + to continue the segment before), a format and values");
    }
    if (operands[0].text != "+") {
      const auto address = parse_integer(operands[0], 0, static_cast<std::int64_t>(kDramEnd), "the address");
      program_.data.push_back({DramAddress(static_cast<std::uint64_t>(address)), {}});
      data_tokens_.push_back(operands[0]);
    } else if (program_.data.empty()) {
      refuse(operands[0], "there is no segment before to continue; give an address");
    }
    std::vector<std::byte>& bytes = program_.data.back().bytes;
    const bool hex = operands[1].text == "hex";
    const Format format = hex ? Format::u8 : parse_format(operands[1], "the format (or hex)");
    for (const Token& value : operands.subspan(2)) {
      hex ? append_hex(bytes, value) : append_values(bytes, format, value, repeated_bytes_left_);
    }
  }

  void end_section() {
    if (!section_) return;
    section_->count = word_count() - section_->first;
    program_.sections.push_back(*section_);
    section_.reset();
  }

  std::uint32_t word_count() const { return static_cast<std::uint32_t>(program_.words.size()); }

  std::string_view source_;
  Program program_;
  std::uint64_t repeated_bytes_left_ = kMostRepeatedBytes;
  std::optional<Section> section_;
  std::vector<Token> word_tokens_, data_tokens_;  // where each word and each segment came from
  std::map<std::string, std::pair<Token, std::size_t>, std::less<>> labels_;  // place, word behind the label
  std::map<std::pair<std::string, int>, std::size_t> operator_ids_;
  std::vector<PendingLoop> pending_;
};

}  // namespace

Program assemble(const std::string& text, const std::string& source_name) {
  Assembler assembler(source_name);
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    assembler.line(rest.substr(0, end), number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return assembler.finish();
}

}  // namespace tokencycle::isa
