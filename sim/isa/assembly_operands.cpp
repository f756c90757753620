// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly_operands.h"

#include <fmt/format.h>

#include <bit>

#include "isa/fields.h"

namespace tokencycle::isa {

namespace {

constexpr std::int64_t kLocalBytes = std::int64_t{1} << 31;

std::uint8_t parse_register(const Token& token, std::int64_t least) {
  if (!token.text.starts_with('r')) {
    refuse(token, fmt::format("\"{}\" is no address register; allowed: r{} .. r{}", token.text, least,
                              kAddressRegisters - 1));
  }
  return static_cast<std::uint8_t>(
      parse_integer(token.part(1), least, kAddressRegisters - 1, "the register's number"));
}

// Fills the fields of one instruction, operand by operand.
class OperandParser {
 public:
  OperandParser(Opcode op, const Token& mnemonic) : mnemonic_(mnemonic) { result_.instruction.op = op; }

  void operand(const Token& token) {
    const std::size_t equals = token.text.find('=');
    if (has(FieldKind::step_register) && token.text.starts_with('r') && equals != 0 &&
        equals < token.text.size() && token.text[equals - 1] == '+') {
      return step(token, equals);
    }
    if (has(FieldKind::target_register) && token.text.starts_with('r') && equals < token.text.size()) {
      return target(token, equals);
    }
    const Token key = token.part(0, equals);
    const PlacedField* placed = find(key);
    const FieldInfo& info = info_of(placed->field);
    if (seen_[static_cast<std::size_t>(placed->field)]) {
      refuse(key, info.kind == FieldKind::loop_length ? "a loop takes one until= or length="
                                                      : fmt::format("\"{}\" is given twice", key.text));
    }
    seen_[static_cast<std::size_t>(placed->field)] = true;
    if ((info.kind == FieldKind::flag) != (equals == std::string_view::npos)) {
      refuse(key, info.kind == FieldKind::flag
                      ? fmt::format("\"{}\" is a bare word without a value", key.text)
                      : fmt::format("\"{}\" needs a value: {}=...", key.text, key.text));
    }
    if (info.kind == FieldKind::flag) return set_field(result_.instruction, placed->field, 1);
    value(*placed, info, key, token.part(equals + 1));
  }

  ParsedInstruction result() const { return result_; }

 private:
  bool has(FieldKind kind) const {
    for (const PlacedField& p : layout_of(result_.instruction.op).fields()) {
      if (info_of(p.field).kind == kind) return true;
    }
    return false;
  }

  // The field that an operand names. Throws with the names that the opcode has.
  const PlacedField* find(const Token& key) const {
    std::vector<std::string_view> names;
    for (const PlacedField& p : layout_of(result_.instruction.op).fields()) {
      const FieldInfo& info = info_of(p.field);
      switch (info.kind) {
        case FieldKind::address_register:
        case FieldKind::step_bytes:
        case FieldKind::target_value:
          continue;  // part of the operand before
        case FieldKind::step_register:
          if (p.field == Field::step0_reg) names.emplace_back("rN+=BYTES");
          continue;
        case FieldKind::target_register:
          names.emplace_back("rN=BYTES");
          continue;
        case FieldKind::loop_length:
          if (key.text == "until") return &p;
          names.emplace_back("until");
          break;
        default:
          break;
      }
      if (info.name == key.text) return &p;
      names.push_back(info.name);
    }
    refuse(key, fmt::format("{} has no operand \"{}\"{}; allowed: {}", mnemonic_.text, key.text,
                            suggestion(key.text, names), names.empty() ? "none" : join(names)));
  }

  void value(const PlacedField& placed, const FieldInfo& info, const Token& key, const Token& text) {
    Instruction& i = result_.instruction;
    const auto number = [&] {
      return static_cast<std::uint64_t>(
          parse_integer(text, 0, (std::int64_t{1} << info.bits) - 1, info.name));
    };
    switch (info.kind) {
      case FieldKind::local:
        return set_field(i, placed.field, local(placed, info, text));
      case FieldKind::dram:
        return set_field(i, placed.field, dram(placed, info, text));
      case FieldKind::format:
        return set_field(i, placed.field, static_cast<std::uint64_t>(parse_format(text, info.name)));
      case FieldKind::order:
        return set_field(i, placed.field, choice(text, info, {"nk", "kn"}));
      case FieldKind::pairs:
        return set_field(i, placed.field, choice(text, info, {"adjacent", "split"}));
      case FieldKind::scalar:
        return set_field(i, placed.field, std::bit_cast<std::uint32_t>(parse_float(text, info.name)));
      case FieldKind::units:
        return set_field(i, placed.field, units(text));
      case FieldKind::register_number:
        return set_field(i, placed.field, parse_register(text, 1));
      case FieldKind::loop_length:
        if (key.text == "until") {
          result_.until = text;
          return;
        }
        return set_field(i, placed.field, number());
      default:
        return set_field(i, placed.field, number());
    }
  }

