// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/prefixes.h"

namespace tokencycle::model {

void PrefixIndex::sort() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.spelling < b.spelling || (a.spelling == b.spelling && a.id > b.id);
  });
  const auto same = [](const Entry& a, const Entry& b) { return a.spelling == b.spelling; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

}  // namespace tokencycle::model
