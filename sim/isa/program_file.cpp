// SPDX-License-Identifier: Apache-2.0
// The file form of a program. Input is taken as hostile: every count is checked against the bytes left.
// Little-endian, without padding:
//   char[6] "TCPROG"; u16 version = 2
//   u64 words, operators, sections, data segments, machine bytes
//   char machine[machine bytes]                                     empty: any machine
//   words times:         u8 word[32]
//   operators times:     i32 layer (-1: none); u32 n; char name[n]  no two of one name and layer
//   sections times:      u32 first word, count, operator            ascending, disjoint
//   data segments times: u64 address, n; u8 bytes[n]
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <span>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/read_file.h"
#include "base/text.h"
#include "isa/program.h"
#include "isa/program_bytes.h"
#include "isa/program_check.h"

namespace tokencycle::isa {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "TCPROG";
constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;

// Appends little-endian numbers and bytes.
class Writer {
 public:
  void bytes(std::span<const std::byte> b) { out_.append(reinterpret_cast<const char*>(b.data()), b.size()); }
  void text(std::string_view t) { out_ += t; }
  template <class T>
  void number(T value) {
    bytes(std::as_bytes(std::span(&value, 1)));  // encoding.cpp asserts a little-endian host
  }
  const std::string& result() const { return out_; }

 private:
  std::string out_;
};

// Takes numbers and bytes from the front; every error names the file and the byte offset.
class Reader {
 public:
  Reader(std::string file, std::vector<std::byte> bytes) : file_(std::move(file)), bytes_(std::move(bytes)) {}

  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }

  [[noreturn]] void fail(std::size_t offset, const std::string& what) const {
    constexpr std::size_t kLongest = 1000;  // names in it may be of any length
    throw ProgramError(fmt::format("{}: byte {}: {}", file_, offset, printable(what, kLongest)));
  }

  std::span<const std::byte> bytes(std::uint64_t count, std::string_view what) {
    if (count > left()) {
      fail(offset_, fmt::format("{} needs {} bytes, but {} are left; the file is cut short or damaged", what,
                                count, left()));
    }
    const auto result = std::span(bytes_).subspan(offset_, count);
    offset_ += count;
    return result;
  }
  std::string text(std::uint64_t count, std::string_view what) {
    const auto b = bytes(count, what);
    return {reinterpret_cast<const char*>(b.data()), b.size()};
  }
  template <class T>
  T number(std::string_view what) {
    T value{};
    std::memcpy(&value, bytes(sizeof value, what).data(), sizeof value);
    return value;
  }
  // A count of records of at least `least_bytes` bytes each, which must all fit in what is left of the file.
  std::size_t count(std::uint64_t value, std::size_t at, std::uint64_t least_bytes,
                    std::string_view what) const {
    if (value > left() / least_bytes) {
      fail(at, fmt::format("{} {} need at least {} bytes each, but {} bytes are left", value, what,
                           least_bytes, left()));
    }
    return value;
  }

 private:
  std::string file_;
  std::vector<std::byte> bytes_;
  std::size_t offset_ = 0;
};

// Where the parts of the file begin, to turn a fault's index into a byte offset.
struct Offsets {
  std::size_t words = 0, sections = 0;
  std::vector<std::size_t> operators, data;
  std::size_t of(const Fault& fault) const {
    switch (fault.part) {
      case Part::word:
        return words + fault.index * kWordBytes;
      case Part::operator_name:
        return operators[fault.index];
      case Part::section:
        return sections + fault.index * sizeof(std::uint32_t) * 3;
      case Part::data:
        return data[fault.index];
    }
    return 0;
  }
};

void check_header(Reader& in) {
  if (in.left() < kMagic.size() || in.text(kMagic.size(), "the magic") != kMagic) {
    in.fail(0, fmt::format("not a program file: it does not begin with \"{}\"", kMagic));
  }
  const auto version = in.number<std::uint16_t>("the version");
  if (version != kVersion) {
    in.fail(
        kMagic.size(),
        fmt::format("a program of version {} of the instruction set; this tokencycle executes version {}: "
                    "compile the model again, or assemble the text again",
                    version, kVersion));
  }
}

