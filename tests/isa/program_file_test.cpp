// SPDX-License-Identifier: Apache-2.0
// Do program files give back what was written, and is a damaged file refused with its place?
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "random_program.h"
#include "support/resource_limit.h"

using namespace tokencycle;
using namespace tokencycle::isa;
using isa::test::Random;
namespace fs = std::filesystem;

namespace {

// An empty folder that goes with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tokencycle_isa_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Program small_program() {
  Program p;
  p.machine = "small";  // bytes 48 .. 52
  Instruction nop, halt;
  halt.op = Opcode::halt;
  p.words = {encode(nop), encode(halt)};                              // from byte 53
  p.operators = {{"one", -1}, {"two", 3}};                            // from 117, 128
  p.sections = {{0, 1, 1}, {1, 1, 0}};                                // from 139, 151
  p.data = {{DramAddress(0x1000), {std::byte{1}, std::byte{0xff}}}};  // from 163
  return p;
}

template <class T>
std::string with(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

}  // namespace

TEST_CASE("a program file gives back the program") {
  Folder folder;
  Random random(6);
  const fs::path path = folder / "p.tcprog";
  for (int round = 0; round < 50; ++round) {
    const Program p = isa::test::random_program(random, 60);
    write_program(p, path);
    const Program q = read_program(path);
    REQUIRE(q == p);
    REQUIRE(q.digest() == p.digest());
  }
  CHECK(folder.files() == 1);  // no temporary file is left
}

TEST_CASE("the digest depends on words and data, not on names") {
  const Program p = small_program();
  CHECK(p.digest().size() == 32);
  Program q = p;
  q.operators[0].name = "other";
  q.machine = "other";
  CHECK(q.digest() == p.digest());
  q = p;
  q.words.pop_back();
  CHECK(q.digest() != p.digest());
  q = p;
  q.data[0].bytes[1] = std::byte{0xfe};
  CHECK(q.digest() != p.digest());
  q = p;
  q.data[0].address = DramAddress(0x1001);
  CHECK(q.digest() != p.digest());
}

TEST_CASE("damaged program files are refused with file, byte and value") {
  Folder folder;
  const fs::path path = folder / "p.tcprog";
  write_program(small_program(), path);
  const std::string good = read_bytes(path);
  REQUIRE(good.size() == 181);
  struct Damage {
    std::string bytes, message;
  };
  const Damage damages[] = {
      {"", "byte 0: not a program file"},
      {"TCPRO", "byte 0: not a program file"},
      {with(good, 0, 'X'), "byte 0: not a program file"},
      {with(good, 6, std::uint16_t{1}),
       "byte 6: a program of version 1 of the instruction set; this tokencycle executes version 2: compile "
       "the "
       "model again, or assemble the text again"},
      {with(good, 8, ~std::uint64_t{0}), "byte 8: 18446744073709551615 instruction words"},
      {with(good, 8, std::uint64_t{5}), "byte 8: 5 instruction words need at least 32 bytes each"},
      {with(good, 16, std::uint64_t{1} << 40), "byte 16: 1099511627776 operators"},
      {with(good, 24, std::uint64_t{1} << 40), "byte 24: 1099511627776 sections"},
      {with(good, 32, std::uint64_t{1} << 60), "byte 32: 1152921504606846976 data segments"},
      {with(good, 40, std::uint64_t{1} << 40), "byte 40: 1099511627776 characters of the machine's name"},
      {with(good, 53, std::uint8_t{0x99}), "byte 53: word 0: unknown opcode: class 1, function 25"},
      {with(good, 85 + 31, std::uint8_t{1}), "byte 85: word 1: halt: bit 248 of the word is set"},
      {with(good, 117, std::int32_t{-2}), "byte 117: operator 0: layer is -2"},
      {with(good, 121, std::uint32_t{1000}), "byte 125: an operator's name needs 1000 bytes"},
      {with(good, 139, std::uint32_t{1}),
       "byte 151: section 1: first word is 1, but the section before ends at 2"},
      {with(good, 155, std::uint32_t{2}), "byte 151: section 1: words 1 .. 3 exceed the program's 2 words"},
      {with(good, 147, std::uint32_t{2}), "byte 139: section 0: operator is 2, but the program names 2"},
      {with(good, 163, std::uint64_t{1} << 48),
       "byte 163: data segment 0: 2 bytes at 0x1000000000000 exceed"},
      {with(good, 171, std::uint64_t{3}), "byte 179: a data segment needs 3 bytes, but 2 are left"},
      {good + "x", "byte 181: 1 bytes follow the program's end"},
  };
  for (const Damage& damage : damages) {
    write_bytes(path, damage.bytes);
    INFO(damage.message);
    CHECK_THROWS_AS(read_program(path), ProgramError);
    CHECK_THROWS_WITH(read_program(path), Catch::Contains("p.tcprog: " + damage.message));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_bytes(path, good.substr(0, size));
    CHECK_THROWS_AS(read_program(path), ProgramError);
  }
}

