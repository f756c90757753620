// SPDX-License-Identifier: Apache-2.0
// Arrows of traces: is the first reader of a load found, through loops and address registers?
#include "observe/analysis/load_flows.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

using namespace tokencycle;
using namespace tokencycle::observe;

namespace {

using Flows = std::multimap<std::uint64_t, std::uint64_t>;  // reader, load

// Decodes the words in the order of `pcs`; everything is in the trace and retires at once.
Flows flows_of(const std::string& text, const std::vector<std::uint32_t>& pcs) {
  const isa::Program program = isa::assemble(text, "test");
  LoadFlows flows;
  flows.begin_step(program);
  Flows found;
  for (std::uint64_t i = 0; i < pcs.size(); ++i) {
    flows.on_decoded(i, pcs[i]);
    flows.on_written(i);
    for (const std::uint64_t flow : flows.take(i)) found.emplace(i, flow - 1);
  }
  return found;
}

const std::string kLoad = "load dst_stride=64 dram=0 dram_stride=64 rows=1 cols=64 dst=s:";
const std::string kCopy = "copy dst_stride=64 a_stride=64 rows=1 cols=16 ";

}  // namespace

TEST_CASE("the first instruction that reads a load's bytes gets its arrow, and nobody after it") {
  const std::string text = kLoad + "0\n" + kLoad + "64\n" + kCopy + "dst=s:256 a=s:64\n" + kCopy +
                           "dst=s:512 a=s:32\n" + kCopy + "dst=s:768 a=s:0\nhalt\n";
  CHECK(flows_of(text, {0, 1, 2, 3, 4, 5}) == Flows{{2, 1}, {3, 0}});
}

TEST_CASE("one instruction may be the first reader of two loads") {
  const std::string text = kLoad + "0\n" + kLoad + "64\n" + kCopy + "dst=s:256 a=s:32\nhalt\n";
  CHECK(flows_of(text, {0, 1, 2, 3}) == Flows{{2, 0}, {2, 1}});
}

TEST_CASE("what is written over before it is read has no arrow") {
  const std::string by_load = kLoad + "0\n" + kLoad + "0\n" + kCopy + "dst=s:256 a=s:0\nhalt\n";
  CHECK(flows_of(by_load, {0, 1, 2, 3}) == Flows{{2, 1}});
  const std::string by_copy = kLoad + "0\n" + kCopy + "dst=s:0 a=s:512\n" + kCopy + "dst=s:256 a=s:0\nhalt\n";
  CHECK(flows_of(by_copy, {0, 1, 2, 3}).empty());
}

TEST_CASE("addresses are followed through registers and loops") {
  // r1 walks through two loads in an inner loop that runs twice, and is as before after it.
  const std::string text = kLoad + "0\n" + kLoad + "64\n" + kLoad + "128\n" +  // 0 1 2
                           "set_address r1=32\nadd_address r1=-32\n" +         // 3 4
                           "loop count=2 until=end r1+=64\n" + kCopy + "dst=s:1024 a=s:0+r1\nend:\n" +  // 5 6
                           kCopy + "dst=s:2048 a=s:128+r1\nhalt\n";                                     // 7 8
  CHECK(flows_of(text, {0, 1, 2, 3, 4, 5, 6, 6, 7, 8}) == Flows{{6, 0}, {7, 1}, {8, 2}});
}

TEST_CASE("nested loops give their registers back at their ends") {
  const std::string text = "set_address r1=0\nloop count=2 until=outer r1+=64\n" + kLoad +
                           "0+r1\n" +                                       // 0 1 2
                           "loop count=2 until=inner r1+=4096\n" + kCopy +  // 3
                           "dst=s:1024 a=s:8192+r1\ninner:\n" + kCopy +     // 4
                           "dst=s:2048 a=s:0+r1\nouter:\nhalt\n";           // 5 6
  CHECK(flows_of(text, {0, 1, 2, 3, 4, 4, 5, 2, 3, 4, 4, 5, 6}) == Flows{{6, 2}, {11, 7}});
}

TEST_CASE("a load that is not in the trace has no arrow, and a step begins without loads") {
  const isa::Program program = isa::assemble(kLoad + "0\n" + kCopy + "dst=s:256 a=s:0\nhalt\n", "test");
  LoadFlows flows;
  flows.begin_step(program);
  flows.on_decoded(0, 0);
  flows.on_decoded(1, 1);
  CHECK(flows.take(1).empty());
  flows.begin_step(program);
  flows.on_decoded(2, 0);
  flows.on_written(2);
  flows.begin_step(program);
  flows.on_decoded(3, 1);
  CHECK(flows.take(3).empty());
}