Program parse(Reader& in) {
  check_header(in);
  std::array<std::uint64_t, 5> counts{};
  for (auto& c : counts) c = in.number<std::uint64_t>("the table of counts");
  constexpr std::size_t kCounts = 8;  // offset of the table
  const auto count = [&](std::size_t i, std::uint64_t least, std::string_view what) {
    return in.count(counts[i], kCounts + i * sizeof counts[0], least, what);
  };
  Program program;
  Offsets offsets;
  program.machine = in.text(count(4, 1, "characters of the machine's name"), "the machine's name");

  program.words.resize(count(0, kWordBytes, "instruction words"));
  offsets.words = in.offset();
  for (Word& w : program.words) std::memcpy(w.data(), in.bytes(kWordBytes, "a word").data(), kWordBytes);

  program.operators.resize(count(1, 8, "operators"));
  for (OperatorName& op : program.operators) {
    offsets.operators.push_back(in.offset());
    op.layer = in.number<std::int32_t>("an operator's layer");
    op.name = in.text(in.number<std::uint32_t>("the length of an operator's name"), "an operator's name");
  }

  program.sections.resize(count(2, 12, "sections"));
  offsets.sections = in.offset();
  for (Section& s : program.sections) {
    s.first = in.number<std::uint32_t>("a section's first word");
    s.count = in.number<std::uint32_t>("a section's count");
    s.operator_id = in.number<std::uint32_t>("a section's operator");
  }

  program.data.resize(count(3, 16, "data segments"));
  for (DataSegment& d : program.data) {
    offsets.data.push_back(in.offset());
    d.address = DramAddress(in.number<std::uint64_t>("a data segment's address"));
    const auto b = in.bytes(in.number<std::uint64_t>("a data segment's length"), "a data segment");
    d.bytes.assign(b.begin(), b.end());
  }
  if (in.left() != 0) in.fail(in.offset(), fmt::format("{} bytes follow the program's end", in.left()));
  if (const auto fault = find_fault(program)) {
    in.fail(offsets.of(*fault), fmt::format("{}: {}", place_of(*fault), fault->what));
  }
  return program;
}

std::string serialize(const Program& program) {
  Writer out;
  out.text(kMagic);
  out.number(static_cast<std::uint16_t>(kVersion));
  for (const std::size_t n : {program.words.size(), program.operators.size(), program.sections.size(),
                              program.data.size(), program.machine.size()}) {
    out.number(static_cast<std::uint64_t>(n));
  }
  out.text(program.machine);
  for (const Word& w : program.words) out.bytes(w);
  for (const OperatorName& op : program.operators) {
    out.number(static_cast<std::int32_t>(op.layer));
    out.number(static_cast<std::uint32_t>(op.name.size()));
    out.text(op.name);
  }
  for (const Section& s : program.sections) {
    for (const std::uint32_t n : {s.first, s.count, s.operator_id}) out.number(n);
  }
  for (const DataSegment& d : program.data) {
    out.number(d.address.value);
    out.number(static_cast<std::uint64_t>(d.bytes.size()));
    out.bytes(d.bytes);
  }
  return out.result();
}

[[noreturn]] void io_failure(const fs::path& path, std::string_view what) {
  throw IoError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

}  // namespace

std::string Program::digest() const {
  Digest digest;
  const auto number = [&](std::uint64_t n) { digest.update(std::as_bytes(std::span(&n, 1))); };
  number(words.size());
  for (const Word& w : words) digest.update(w);
  for (const DataSegment& d : data) {
    number(d.address.value);
    number(d.bytes.size());
    digest.update(d.bytes);
  }
  return digest.hex();
}

void write_program(const Program& program, const fs::path& path) {
  const std::string bytes = program_bytes(program, path.string());
  fs::path temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  if (!out) io_failure(path, "cannot be created");
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code ignored;
  if (!out) {
    const int reason = errno;
    fs::remove(temporary, ignored);
    errno = reason;
    io_failure(path, "cannot be written");
  }
  std::error_code failed;
  fs::rename(temporary, path, failed);
  if (failed) {
    fs::remove(temporary, ignored);
    throw IoError(fmt::format("{}: cannot be replaced: {}", path.string(), failed.message()));
  }
}

Program read_program(const fs::path& path) {
  const std::string text = read_file(path, kMostFileBytes, "name a program file");
  return parse_program(text, shown_name(path));
}

Program parse_program(const std::string& file, const std::string& source_name) {
  if (file.size() > kMostFileBytes) {
    throw ProgramError(
        fmt::format("{}: more than {} bytes, the most that a program file has", source_name, kMostFileBytes));
  }
  const auto bytes = std::as_bytes(std::span(file));
  Reader reader(source_name, {bytes.begin(), bytes.end()});
  return parse(reader);
}

std::string program_bytes(const Program& program, const std::string& target_name) {
  if (const auto fault = find_fault(program)) {
    throw ProgramError(fmt::format("{}: not written: {}: {}", target_name, place_of(*fault), fault->what));
  }
  return serialize(program);
}

}  // namespace tokencycle::isa
