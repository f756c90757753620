// SPDX-License-Identifier: Apache-2.0
// The file of a trace: its names, its cap, errors of the disk.
#include "observe/trace_file.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "base/error.h"
#include "observe/trace_run.h"
#include "support/resource_limit.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a trace's file has another name until it is complete") {
  const TemporaryFolder folder;
  const auto path = folder / "a.vcd";
  TraceFile file(path, 1000);
  CHECK(std::filesystem::exists(temporary_name(path)));
  file.write("one\n");
  file.write("two\n");
  CHECK(!std::filesystem::exists(path));
  CHECK(file.bytes() == 8);
  file.commit();
  CHECK(!file.is_open());
  CHECK(contents(path) == "one\ntwo\n");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that is not committed leaves nothing, and what had its name stays") {
  const TemporaryFolder folder;
  const auto path = folder / "a.vcd";
  std::ofstream(path) << "before";
  {
    TraceFile file(path, 1000);
    file.write(std::string(500'000, 'x'));
  }
  CHECK(contents(path) == "before");
  CHECK(folder.files() == 1);
}

TEST_CASE("a name that ends in .gz means a compressed file, and the cap counts what was written") {
  const TemporaryFolder folder;
  TraceFile file(folder / "a.csv.gz", 100'000);
  const std::string text(90'000, 'x');
  file.write(text);
  CHECK(file.bytes() == 90'000);
  CHECK(file.has_room(10'000));
  CHECK(!file.has_room(10'001));
  CHECK(!file.has_room(~0ull));
  file.commit();
  const std::string bytes = contents(folder / "a.csv.gz");
  CHECK(bytes.size() < 1000);
  CHECK(bytes.substr(0, 2) == "\x1f\x8b");
}

TEST_CASE("a file that cannot be created is an error with its name and the reason") {
  const TemporaryFolder folder;
  const auto fails = [](const std::filesystem::path& path, const char* reason) {
    try {
      TraceFile file(path, 1000);
      FAIL("it was created");
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).find(path.string() + ": cannot be created: ") == 0);
      CHECK(std::string(error.what()).find(reason) != std::string::npos);
    }
  };
  fails(folder / "missing/a.vcd", "No such file");
  fails(folder / "", "directory");
  CHECK(folder.files() == 0);
}

TEST_CASE("a disk without room is an error, at once or at the end, and nothing is left") {
  const TemporaryFolder folder;
  const ResourceLimit limit(RLIMIT_FSIZE, 100'000);
  for (const char* name : {"a.vcd", "a.vcd.gz"}) {
    for (const std::size_t bytes : {60'000u, 120'000u, 1'000'000u}) {
      CAPTURE(name, bytes);
      std::string noise(bytes, ' ');
      std::mt19937 random(1);
      for (char& c : noise) c = static_cast<char>(random());
      bool failed = false;
      try {
        TraceFile file(folder / name, 1u << 30);
        for (std::size_t at = 0; at < bytes; at += 1000) file.write(std::string_view(noise).substr(at, 1000));
        file.commit();
      } catch (const IoError& error) {
        failed = true;
        CHECK(std::string(error.what()).find((folder / name).string()) == 0);
        CHECK(std::string(error.what()).find("File too large") != std::string::npos);
        CHECK(folder.files() == 0);
      }
      CHECK(failed == (bytes > 100'000));
      std::filesystem::remove(folder / name);
    }
  }
}

TEST_CASE("a file that cannot be put in its place is an error, and nothing is left") {
  const TemporaryFolder folder;
  TraceFile file(folder / "a.vcd", 1000);
  std::filesystem::create_directories(folder / "a.vcd/in_the_way");
  CHECK_THROWS_AS(file.commit(), IoError);
  CHECK(folder.files() == 1);
}
