// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/token_span.h"

namespace tokencycle::observe {

void give_rest_to_last_worker(std::vector<OperatorUse>& uses) {
  if (uses.empty()) return;
  std::size_t worker = uses.size() - 1;
  while (worker > 0 && uses[worker].instructions == 0) --worker;
  if (worker + 1 == uses.size()) return;
  uses[worker].add(uses.back());
  uses.back() = {};
}

}  // namespace tokencycle::observe
