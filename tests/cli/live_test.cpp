// SPDX-License-Identifier: Apache-2.0
// Does a run say where it is, and only what it knows? The line's text, the time that is left, how often.
#include <catch2/catch.hpp>
#include <memory>

#include "cli/terminal/live_view.h"

using namespace tokencycle;
using namespace tokencycle::cli;

namespace {

observe::Stack stack_of(std::initializer_list<std::pair<observe::Cause, std::uint64_t>> cycles) {
  observe::Stack stack{};
  for (const auto& [cause, count] : cycles) stack[static_cast<std::size_t>(cause)] = count;
  return stack;
}

// A file that is gone when it is closed, and what was written to it.
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;
std::string contents(std::FILE* file) {
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  REQUIRE(std::fread(text.data(), 1, text.size(), file) == text.size());
  return text;
}

}  // namespace

TEST_CASE("the line has what is known, and leaves out what is not") {
  LiveFigures f;
  f.place = "token 12 of 64";
  f.count = 1234567;
  CHECK(live_text(f) == "token 12 of 64, 1,234,567 cycles");
  f.per_second = 3.71e6;
  f.seconds_left = 13.2;
  f.bottleneck = bottleneck_text(stack_of({{observe::Cause::preload, 78}, {observe::Cause::vector, 22}}));
  CHECK(live_text(f) == "token 12 of 64, 1,234,567 cycles, 3.7 Mcycles/s, 14 s left, preload 78 %");
  f.left_of = "the prompt";
  f.unit = "tokens";
  f.per_second = 950;
  CHECK(live_text(f) ==
        "token 12 of 64, 1,234,567 tokens, 0.9 ktokens/s, 14 s left of the prompt, preload 78 %");
  CHECK(bottleneck_text({}).empty());
  LiveFigures within;
  within.place = "token 1 of 2";
  within.step = "layer 3 of 32, blk.2.attn_q, 12 %";
  CHECK(live_text(within) == "token 1 of 2, layer 3 of 32, blk.2.attn_q, 12 %, 0 cycles");
}

TEST_CASE("durations are rounded up to what is shown") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(0.1) == "1 s");
  CHECK(duration_text(59.0) == "59 s");
  CHECK(duration_text(59.5) == "1 min 0 s");
  CHECK(duration_text(125) == "2 min 5 s");
  CHECK(duration_text(3599.9) == "1 h 0 min");
  CHECK(duration_text(3661) == "1 h 2 min");
  CHECK(duration_text(3600.0 * 1234) == "1,234 h 0 min");
}

TEST_CASE("the time left is that of the parts done, and is not known before there is one") {
  Pace pace(10, 100);
  CHECK_FALSE(pace.left(105));
  pace.under_way(2);  // 2 of 10 in 5 s, by a guess that the first part's end makes void
  CHECK(pace.left(105).value() == Approx(20));
  pace.done(1, 102);  // 2 s a part
  CHECK(pace.left(102).value() == Approx(18));
  CHECK(pace.left(103).value() == Approx(17));
  // A part that takes longer than those before it does not eat up the others' time.
  CHECK(pace.left(110).value() == Approx(16));
  pace.done(2, 104);  // 3 of weight in 4 s, and 7 to come
  CHECK(pace.left(104).value() == Approx(7 * 4.0 / 3));
  pace.done(7, 110);
  CHECK(pace.left(110).value() == Approx(0).margin(1e-9));
  CHECK(pace.left(120).value() == Approx(0).margin(1e-9));
  Pace unknown(0, 0);
  unknown.done(1, 1);
  CHECK_FALSE(unknown.left(1));
}

TEST_CASE("the last eight parts count, so that a slow beginning is forgotten") {
  Pace pace(100, 0);
  pace.done(1, 1000);
  for (int i = 1; i <= 8; ++i) pace.done(1, 1000 + i);
  CHECK(pace.left(1008).value() == Approx(91));
}

TEST_CASE("the rate is that of the last two seconds") {
  RecentRate rate;
  CHECK_FALSE(rate.per_second());
  rate.add(0, 0);
  CHECK_FALSE(rate.per_second());
  for (int i = 1; i <= 100; ++i) rate.add(static_cast<std::uint64_t>(i), 0.1 * i);  // 10 a second
  CHECK(rate.per_second().value() == Approx(10));
  for (int i = 1; i <= 30; ++i) rate.add(100 + 5 * static_cast<std::uint64_t>(i), 10 + 0.1 * i);
  CHECK(rate.per_second().value() == Approx(50));
  rate.add(3, 20);  // another work is counted from its beginning
  CHECK_FALSE(rate.per_second());
}

TEST_CASE("lines come every ten seconds of wall time at most, also within a token") {
  const File file(std::tmpfile());
  double now = 1000;
  LiveView view(
      LiveMode::lines, [&now] { return now; }, file.get());
  view.begin(3);
  view.set_place("token 2 of 4");
  std::uint64_t cycles = 0;
  for (int tenth = 0; tenth <= 250; ++tenth) {  // 25 s, a million cycles each
    now = 1000 + 0.1 * tenth;
    view.update(cycles);
    cycles += 100'000;
    if (tenth == 150) view.done(1);
  }
  view.end();
  now += 100;
  view.update(cycles);
  CHECK(contents(file.get()) ==
        "tokencycle: token 2 of 4, 10,000,000 cycles, 1.0 Mcycles/s\n"
        "tokencycle: token 2 of 4, 20,000,000 cycles, 1.0 Mcycles/s, 25 s left\n");
}

TEST_CASE("a quiet run looks at no clock and writes nothing") {
  const File file(std::tmpfile());
  CHECK(live_mode(true) == LiveMode::none);
  bool asked = false;
  LiveView view(
      LiveMode::none,
      [&asked] {
        asked = true;
        return 0.0;
      },
      file.get());
  for (std::uint64_t i = 0; i < 100; ++i) view.update(i);
  CHECK_FALSE(asked);
  CHECK(contents(file.get()).empty());
}
