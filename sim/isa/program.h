// SPDX-License-Identifier: Apache-2.0
// A program: instruction words, what they are for, and (hand-written ones) initial data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "isa/encoding.h"

namespace tokencycle::isa {

// The words [first, first + count) implement one operator of the model ("blk.0.attn_q", layer 0).
struct Section {
  std::uint32_t first = 0, count = 0;  // words
  std::uint32_t operator_id = 0;       // index into Program::operators
  bool operator==(const Section&) const = default;
};

struct OperatorName {
  std::string name;  // "embedding", "blk.3.attention", "output"
  int layer = -1;    // -1: not in a layer
  bool operator==(const OperatorName&) const = default;
  template <class Archive>
  void serialize(Archive& state) {
    state(name, layer);
  }
};

// Bytes that the loader puts into DRAM before the program starts.
struct DataSegment {
  DramAddress address;
  std::vector<std::byte> bytes;
  bool operator==(const DataSegment&) const = default;
};

struct Program {
  std::string machine;  // configuration name and digest it was compiled for; empty: any machine
  std::vector<Word> words;
  std::vector<OperatorName> operators;  // may be empty
  std::vector<Section> sections;        // ascending, disjoint; words outside belong to no operator
  std::vector<DataSegment> data;

  std::string digest() const;  // of words and data, 32 hexadecimal digits
  bool operator==(const Program&) const = default;
};

// File form (program_file.cpp): magic "TCPROG", version, counts, then words, operators, sections, data;
// little-endian, every count checked against the file's size. Throws ProgramError (file, byte offset, value)
// or IoError. write_program writes to a temporary name in the same folder and renames.
void write_program(const Program& program, const std::filesystem::path& path);
Program read_program(const std::filesystem::path& path);

// Assembly text <-> program. Syntax in reference.cpp: one instruction per line, `mnemonic key=value ...`;
// labels for loop bodies, `.data ADDRESS u8|f32|... values`, `.operator NAME [layer=N]`, `;` comments.
// Throws ProgramError with source:line:column, the token and the remedy (nearest name for a typing error).
// assemble(disassemble(p)) == p for every valid program.
Program assemble(const std::string& text, const std::string& source_name);
std::string disassemble(const Program& program);
// One instruction as assembly text, without newline.
std::string disassemble(const Instruction& instruction);

}  // namespace tokencycle::isa
