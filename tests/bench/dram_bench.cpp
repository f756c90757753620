// SPDX-License-Identifier: Apache-2.0
// Requests a second through the DRAM controller alone. Measured and printed, never asserted.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "memory/dram_reference.h"

using namespace tokencycle;
using namespace tokencycle::test;
using memory::Clock;

namespace {

class LastCompletion : public memory::DramListener {
 public:
  void completed(std::uint64_t, Clock clock) override { last = std::max(last, clock); }
  Clock last = 0;
};

// `next` gives the byte address of each read, as fast as the queue accepts.
template <class Next>
void measure(const char* name, std::uint64_t requests, Next next) {
  const config::DramSystem system = reference_system(ddr4_3200aa());
  LastCompletion listener;
  memory::DramController controller(system, listener);
  const auto begin = std::chrono::steady_clock::now();
  Clock now = 0;
  for (std::uint64_t i = 0; i < requests; ++i, ++now) {
    controller.advance(now);
    while (!controller.has_room(false)) {
      now = std::max(now + 1, controller.next_event());
      controller.advance(now);
    }
    const DramArrival a = decode(system, next(), false);
    controller.accept(now, {i, false, a.bank, a.row, a.column});
  }
  while (controller.waiting() != 0) controller.advance(now = std::max(now + 1, controller.next_event()));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<12}{:>10} reads of DDR4-3200 {:>12} clocks {:>8.2f} s {:>8.2f} million reads/s\n", name,
             requests, listener.last, took.count(), static_cast<double>(requests) / took.count() * 1e-6);
}

}  // namespace

// The SystemC library refers to sc_main; nothing is elaborated here.
extern "C" int sc_main(int, char*[]) {
  return 0;
}

// An argument divides the numbers of requests.
int main(int argc, char** argv) {
  const std::uint64_t divisor = argc > 1 ? std::max(1ul, std::strtoul(argv[1], nullptr, 10)) : 1;
  std::uint64_t address = 0;
  measure("sequential", 5'000'000 / divisor, [&] { return (address += 64) - 64; });
  std::mt19937_64 random(1);
  measure("random", 1'000'000 / divisor, [&] { return random() % (1ull << 33); });
}
