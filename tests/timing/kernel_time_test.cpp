// SPDX-License-Identifier: Apache-2.0
// Is the kernel's time that of the cycle whenever something else in the kernel could look at it?
#include <catch2/catch.hpp>
#include <systemc>

#include "isa/program.h"
#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

// The most cycles by which the kernel's time differs from those of decode's and the vector unit's events,
// which they report in their edges.
class Distance : public observe::Observer {
 public:
  explicit Distance(double clock_ghz) : period_(1.0 / clock_ghz, sc_core::SC_NS) {}
  std::uint32_t interests() const override { return observe::kinds({observe::EventKind::instruction}); }
  void on_event(const observe::Event& event) override {
    if (event.unit != observe::UnitId::decode && event.unit != observe::UnitId::vector) return;
    const std::uint64_t kernel = kernel_cycle(), cycle = event.cycle.value;
    most = std::max(most, cycle > kernel ? cycle - kernel : kernel - cycle);
    ++events;
  }
  std::uint64_t kernel_cycle() const { return sc_core::sc_time_stamp().value() / period_.value(); }
  std::uint64_t most = 0, events = 0;

 private:
  const sc_core::sc_time period_;
};

const char* const kProgram =
    "loop count=300 until=a\n"
    "  load dst=s:0 dram=0 rows=1 cols=64\n"
    "  add dst=s:0x1000 a=s:0 b=s:32 rows=1 cols=8\n"
    "a:\nhalt";

}  // namespace

TEST_CASE("with something else pending in the kernel its time is that of each edge") {
  const config::Machine m = plain_machine();
  const isa::Program p = isa::assemble(kProgram, "test");
  for (const machine::Clocking clocking : {machine::Clocking::gated, machine::Clocking::every_edge}) {
    std::uint64_t end = 0;
    for (const bool pending : {false, true}) {
      machine::Accelerator accelerator(m, clocking);
      Distance distance(m.clock_ghz);
      accelerator.events().subscribe(distance);
      accelerator.dram().write(kWordsAt, std::as_bytes(std::span(p.words)));
      sc_core::sc_event other("other");
      const sc_core::sc_time at(1, sc_core::SC_SEC);
      if (pending) other.notify(at);
      const Cycle last = accelerator.execute(kWordsAt, static_cast<std::uint32_t>(p.words.size())).end - 1;
      CHECK(distance.events > 1000);
      if (pending) {
        CHECK(distance.most == 0);
        CHECK(sc_core::sc_time_stamp() == at);
        CHECK(last.value == end);
      } else {  // one timed event stands for many edges, and the kernel's time follows when the program ends
        CHECK(distance.most > 0);
        CHECK(distance.kernel_cycle() == last.value);
      }
      end = last.value;
    }
  }
}