  // The address before `+rN`; the register goes into the field that follows the address.
  Token without_register(const PlacedField& placed, const Token& text) {
    const std::size_t plus = text.text.find('+');
    if (plus == std::string_view::npos) return text;
    const auto next = static_cast<Field>(static_cast<std::uint8_t>(placed.field) + 1);
    set_field(result_.instruction, next, parse_register(text.part(plus + 1), 0));
    return text.part(0, plus);
  }

  std::uint64_t local(const PlacedField& placed, const FieldInfo& info, const Token& text) {
    const bool in_accumulator = text.text.starts_with("a:");
    if (!in_accumulator && !text.text.starts_with("s:")) {
      refuse(text,
             fmt::format("{} is \"{}\"; expected s:BYTE (scratchpad) or a:BYTE (accumulator memory), then "
                         "+rN if a register is added",
                         info.name, text.text));
    }
    const Token byte = without_register(placed, text).part(2);
    const auto value = static_cast<std::uint32_t>(parse_integer(byte, 0, kLocalBytes - 1, info.name));
    return (in_accumulator ? LocalAddress::accumulator(value) : LocalAddress::scratchpad(value)).raw();
  }

  std::uint64_t dram(const PlacedField& placed, const FieldInfo& info, const Token& text) {
    const std::int64_t most = (std::int64_t{1} << info.bits) - 1;
    return static_cast<std::uint64_t>(parse_integer(without_register(placed, text), 0, most, info.name));
  }

  static std::uint64_t choice(const Token& text, const FieldInfo& info,
                              std::array<std::string_view, 2> names) {
    for (std::size_t n = 0; n < names.size(); ++n) {
      if (text.text == names[n]) return n;
    }
    refuse(text, fmt::format("{} is \"{}\"{}; allowed: {}", info.name, text.text,
                             suggestion(text.text, names), join(names)));
  }

  // "load,matrix" as a set.
  static std::uint64_t units(const Token& text) {
    std::array<std::string_view, kUnits - 1> names;
    for (std::size_t u = 1; u < kUnits; ++u) names[u - 1] = name_of(static_cast<Unit>(u));
    std::uint64_t set = 0;
    for (std::size_t first = 0; first <= text.text.size();) {
      const std::size_t comma = std::min(text.text.find(',', first), text.text.size());
      const Token name = text.part(first, comma - first);
      std::size_t u = 0;
      while (u < names.size() && names[u] != name.text) ++u;
      if (u == names.size()) {
        refuse(name, fmt::format("\"{}\" is no unit{}; allowed: {}, joined by commas", name.text,
                                 suggestion(name.text, names), join(names)));
      }
      set |= std::uint64_t{2} << u;
      first = comma + 1;
    }
    return set;
  }

  // rN+=BYTES: the next step of a loop.
  void step(const Token& token, std::size_t equals) {
    auto& steps = result_.instruction.steps;
    if (steps_ == steps.size()) refuse(token, fmt::format("a loop has at most {} steps", steps.size()));
    steps[steps_].reg = parse_register(token.part(0, equals - 1), 1);
    steps[steps_].bytes = static_cast<std::int32_t>(parse_integer(
        token.part(equals + 1), std::int64_t{-1} << 31, (std::int64_t{1} << 31) - 1, "the step"));
    ++steps_;
  }

  // rN=BYTES of set_address, add_address and read_address.
  void target(const Token& token, std::size_t equals) {
    Instruction& i = result_.instruction;
    if (i.reg != 0) refuse(token, fmt::format("{} takes one register", mnemonic_.text));
    i.reg = parse_register(token.part(0, equals), 1);
    const std::int64_t limit = std::int64_t{1} << (info_of(Field::value).bits - 1);
    i.value = parse_integer(token.part(equals + 1), -limit, limit - 1, "the value");
  }

  Token mnemonic_;
  ParsedInstruction result_;
  std::array<bool, kFields> seen_{};
  std::size_t steps_ = 0;
};

}  // namespace

Format parse_format(const Token& token, std::string_view what) {
  Format format{};
  if (format_from_name(token.text, format)) return format;
  std::vector<std::string_view> names;
  names.reserve(kFormats);
  for (int f = 0; f < kFormats; ++f) {
    names.push_back(name_of(static_cast<Format>(f)));
  }
  refuse(token, fmt::format("{} is \"{}\"{}; allowed: {}", what, token.text, suggestion(token.text, names),
                            join(names)));
}

ParsedInstruction parse_instruction(std::span<const Token> tokens) {
  Opcode op{};
  if (!opcode_from_name(tokens[0].text, op)) {
    std::vector<std::string_view> names;
    for (const Opcode known : opcodes()) names.push_back(name_of(known));
    refuse(tokens[0], fmt::format("unknown instruction \"{}\"{}; allowed: {}", tokens[0].text,
                                  suggestion(tokens[0].text, names), join(names)));
  }
  OperandParser parser(op, tokens[0]);
  for (const Token& token : tokens.subspan(1)) parser.operand(token);
  return parser.result();
}

}  // namespace tokencycle::isa