TEST_CASE("a mutated file is refused or is a program that writes the same bytes") {
  Folder folder;
  Random random(7);
  const fs::path path = folder / "p.tcprog", again = folder / "again.tcprog";
  int accepted = 0;
  for (int round = 0; round < 600; ++round) {
    write_program(isa::test::random_program(random, 12), path);
    std::string bytes = read_bytes(path);
    for (std::uint64_t n = isa::test::number(random, 0, 3); n > 0; --n) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    }
    write_bytes(path, bytes);
    try {
      write_program(read_program(path), again);
      REQUIRE(read_bytes(again) == bytes);
      ++accepted;
    } catch (const ProgramError&) {
    }
  }
  CHECK(accepted > 150);
  CHECK(accepted < 600);
}

TEST_CASE("ill-formed programs are not written") {
  Folder folder;
  const fs::path path = folder / "p.tcprog";
  Instruction loop;
  loop.op = Opcode::loop;
  loop.count = 2;
  loop.length = 2;
  const Word nop = encode(Instruction{}), two = encode(loop);
  loop.length = 1;
  const Word one = encode(loop);
  const auto refused = [&](std::vector<Word> words, const std::string& message) {
    Program p;
    p.words = std::move(words);
    INFO(message);
    CHECK_THROWS_WITH(write_program(p, path), Catch::Contains(message));
    CHECK_THROWS_WITH(disassemble(p), Catch::Contains(message));
  };
  refused({nop, two, nop}, "word 1: loop: the body ends at word 4, but the program has 3 words");
  refused({two, nop, one, nop},
          "word 2: loop: the body ends at word 4, beyond the enclosing body's end at word 3");
  std::vector<Word> deep;
  for (std::uint32_t depth = 0; depth < kLoopDepth + 1; ++depth) {
    loop.length = kLoopDepth + 1 - depth;
    deep.push_back(encode(loop));
  }
  deep.push_back(nop);
  refused(deep, "word 4: loop: nested more than 4 deep");
  deep.erase(deep.begin());
  Program fits;
  fits.words = deep;  // all four end on the same word
  CHECK_NOTHROW(write_program(fits, path));

  Program twice = small_program();
  twice.operators[1] = twice.operators[0];
  CHECK_THROWS_WITH(write_program(twice, path), Catch::Contains("operator 1: \"one\" (layer -1) is already"));
}

TEST_CASE("files that cannot be read or written are named") {
  Folder folder;
  CHECK_THROWS_AS(read_program(folder / "none"), IoError);
  CHECK_THROWS_WITH(read_program(folder / "none"), Catch::Contains("none: cannot be read"));
  CHECK_THROWS_AS(write_program(small_program(), folder / "no" / "p.tcprog"), IoError);
  fs::create_directory(folder / "taken");
  CHECK_THROWS_AS(write_program(small_program(), folder / "taken"), IoError);
  CHECK(folder.files() == 1);  // the temporary file is gone
  {
    const tokencycle::test::ResourceLimit limit(RLIMIT_FSIZE, 100);
    CHECK_THROWS_WITH(write_program(small_program(), folder / "p.tcprog"),
                      Catch::Contains("cannot be written: File too large"));
  }
  CHECK(folder.files() == 1);
}
