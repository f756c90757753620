// SPDX-License-Identifier: Apache-2.0
// Models in several files: the same as in one, whatever is wrong with a part is said, and which.
#include <catch2/catch.hpp>
#include <fstream>

#include "base/error.h"
#include "model/gguf/limits.h"
#include "model/gguf/split.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using test::GgufWriter;

namespace {

// A folder of its own with the parts in it.
class Parts {
 public:
  explicit Parts(const std::vector<GgufWriter>& writers) : count_(writers.size()) {
    std::filesystem::create_directories(folder_.path());
    for (std::size_t i = 0; i < count_; ++i) write(i + 1, writers[i]);
  }
  ~Parts() { std::filesystem::remove_all(folder_.path()); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  std::filesystem::path operator[](std::size_t number) const {
    char name[64];
    std::snprintf(name, sizeof name, "m-%05zu-of-%05zu.gguf", number, count_);
    return folder_.path() / name;
  }
  void write(std::size_t number, const GgufWriter& writer) const {
    const std::vector<std::byte> bytes = writer.bytes();
    std::ofstream file((*this)[number], std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  std::string refusal(std::size_t number = 1) const {
    try {
      const GgufFile opened((*this)[number]);
    } catch (const ModelError& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  std::size_t count_;
  test::TemporaryFile folder_{".parts"};
};

GgufWriter small_model() {
  return test::synthetic_gguf({.matrices = Format::q8_0});
}

}  // namespace

TEST_CASE("a split model is the model in one file, byte for byte and place for place") {
  const GgufFile whole(test::TemporaryFile(small_model().bytes()).path());
  for (const int number : {2, 3, 7}) {
    const auto count = static_cast<std::uint16_t>(number);
    CAPTURE(count);
    const Parts parts(small_model().parts(count));
    const GgufFile file(parts[1]);
    CHECK(file.parts() == count);
    CHECK(file.metadata().size() == whole.metadata().size() + 3);
    REQUIRE(file.tensors().size() == whole.tensors().size());
    for (std::size_t i = 0; i < whole.tensors().size(); ++i) {
      const GgufTensor &split = file.tensors()[i], &one = whole.tensors()[i];
      CHECK(split.name == one.name);
      CHECK(split.file_offset - file.data_start() == one.file_offset - whole.data_start());
      CHECK(std::equal(split.data.begin(), split.data.end(), one.data.begin(), one.data.end()));
    }
    CHECK(file.data_bytes() == whole.data_bytes());
    REQUIRE(file.data_pieces().size() == count);
    for (const GgufTensor& tensor : file.tensors()) {
      const std::uint64_t offset = tensor.file_offset - file.data_start();
      const auto piece = std::find_if(file.data_pieces().rbegin(), file.data_pieces().rend(),
                                      [&](const GgufPiece& candidate) { return candidate.offset <= offset; });
      CHECK(piece->bytes.data() + (offset - piece->offset) == tensor.data.data());
    }
    std::uint64_t bytes = 0;
    for (std::size_t i = 1; i <= count; ++i) bytes += std::filesystem::file_size(parts[i]);
    CHECK(file.file_bytes() == bytes);
    const GgufFile headers(parts[1], TensorData::absent);
    CHECK(headers.data_bytes() == whole.data_bytes());
    CHECK(headers.data_pieces().empty());
    CHECK(named_parts(parts[2]).size() == count);
    CHECK(named_parts(parts[2])[0] == parts[1]);
  }
}

TEST_CASE("the digest of a split model covers every part") {
  Parts parts(small_model().parts(3));
  const std::string before = GgufFile(parts[1]).digest();
  CHECK(GgufFile(parts[1]).digest() == before);
  std::fstream last(parts[3], std::ios::binary | std::ios::in | std::ios::out);
  last.seekp(-1, std::ios::end);
  last.put('\x55');
  last.close();
  CHECK(GgufFile(parts[1]).digest() != before);
}

TEST_CASE("a missing part, a later part given first and a changed name are refused by name") {
  const Parts parts(small_model().parts(3));
  CHECK_THAT(parts.refusal(2), Contains("this is part 2 of 3") && Contains(parts[1].string()));
  std::filesystem::rename(parts[3], parts[3].string() + ".away");
  CHECK_THAT(parts.refusal(), Contains("part 3 of 3 is missing") && Contains(parts[3].string()));
  std::filesystem::rename(parts[3].string() + ".away", parts[3]);
  const std::filesystem::path other = parts[1].parent_path() / "other.gguf";
  std::filesystem::rename(parts[1], other);
  CHECK_THROWS_WITH(GgufFile(other), Contains("-00001-of-00003.gguf"));
  const std::filesystem::path second = parts[1].parent_path() / "second.gguf";
  std::filesystem::rename(parts[2], second);
  CHECK_THROWS_WITH(GgufFile(second), Contains("part 2 of 3") && Contains("-00001-of-00003.gguf"));
}

TEST_CASE("parts that contradict each other are refused") {
  const std::vector<GgufWriter> sound = small_model().parts(3);
  const Parts parts(sound);
  REQUIRE(parts.refusal() == "accepted");
  parts.write(3, sound[1]);
  CHECK_THAT(parts.refusal(), Contains("part 2 of 3, but its name that it is part 3 of 3"));
  parts.write(3, sound[2]);
  GgufWriter twice = sound[1];
  twice.tensor("output_norm.weight", {1}, Format::f32, std::vector<float>{1});
  parts.write(2, twice);
  CHECK_THAT(parts.refusal(), Contains("output_norm.weight") && Contains("in an earlier part"));
  GgufWriter more = sound[1];
  more.tensor("more", {1}, Format::f32, std::vector<float>{1});
  parts.write(2, more);
  CHECK_THAT(parts.refusal(), Contains("split.tensors.count"));
  parts.write(2, sound[1]);
  std::filesystem::resize_file(parts[2], std::filesystem::file_size(parts[2]) - 8);
  CHECK_THAT(parts.refusal(), Contains(parts[2].string()) && Contains("truncated"));
  std::filesystem::resize_file(parts[2], 0);
  CHECK_THAT(parts.refusal(), Contains(parts[2].string()) && Contains("empty"));
}

TEST_CASE("counts that nobody has are refused before a file is looked for") {
  const auto with = [](auto change) {
    std::vector<GgufWriter> writers = small_model().parts(2);
    writers[0].remove("split.count");
    change(writers[0]);
    return Parts(writers).refusal();
  };
  CHECK_THAT(with([](GgufWriter& w) { w.u16("split.count", 65535); }), Contains("over the limit of 1024"));
  CHECK_THAT(with([](GgufWriter& w) { w.u64("split.count", ~0ull); }), Contains("over the limit"));
  CHECK_THAT(with([](GgufWriter& w) { w.i32("split.count", -2); }), Contains("split.count"));
  CHECK_THAT(with([](GgufWriter& w) { w.string("split.count", "2"); }), Contains("split.count"));
  CHECK_THAT(with([](GgufWriter& w) { w.u16("split.count", 3); }), Contains("does not end in"));
}
