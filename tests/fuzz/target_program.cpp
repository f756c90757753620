// SPDX-License-Identifier: Apache-2.0
// Programs as text and as files; what is accepted in one form must survive the other.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/support.h"
#include "isa/encoding.h"
#include "isa/program.h"
#include "isa/random_program.h"

namespace tokencycle::fuzz {
namespace {

using namespace tokencycle::isa;

constexpr const char* kSource = "input";

void check_text(const Program& program) {
  require(assemble(disassemble(program), "again") == program, "a program that its text does not give back");
}

bool feed_text(Input input) {
  try {
    check_text(assemble(std::string(text_of(input)), kSource));
    return true;
  } catch (const ProgramError& error) {
    check_refusal(error, kSource, {ExitCode::program});
    return false;
  }
}

bool feed_file(Input input) {
  const MemoryFile file(input);
  try {
    const Program program = read_program(file.path());
    check_text(program);
    require(program.digest().size() == 32, "a digest of another length");
    return true;
  } catch (const ProgramError& error) {
    check_refusal(error, file.path(), {ExitCode::program});
    return false;
  }
}

Program sample(std::uint64_t seed, std::uint32_t words) {
  isa::test::Random random(seed);
  return isa::test::random_program(random, words);
}

Bytes file_of(const Program& program) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fuzz_program" + std::to_string(::getpid()));
  write_program(program, path);
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  std::filesystem::remove(path);
  return bytes_of(text.str());
}

Bytes mutate_assembly(Input input, Random& random) {
  return mutate_text(input, random,
                     {"halt\n",
                      "nop\n",
                      "fence units=load,matrix\n",
                      "end:\n",
                      " until=end",
                      "loop count=2 length=1\n",
                      " r1+=-4",
                      " rows=2",
                      " cols=0x20",
                      " accumulate",
                      ".data 0x10 f32 1*9\n",
                      ".data + hex 00ff\n",
                      ".operator x layer=1\n",
                      ".end\n",
                      "*1048576",
                      "\"",
                      "\\x00",
                      ";",
                      " scalar=nan",
                      " scalar=1e-45",
                      "a:0x10",
                      "s:0x10+r3",
                      "281474976710655",
                      "-2147483648",
                      "q8_0",
                      "i4",
                      "\n",
                      "\r\n"});
}

Bytes mutate_file(Input input, Random& random) {
  Bytes bytes(input.begin(), input.end());
  if (bytes.size() < 64 || random.one_in(3)) return mutate_bytes(input, random);
  for (std::size_t n = 1 + random.below(3); n > 0; --n) {
    const std::size_t at = random.below(bytes.size() - 8);
    const std::uint64_t value = random.interesting();
    std::size_t length = 1 + random.below(8);
    std::size_t place = at;
    if (random.one_in(2)) {  // a count of the table, whole
      place = 8 + 8 * random.below(5);
      length = 8;
    }
    for (std::size_t i = 0; i < length; ++i) bytes[place + i] = static_cast<std::byte>(value >> (8 * i));
  }
  return bytes;
}

std::vector<Seed> text_seeds() {
  std::vector<Seed> all;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    all.push_back({"random_" + std::to_string(seed),
                   bytes_of(disassemble(sample(seed, static_cast<std::uint32_t>(seed * 2))))});
  }
  return all;
}

std::vector<Seed> file_seeds() {
  std::vector<Seed> all;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    all.push_back(
        {"random_" + std::to_string(seed), file_of(sample(seed, static_cast<std::uint32_t>(seed * 2)))});
  }
  return all;
}

}  // namespace

Target assembler_target() {
  return {"assembler", feed_text, mutate_assembly, text_seeds};
}

Target program_target() {
  return {"program", feed_file, mutate_file, file_seeds};
}

}  // namespace tokencycle::fuzz
