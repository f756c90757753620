// SPDX-License-Identifier: Apache-2.0
// Requests a second through the DRAM controller alone. Measured and printed, never asserted.
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>

#include "memory/dram_reference.h"

using namespace tokencycle;
using namespace tokencycle::test;
using memory::Clock;

namespace {

class LastCompletion : public memory::DramListener {
 public:
  explicit LastCompletion(bool waits) : waits_(waits) {}
  void completed(std::uint64_t, Clock clock) override { last = std::max(last, clock); }
  void waiting(Clock, memory::DramWait) override { ++changes; }
  bool wants_waits() const override { return waits_; }
  Clock last = 0;
  std::uint64_t changes = 0;

 private:
  bool waits_;
};

struct Load {
  const char* name;
  std::uint64_t requests;
  std::function<std::uint64_t()> address;  // of the next read
  std::function<Clock()> gap;              // clocks from its arrival to the next one's
  bool every_clock;                        // advanced to each clock, otherwise to the next arrival or event
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Requests come at their clocks or, while the queue is full, as fast as it accepts. Addresses are taken apart
// outside the time that is measured, which is the processor's own.
void measure(const Load& load, bool waits) {
  constexpr std::size_t kChunk = 1 << 14;
  const config::DramSystem system = reference_system(ddr4_3200aa());
  LastCompletion listener(waits);
  memory::DramController controller(system, listener);
  std::vector<DramArrival> chunk;
  Clock now = 0, next = 0;
  double took = 0;
  for (std::uint64_t done = 0; done < load.requests; done += chunk.size()) {
    chunk.clear();
    while (chunk.size() < kChunk && done + chunk.size() < load.requests) {
      chunk.push_back(decode(system, load.address(), false));
      chunk.back().at = next;
      next += load.gap();
    }
    const double begin = cpu_seconds();
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const DramArrival& a = chunk[i];
      if (load.every_clock) {
        while (now < a.at) controller.advance(now++);
      }
      controller.advance(now = std::max(now, a.at));
      while (!controller.has_room(false)) {
        now = std::max(now + 1, load.every_clock ? 0 : controller.next_event());
        controller.advance(now);
      }
      controller.accept(now, {done + i, false, a.bank, a.row, a.column});
    }
    took += cpu_seconds() - begin;
  }
  while (controller.waiting() != 0) controller.advance(now = std::max(now + 1, controller.next_event()));
  fmt::print("{:<12}{:>9} reads {:>10} clocks {:>9} {:>7.2f} s {:>7.2f} million reads/s\n", load.name,
             load.requests, listener.last, waits ? "waits" : "no waits", took,
             static_cast<double>(load.requests) / took * 1e-6);
}

}  // namespace

// The SystemC library refers to sc_main; nothing is elaborated here.
extern "C" int sc_main(int, char*[]) {
  return 0;
}

// An argument divides the numbers of requests. All of DDR4-3200, one rank.
int main(int argc, char** argv) {
  const std::uint64_t divisor = argc > 1 ? std::max(1ul, std::strtoul(argv[1], nullptr, 10)) : 1;
  std::uint64_t address = 0;
  std::mt19937_64 random(1);
  const auto in_sequence = [&] { return (address += 64) - 64; };
  const auto anywhere = [&] { return random() % (1ull << 33); };
  const auto gap_of = [](Clock clocks) { return [clocks] { return clocks; }; };
  for (const bool waits : {false, true}) {
    measure({"sequential", 5'000'000 / divisor, in_sequence, gap_of(1), false}, waits);
    measure({"random", 1'000'000 / divisor, anywhere, gap_of(1), false}, waits);
    measure({"paced", 2'000'000 / divisor, in_sequence, gap_of(2), true}, waits);
    measure({"with gaps", 1'000'000 / divisor, anywhere, [&] { return random() % 40; }, true}, waits);
  }
}
