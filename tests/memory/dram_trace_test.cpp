// SPDX-License-Identifier: Apache-2.0
// Are traces of requests read as they say, and refused by line where they say nothing?
#include <zlib.h>

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
  memory::DramTraceReader reader(path, kCapacity);
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
  check_refused("R 0\n\nX 0x0\n", {":3: \"X 0x0\"", "R (read) or W (write)", "\"R 0x1f40 120\""});
  check_refused("0x100 R\n", {":1: \"0x100 R\"", "R (read) or W (write)"});
  check_refused("RW 0\n", {":1: \"RW 0\""});
  check_refused("R\n", {":1: \"R\"", "address is missing"});
  check_refused("R 0x\n", {":1:", "hexadecimal"});
  check_refused("R -64\n", {":1: \"R -64\"", "decimal number"});
  check_refused("R 12ab\n", {":1:", "begins with 0x"});
  check_refused("R 0x-1\n", {":1:", "hexadecimal"});
  check_refused("R 0 5 6\n", {":1:", "more than three words"});
  check_refused("R 0 5.5\n", {":1:", "whole number", "4,398,046,511,103"});
  check_refused("R 0 -1\n", {":1:", "whole number"});
  check_refused("R 0 4398046511104\n", {":1:", "0 to 4,398,046,511,103"});
  check_refused("R 0 99999999999999999999999\n", {":1:", "whole number"});
  check_refused("R 0 7\nR 0\nR 0 6\n", {":3: \"R 0 6\"", "before 7", "sort the trace"});
}

TEST_CASE("an address beyond the memory is refused with the last one allowed") {
  check_requests("R 1048575\n", {{kCapacity - 1, 0, false}});
  check_refused("R 0x0\nR 0x100000\n", {":2: \"R 0x100000\"", "0 to 0xfffff", "1.0 MiB", "channels"});
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
