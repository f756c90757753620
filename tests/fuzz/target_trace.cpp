// SPDX-License-Identifier: Apache-2.0
// Traces of memory requests, plain and gzipped.
#include <zlib.h>

#include "fuzz/support.h"
#include "memory/dram/trace.h"

namespace tokencycle::fuzz {
namespace {

using namespace tokencycle::memory;

constexpr std::uint64_t kCapacity = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostRequests =
    1 << 16;  // a small gzip file may hold many: for the speed of the search

bool feed(Input input) {
  const MemoryFile file(input);
  try {
    DramTraceReader reader(file.path(), {kCapacity, 625});
    DramRequestAt request;
    Clock last = 0;
    for (std::uint64_t n = 0; n < kMostRequests && reader.next(request); ++n) {
      require(request.address < kCapacity, "a request beyond the memory");
      require(request.at == 0 || request.at >= last, "a request before the one before it");
      require(request.at <= kLastArrival, "a request after the last clock");
      require(request.bytes <= kLargestDramRequest, "a request larger than allowed");
      last = std::max(last, request.at);
    }
    return true;
  } catch (const Error& error) {
    check_refusal(error, file.path(), {ExitCode::program, ExitCode::io});
    return false;
  }
}

Bytes gzipped(std::string_view text) {
  Bytes out(compressBound(text.size()) + 64);
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib refuses to start");
  std::string copy(text);
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes mutate(Input input, Random& random) {
  return mutate_text(
      input, random,
      {"R 0x40\n", "W 64 10\n", "r 0x3fffffff 99\n", "# text\n", "\n", "\r\n", "\t", " ", "0x", "R",
       "4398046511103", "18446744073709551615", "18446744073709551616", "-1", "0x40000000"});
}

std::vector<Seed> seeds() {
  constexpr std::string_view kSmall =
      "# requests\nR 0x0\nW 0x40 10\nr 128 10\n\nw 0x3fffffff 4398046511103\n";
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "R " + std::to_string(i * 64) + " " + std::to_string(i) + "\n";
  return {{"small", bytes_of(kSmall)},
          {"small_gz", gzipped(kSmall)},
          {"lines", bytes_of(lines.substr(0, 900))},
          {"lines_gz", gzipped(lines)}};
}

}  // namespace

Target trace_target() {
  return {"trace", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
