// SPDX-License-Identifier: Apache-2.0
// What a file is, by how it begins, where it is none that its reader knows.
#pragma once

#include <string_view>

namespace tokencycle {

// "a Git LFS pointer, ...; fetch the file itself with `git lfs pull`": what begins so, and what to do with
// it; "" for what is not known. `head`: some hundred bytes of the file, or all of it.
std::string_view kind_by_beginning(std::string_view head);

// Without what controls terminals: most texts pass, no program or archive does.
bool is_text(std::string_view head);

}  // namespace tokencycle
