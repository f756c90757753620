// SPDX-License-Identifier: Apache-2.0
// Very long runs: 200,000 tokens, in every format at once.
#include <malloc.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "observe/synthetic_run.h"
#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

#if defined(NDEBUG)
constexpr std::uint32_t kTokens = 200'000;
#else
constexpr std::uint32_t kTokens = 5'000;  // under sanitizers, whose allocator counts nothing
#endif
constexpr std::uint32_t kWarm = 1'000;  // by then buffers and tables have their size
constexpr std::uint32_t kInstructions = 16;

std::unique_ptr<TraceWriter> writer(const TemporaryFolder& folder, const config::Machine& machine,
                                    const char* name, int level, std::uint64_t max_bytes) {
  TraceOptions options;
  options.path = folder / name;
  options.level = level;
  options.max_bytes = max_bytes;
  options.machine = &machine;
  return make_trace_writer(options);
}

}  // namespace

TEST_CASE("two hundred thousand tokens do not grow the memory of any trace") {
  const TemporaryFolder folder;
  const config::Machine machine = trace_machine();
  // What a whole run is traced with, without a cap; and the large formats with theirs, which they reach.
  constexpr std::uint64_t kNoCap = 1ull << 40, kCap = 4ull << 20;
  std::vector<std::unique_ptr<TraceWriter>> writers;
  writers.push_back(writer(folder, machine, "a.pftrace.gz", 1, kNoCap));
  writers.push_back(writer(folder, machine, "a.tokens.csv.gz", 1, kNoCap));
  writers.push_back(writer(folder, machine, "a.operators.csv.gz", 1, kNoCap));
  writers.push_back(writer(folder, machine, "a.instructions.csv.gz", 1, kNoCap));
  writers.push_back(writer(folder, machine, "b.pftrace", 2, kCap));
  writers.push_back(writer(folder, machine, "b.kanata", 2, kCap));
  writers.push_back(writer(folder, machine, "b.vcd", 2, kCap));
  writers.push_back(writer(folder, machine, "b.fst", 2, kCap));
  SyntheticRun run(7);
  EventHub hub;
  for (const auto& w : writers) hub.subscribe(*w);
  std::size_t early = 0, most = 0;
  for (std::uint32_t token = 0; token < kTokens; ++token) {
    for (const auto& w : writers) w->begin_step(run.step_info(token));
    const Cycle end = run.step(hub, kInstructions);
    for (const auto& w : writers) w->end_step(end);
    if (token == kWarm) early = mallinfo2().uordblks;
    if (token > kWarm && token % 1024 == 0) most = std::max(most, mallinfo2().uordblks);
  }
  // A block of an FST file is 4 MiB at most and grows until the file ends at its cap.
  CHECK(most <= early + (4u << 20));
  for (const auto& w : writers) w->close(run.now(), "");
  CHECK(writers[1]->summary().entries == kTokens);
  CHECK(writers[2]->summary().entries == 4 * kTokens);
  for (std::size_t i = 0; i < 4; ++i) CHECK(writers[i]->summary().truncated_at == kNever);
#if defined(NDEBUG)
  for (std::size_t i = 4; i < writers.size(); ++i) CHECK(writers[i]->summary().truncated_at != kNever);
#endif
  for (const auto& w : writers)
    CHECK(w->summary().bytes <= (w->summary().truncated_at == kNever ? kNoCap : kCap));
}
