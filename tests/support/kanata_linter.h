// SPDX-License-Identifier: Apache-2.0
// Reads Kanata 0004 as strictly as the format can be meant; the viewer itself is silent about most mistakes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tokencycle::test {

struct KanataStage {
  int lane = 0;
  std::string name;
  std::uint64_t begin = 0, end = 0;  // cycles [begin, end)
};

struct KanataOp {
  std::uint64_t sequence = 0;  // the simulator's number
  std::uint64_t begin = 0, end = 0;
  std::string label, tooltip;
  std::vector<KanataStage> stages;       // in the order in which they begin
  std::vector<std::uint64_t> producers;  // ids
  bool retired = false, flushed = false;
  std::uint64_t retirement = 0;

  // The stages of one lane.
  std::vector<KanataStage> lane(int which) const;
};

// The ops by id. Throws std::runtime_error (line, rule) for: another header; numbers that are none; columns
// too many or too few; time that does not grow; ids that are not dense from 0; a command for an op that does
// not exist or has ended; a stage that begins before the last one of its lane has ended, that ends under
// another name or at once; lanes other than 0 and 1; an op that depends on itself; retirements that are not
// numbered 0, 1, ...; ops that never end.
std::vector<KanataOp> lint_kanata(const std::string& text);

}  // namespace tokencycle::test
