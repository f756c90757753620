// SPDX-License-Identifier: Apache-2.0
// What the FST library knows and its own interface does not report.
#pragma once

namespace tokencycle::observe {

// Whether some write to the file that `writer` (of fstWriterCreate) has open failed. errno says why
// if it fails now.
bool fst_write_failed(void* writer);

}  // namespace tokencycle::observe
