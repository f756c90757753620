// SPDX-License-Identifier: Apache-2.0
// Are traces of requests read as they say, and refused by line where they say nothing?
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/error.h"
#include "memory/dram/trace.h"

using namespace tokencycle;
using Catch::Contains;
using memory::DramRequestAt;

namespace {

constexpr std::uint64_t kCapacity = 1 << 20;

// A file that goes with the object.
class TraceFile {
 public:
  explicit TraceFile(const std::string& bytes) {
    std::string path = (std::filesystem::temp_directory_path() / "tokencycle_trace_XXXXXX").string();
    const int file = ::mkstemp(path.data());
    REQUIRE(file >= 0);
    ::close(file);
    path_ = path;
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TraceFile() { std::filesystem::remove(path_); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string gzipped(const std::string& text) {
  const TraceFile packed("");
  gzFile file = gzopen(packed.path().c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  REQUIRE(gzclose(file) == Z_OK);
  std::ifstream in(packed.path(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<DramRequestAt> read_all(const std::string& path) {
  memory::DramTraceReader reader(path, {kCapacity});
  std::vector<DramRequestAt> all;
  for (DramRequestAt r; reader.next(r);) all.push_back(r);
  return all;
}

void check_requests(const std::string& bytes, const std::vector<DramRequestAt>& expected) {
  const TraceFile file(bytes);
  const auto requests = read_all(file.path());
  CAPTURE(bytes);
  REQUIRE(requests.size() == expected.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    CHECK(requests[i].address == expected[i].address);
    CHECK(requests[i].at == expected[i].at);
    CHECK(requests[i].write == expected[i].write);
    CHECK(requests[i].bytes == expected[i].bytes);
  }
}

template <class Kind>
void check_refused(const std::string& bytes, const std::vector<std::string>& parts) {
  const TraceFile file(bytes);
  CAPTURE(bytes.substr(0, 100));
  std::string message = "(none)";
  try {
    read_all(file.path());
  } catch (const Kind& error) {
    message = error.what();
  }
  CHECK_THAT(message, Catch::StartsWith(file.path() + ":"));
  for (const std::string& part : parts) CHECK_THAT(message, Contains(part));
}

void check_refused(const std::string& bytes, const std::vector<std::string>& parts) {
  check_refused<ProgramError>(bytes, parts);
}

}  // namespace

TEST_CASE("a request is a letter, an address and a clock that may be left out") {
  check_requests("R 0x1f40\nW 64 7\nr 0X40 7\nw\t0\t 12 \t\n",
                 {{0x1f40, 0, false}, {64, 7, true}, {0x40, 7, false}, {0, 12, true}});
  check_requests("# R 0x99\n\nR 0x1\r\n   \n  # no request\n#\nW 2", {{1, 0, false}, {2, 0, true}});
  check_requests("R 0xFFFFF 4398046511103\nR 0", {{0xfffff, memory::kLastArrival, false}, {0, 0, false}});
}

// The usual line is read without looking for words: no other way of writing it gives another request.
TEST_CASE("blanks, letter case and leading zeros change no request") {
  std::mt19937_64 random(3);
  const std::string zeros[] = {"", "0", "00000000000000000000"};
  for (int trial = 0; trial < 200; ++trial) {
    std::string text = "R 0\n";
    std::vector<DramRequestAt> expected = {{0, 0, false}};
    std::uint64_t clock = 0;
    for (int i = 0; i < 20; ++i) {
      const bool write = random() % 2 == 0, hexadecimal = random() % 2 == 0, timed = random() % 2 == 0;
      const std::uint64_t address = (random() % kCapacity) >> random() % 20;
      std::string number = hexadecimal ? fmt::format("{:x}", address) : std::to_string(address);
      if (random() % 2 == 0) std::transform(number.begin(), number.end(), number.begin(), ::toupper);
      clock += random() % 3;
      text += write ? "Ww"[random() % 2] : "Rr"[random() % 2];
      text += random() % 3 == 0 ? "\t " : " ";
      text += (hexadecimal ? (random() % 3 == 0 ? "0X" : "0x") : "") + zeros[random() % 3] + number;
      if (timed) text += (random() % 3 == 0 ? "  " : " ") + zeros[random() % 3] + std::to_string(clock);
      text += random() % 3 == 0 ? " \r\n" : "\n";
      expected.push_back({address, timed ? clock : 0, write});
    }
    check_requests(text, expected);
  }
  check_refused("R 0x1\nR 0x10000000000000001\n", {":2:", "beyond the memory"});
  check_refused("R 0x1\nR 18446744073709551617\n", {":2:", "beyond the memory"});
  check_refused("R 0x1 5\nR 0x1 4\n", {":2:", "before 5"});
  check_refused("R 0x1\nR 0x1 4398046511104\n", {":2:", "4,398,046,511,103"});
  check_refused("R 0x1\nR 0x1g\n", {":2:", "hexadecimal"});
  check_refused("R 0x1\nX 0x1\n", {":2:", "first line decides"});
}

TEST_CASE("traces of other programs are told apart by their first line") {
  const auto form_of = [](const std::string& text) {
    const TraceFile file(text);
    memory::DramTraceReader reader(file.path(), {kCapacity, 625});
    DramRequestAt first;
    REQUIRE(reader.next(first));
    return std::string(reader.form().name);
  };
  CHECK(form_of("LD 0x40\n") == "Ramulator 2, loads and stores");
  check_requests("LD 0x40\nST 128\n", {{0x40, 0, false}, {128, 0, true}});
  CHECK(form_of("0x40 R\n") == "Ramulator, memory");
  check_requests("0x40 R\n0x80 W\n", {{0x40, 0, false}, {0x80, 0, true}});
  CHECK(form_of("0x1000 READ 0\n") == "DRAMsim3");
  check_requests("0x1000 READ 0\n0x2000 WRITE 5\n", {{0x1000, 0, false}, {0x2000, 5, true}});
  CHECK(form_of("# comment\n31:\tread\t0x140\n") == "DRAMSys");
  check_requests("31:\tread\t0x140\n31: write 0x148 abcd\n33:\t(32)read\t0x180\n",
                 {{0x140, 31, false}, {0x148, 31, true}, {0x180, 33, false, 32}});
  CHECK(form_of("r,4096,64,256,1000\n") == "gem5, decoded packets");
  check_requests("r,4096,64,256,1000\nw,64,8,0,2000,77\n5,r,0,4,0,2500\n",
                 {{4096, 1000, false, 64}, {64, 2000, true, 8}, {0, 2500, false, 4}});
  CHECK(form_of("3 4096\n") == "Ramulator, instructions");
  check_requests("3 4096\n1 64 8192\n", {{4096, 0, false}, {64, 0, false}, {8192, 0, true}});
}

TEST_CASE("ticks of gem5 become clocks of the memory") {
  const TraceFile file("r,0,64,0,624\nr,0,64,0,625\nr,0,64,0,12500\n");
  memory::DramTraceReader reader(file.path(), {kCapacity, 625});
  DramRequestAt r;
  for (const memory::Clock at : {0u, 1u, 20u}) {
    REQUIRE(reader.next(r));
    CHECK(r.at == at);
  }
}

TEST_CASE("what other programs write and cannot be read is refused by its name") {
  check_refused("R 0,0,0,1,2,3\n", {":1:", "Ramulator 2, address vectors", "write addresses instead"});
  check_refused("u,4096,64,256,1000\n", {":1:", "gem5", "ReadReq"});
  check_refused("LD 0x40\nR 0x40\n", {":2:", "Ramulator 2, loads and stores: LD|ST ADDRESS"});
  check_refused("1: (0)read 0x40\n", {":1:", "1 to 1,048,576 bytes"});
  check_refused("1: (9999999999)read 0x40\n", {":1:", "1 to 1,048,576 bytes"});
  check_refused("R 0x7ffde0689818\n", {":1:", "virtual address", "--wrap"});
}

TEST_CASE("addresses can be taken modulo the memory's size, and are counted") {
  const TraceFile file("R 0x7ffde0689818\nR 0x40\n");
  memory::DramTraceReader reader(file.path(), {kCapacity, 1, true});
  DramRequestAt r;
  REQUIRE(reader.next(r));
  CHECK(r.address == 0x7ffde0689818 % kCapacity);
  REQUIRE(reader.next(r));
  CHECK(r.address == 0x40);
  CHECK(reader.wrapped() == 1);
}

TEST_CASE("a gzipped trace and the same in pieces read like the plain one") {
  const std::string text = "R 0x40 1\nW 0x80 2\n";
  const std::vector<DramRequestAt> expected = {{0x40, 1, false}, {0x80, 2, true}};
  check_requests(gzipped(text), expected);
  check_requests(gzipped("R 0x40 1\nW 0x") + gzipped("80 2\n"), expected);
}

TEST_CASE("lines that lie across the reader's buffers are whole") {
  std::mt19937_64 random(1);
  std::string text;
  std::vector<DramRequestAt> expected;
  while (text.size() < 1'500'000) {
    expected.push_back({random() % kCapacity, expected.size(), random() % 2 == 0});
    const DramRequestAt& r = expected.back();
    text += std::string(random() % 200, ' ') + (r.write ? "W " : "R ") + std::to_string(r.address) + " " +
            std::to_string(r.at) + "\n";
  }
  for (const std::string& bytes : {text, gzipped(text)}) {
    const TraceFile file(bytes);
    const auto requests = read_all(file.path());
    REQUIRE(requests.size() == expected.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      wrong += requests[i].address != expected[i].address || requests[i].at != expected[i].at ||
               requests[i].write != expected[i].write;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a line that is no request is refused with its number, its text and what is allowed") {
  check_refused("R 0\n\nX 0x0\n", {":3: \"X 0x0\"", "tokencycle: R|W ADDRESS [CLOCK]"});
  check_refused("X 0x0\n", {":1: \"X 0x0\"", "no request in a form that is known", "\"R 0x1f40 120\""});
  check_refused("RW 0\n", {":1: \"RW 0\""});
  check_refused("R\n", {":1: \"R\"", "address is missing"});
  check_refused("R 0x\n", {":1:", "hexadecimal"});
  check_refused("R -64\n", {":1: \"R -64\"", "decimal number"});
  check_refused("R 12ab\n", {":1:", "begins with 0x"});
  check_refused("R 0x-1\n", {":1:", "hexadecimal"});
  check_refused("R 0 5 6\n", {":1:", "no request in a form that is known"});
  check_refused("R 0 5.5\n", {":1:", "whole number", "4,398,046,511,103"});
  check_refused("R 0 -1\n", {":1:", "whole number"});
  check_refused("R 0 4398046511104\n", {":1:", "0 to 4,398,046,511,103"});
  check_refused("R 0 99999999999999999999999\n", {":1:", "whole number"});
  check_refused("R 0 7\nR 0\nR 0 6\n", {":3: \"R 0 6\"", "before 7", "sort the trace"});
}

TEST_CASE("an address beyond the memory is refused with the last one allowed") {
  check_requests("R 1048575\n", {{kCapacity - 1, 0, false}});
  check_refused("R 0x0\nR 0x100000\n",
                {":2: \"R 0x100000\"", "0 to 0xfffff", "1.0 MiB", "channels", "--wrap"});
  check_refused("W 0x10000000000000000\n", {":1:", "beyond the memory"});
}

TEST_CASE("long lines and bytes that are no text make short messages") {
  check_requests("R 0" + std::string(253, ' ') + "\n", {{0, 0, false}});
  check_refused("R 0" + std::string(254, ' ') + "\n", {":1: \"R 0 ", "longer than 256 bytes"});
  for (const std::string& bytes : {std::string(10'000'000, 'R'), "R 0\n" + std::string(1'000'000, '\0')}) {
    const TraceFile file(bytes);
    CHECK_THROWS_WITH(read_all(file.path()), Contains("longer than 256 bytes"));
    try {
      read_all(file.path());
    } catch (const ProgramError& error) {
      CHECK(std::string(error.what()).size() < 800);
    }
  }
  check_refused(std::string("R 0\nR\x01\x80 5\n"), {":2: \"R\\u0001\\ufffd 5\""});
}

TEST_CASE("a trace without requests is refused") {
  for (const std::string& bytes : {std::string(), std::string("\n\n# nothing\n"), gzipped("")}) {
    check_refused(bytes, {"no requests", "R or W"});
  }
}

TEST_CASE("a gzipped trace that is cut off or damaged is an input error") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "R " + std::to_string(i * 37 % 1000000) + "\n";
  const std::string packed = gzipped(text);
  for (const std::size_t left : {packed.size() - 1, packed.size() - 8, packed.size() / 2, std::size_t{12}}) {
    check_refused<IoError>(packed.substr(0, left), {"cut off", "gzip"});
  }
  std::string damaged = packed;
  damaged[packed.size() / 2] = static_cast<char>(damaged[packed.size() / 2] ^ 0x55);
  const TraceFile file(damaged);
  CHECK_THROWS_AS(read_all(file.path()), Error);
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 8] = static_cast<char>(wrong_sum[packed.size() - 8] ^ 1);
  check_refused<IoError>(wrong_sum, {"damaged"});
}

TEST_CASE("files that cannot be opened are input errors") {
  CHECK_THROWS_AS(read_all("/no/such/trace"), IoError);
  CHECK_THROWS_WITH(read_all("/no/such/trace"), Contains("/no/such/trace: cannot be read: No such file"));
  CHECK_THROWS_WITH(read_all(std::filesystem::temp_directory_path()), Contains("it is a folder"));
}
