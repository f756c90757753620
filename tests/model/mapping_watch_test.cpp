// SPDX-License-Identifier: Apache-2.0
// Is a mapped file that becomes shorter an error, and every other SIGBUS what it was?
#include "model/gguf/mapping_watch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <numeric>

#include "base/error.h"
#include "model/gguf/gguf.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;

namespace {

// A model file that is removed with the object.
class ModelFile {
 public:
  ModelFile() : path_(std::filesystem::temp_directory_path() / ("watch" + std::to_string(::getpid()))) {
    const std::vector<std::byte> bytes = test::synthetic_gguf({.matrices = Format::f32}).bytes();
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  ~ModelFile() { std::filesystem::remove(path_); }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return std::filesystem::file_size(path_); }
  void resize(std::uint64_t bytes) const { std::filesystem::resize_file(path_, bytes); }

 private:
  std::filesystem::path path_;
};

unsigned sum_of(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0u,
                         [](unsigned sum, std::byte b) { return sum + std::to_integer<unsigned>(b); });
}

// The signal that ends a process which does this; 0 when it ends by itself.
template <class Action>
int signal_of(const Action& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("bytes that a model file lost read as zeros, and the file says which are gone") {
  handle_lost_bytes();
  const ModelFile model;
  const std::uint64_t bytes = model.size();
  const GgufFile file(model.path());
  CHECK_NOTHROW(file.check_whole());
  REQUIRE(bytes > 4 * 4096);
  model.resize(8192);
  CHECK_THROWS_WITH(file.check_whole(), Contains("became shorter") && Contains("byte 8192 is gone") &&
                                            Contains("it had " + std::to_string(bytes) + " bytes"));
  CHECK(sum_of(file.bytes().subspan(8192)) == 0);
  CHECK_THROWS_AS(file.digest(), ModelError);
  CHECK_THROWS_WITH(file.fail("something else"), Contains("became shorter"));
  // Also when the bytes come back: zeros have been read meanwhile.
  model.resize(bytes);
  CHECK_THROWS_WITH(file.check_whole(), Contains("byte 8192 is gone"));
}

TEST_CASE("a file that grows or is replaced by another is whole") {
  handle_lost_bytes();
  const ModelFile model;
  const GgufFile file(model.path());
  model.resize(model.size() + 4096);
  CHECK_NOTHROW(file.check_whole());
  const std::string digest = GgufFile(model.path(), TensorData::absent).digest();
  std::filesystem::remove(model.path());
  std::ofstream(model.path()) << "short";
  CHECK_NOTHROW(file.check_whole());
  CHECK_FALSE(digest.empty());
}

TEST_CASE("without tensor data a file may lose what stands behind its directory") {
  handle_lost_bytes();
  const ModelFile model;
  const GgufFile file(model.path(), TensorData::absent);
  model.resize(file.data_start());
  CHECK_NOTHROW(file.check_whole());
  CHECK_NOTHROW(file.digest());
  model.resize(100);
  CHECK_THROWS_WITH(file.check_whole(), Contains("byte 100 is gone"));
}

TEST_CASE("a bus error of anything else ends the process as it did") {
  handle_lost_bytes();
  const ModelFile model;
  const auto read_behind_the_end = [&] {
    const int file = ::open(model.path().c_str(), O_RDONLY);
    const void* const at = ::mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, file, 0);
    model.resize(0);
    (void)*static_cast<const volatile char*>(at);
  };
  CHECK(signal_of(read_behind_the_end) == SIGBUS);
  CHECK(signal_of([] { ::raise(SIGBUS); }) == SIGBUS);
}
