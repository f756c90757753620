// SPDX-License-Identifier: Apache-2.0
// Fetch: does decode get the right words, and are no more asked for than the buffer holds?
#include "machine/front_end/fetch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace tokencycle;
using namespace tokencycle::machine;

namespace {

constexpr DramAddress kBase{0x1000};
constexpr std::uint32_t kWords = 200;

// Never asks for anything.
class Nobody : public memory::BurstSource {
 public:
  Cycle next_issue() const override { return kNever; }
  const memory::Burst& head() const override { return burst_; }
  void issued(Cycle) override {}
  void completed(Cycle, const memory::Burst&) override {}
  void data_state_changed(Cycle, observe::State) override {}

 private:
  memory::Burst burst_;
};

constexpr Turn kDecode{6};

// The clock, as far as it wakes decode.
class DecodeWakes : public ClockControl {
 public:
  void wake(Turn turn, Cycle cycle) override {
    CHECK(turn == kDecode);
    at = cycle;
  }
  void stop() override {}
  Cycle at = kNever;
};

class BurstRecorder : public observe::Observer {
 public:
  void on_event(const observe::Event& e) override {
    if (e.kind == observe::EventKind::burst_issued) issued.push_back(e);
  }
  std::vector<observe::Event> issued;
};

isa::Word word_of(std::uint32_t pc) {
  isa::Word word{};
  word[0] = static_cast<std::byte>(pc);
  word[31] = static_cast<std::byte>(pc >> 8);
  return word;
}

// Fetch with its memory, and a decode that does what the test says.
struct Bench {
  config::Machine machine;
  memory::DramStorage storage{1u << 20};
  observe::EventHub hub;
  BurstRecorder bursts;
  std::unique_ptr<memory::Interconnect> interconnect;
  std::unique_ptr<Fetch> fetch;
  Nobody store, load;
  DecodeWakes decode;
  Cycle now{1};

  Bench(std::uint32_t burst_bytes, std::uint32_t buffer_words, std::uint32_t in_flight, double latency = 20) {
    machine.dram = {2, 1u << 20, 16, latency, burst_bytes, 64, config::DramModel::ideal, nullptr};
    machine.fetch = {buffer_words, in_flight};
    hub.subscribe(bursts);
    for (std::uint32_t pc = 0; pc < kWords; ++pc) {
      storage.write(kBase + std::uint64_t{pc} * isa::kWordBytes, word_of(pc));
    }
    interconnect = std::make_unique<memory::Interconnect>(memory::make_ideal_dram(machine), machine, hub);
    fetch = std::make_unique<Fetch>(machine, storage, hub, ClockLine(decode, kDecode));
    interconnect->attach({{fetch.get(), memory::Requester::fetch},
                          {&store, memory::Requester::store},
                          {&load, memory::Requester::load}});
    fetch->start(now, kBase, kWords);
  }
  // The first cycle from now on in which the word can be taken.
  Cycle wait_for(std::uint32_t pc) {
    for (Cycle promised = now;; now += Cycle(1)) {
      interconnect->advance(now);
      if (decode.at != kNever) promised = std::exchange(decode.at, kNever);
      const FetchedWord word = fetch->peek(now, pc);
      if (word.word == nullptr) {
        CHECK(word.retry > now);
        promised = word.retry;
        continue;
      }
      CHECK(promised <= now);  // decode, which sleeps, was woken or had been told when to look again
      CHECK((promised == now || word.arrived + 1 < now));
      CHECK(*word.word == word_of(pc));
      CHECK(word.arrived < now);  // usable from the cycle after its arrival
      return now;
    }
  }
  void settle() {
    now += Cycle(1000);
    interconnect->advance(now);
  }
};

}  // namespace

TEST_CASE("prefetch fills the buffer in whole bursts and continues when decode moves up") {
  for (const std::uint32_t burst_bytes : {32u, 64u, 128u}) {
    const std::uint32_t per_burst = burst_bytes / 32;
    Bench b(burst_bytes, 17, 4);
    const std::uint32_t held = 17 / per_burst;  // bursts
    b.settle();
    CHECK(b.bursts.issued.size() == held);
    for (std::uint32_t pc = 0; pc < per_burst; ++pc) {
      CHECK(b.bursts.issued.size() == held);
      b.fetch->move_to(b.now, pc + 1, pc + 1);  // the first burst's words are used up one by one
      b.settle();
    }
    CHECK(b.bursts.issued.size() == held + 1);
    CHECK(b.bursts.issued.back().number == kBase.value + std::uint64_t{held} * burst_bytes);
  }
}

TEST_CASE("no more requests wait for memory than the configuration allows") {
  for (const std::uint32_t limit : {1u, 2u, 5u}) {
    Bench b(32, 64, limit, 100);
    for (; b.now < Cycle(100); b.now += Cycle(1)) b.interconnect->advance(b.now);
    CHECK(b.bursts.issued.size() == limit);
  }
}

TEST_CASE("the end of the program is not read past, also when it ends within a burst") {
  Bench b(128, 64, 4);
  for (std::uint32_t pc = 0; pc < kWords; ++pc) {
    b.wait_for(pc);
    b.fetch->move_to(b.now, pc + 1, pc + 1);
  }
  b.settle();
  std::uint64_t bytes = 0;
  for (const observe::Event& e : b.bursts.issued) bytes += e.value;
  CHECK(b.bursts.issued.back().number + b.bursts.issued.back().value == kBase.value + kWords * 32);
  CHECK(bytes == kWords * 32);
}

TEST_CASE("words that decode keeps stay, others are read again") {
  Bench b(64, 32, 4);
  for (std::uint32_t pc = 0; pc < 10; ++pc) {
    b.wait_for(pc);
    b.fetch->move_to(b.now, pc + 1, std::min(pc + 1, 3u));  // a loop that begins at word 3
  }
  b.settle();
  const std::size_t before = b.bursts.issued.size();
  b.fetch->move_to(b.now, 3, 3);
  CHECK(b.wait_for(3) == b.now);  // at once
  b.settle();
  CHECK(b.bursts.issued.size() == before);
  b.fetch->move_to(b.now, 0, 0);  // has left the window
  const Cycle asked = b.now;
  CHECK(b.wait_for(0) > asked + 20);
  CHECK(b.bursts.issued.size() > before);
}

TEST_CASE("a burst that is under way at a jump does not bring its words to the wrong place") {
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    const std::uint32_t burst_bytes = 32u << random() % 3;
    Bench b(burst_bytes,
            std::max<std::uint32_t>(4, 2 * burst_bytes / 32) + static_cast<std::uint32_t>(random() % 30),
            1 + static_cast<std::uint32_t>(random() % 6), static_cast<double>(random() % 80));
    std::uint32_t pc = 0;
    for (int step = 0; step < 150; ++step) {
      if (random() % 4 != 0) b.wait_for(pc);
      const bool jump = random() % 8 == 0;
      pc = jump ? static_cast<std::uint32_t>(random() % kWords) : (pc + 1) % kWords;
      // Decode keeps a loop's words when the loop fits.
      const std::uint32_t behind = static_cast<std::uint32_t>(random() % std::max(1u, b.fetch->capacity()));
      b.fetch->move_to(b.now, pc, pc - std::min(pc, behind));
      b.now += Cycle(1 + random() % 10);
      b.interconnect->advance(b.now);
    }
    b.wait_for(pc);
  }
}
