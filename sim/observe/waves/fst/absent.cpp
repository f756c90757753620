// SPDX-License-Identifier: Apache-2.0
// In place of file.cpp where the FST library is not installed.
#include <fmt/format.h>

#include "base/error.h"
#include "observe/waves/fst_file.h"

namespace tokencycle::observe {

bool can_write_fst() {
  return false;
}

std::unique_ptr<FstFile> create_fst_file(const std::filesystem::path&, const std::string& shown) {
  throw UsageError(
      fmt::format("{}: this program was built without GTKWave's FST library; install Debian's package "
                  "verilator, which has "
                  "it, configure and build again, or write a .vcd, which vcd2fst turns into FST",
                  shown));
}

}  // namespace tokencycle::observe
