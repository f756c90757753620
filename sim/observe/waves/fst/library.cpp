// SPDX-License-Identifier: Apache-2.0
// GTKWave's FST library (MIT licence) comes as C sources; this is the one place that compiles them.
#include "observe/waves/fst/library.h"

#define FST_CONFIG_INCLUDE "fst_config.h"
#define LZ4_DISABLE_DEPRECATE_WARNINGS
// clang-format off
// NOLINTBEGIN(bugprone-suspicious-include): as the first line says
#include "fastlz.c"
#include "fstapi.c"
#include "lz4.c"
// NOLINTEND(bugprone-suspicious-include)
// clang-format on

namespace tokencycle::observe {

// The library ignores what fwrite says, but the stream remembers it.
bool fst_write_failed(void* writer) {
  auto* context = static_cast<fstWriterContext*>(writer);
  return fflush(context->handle) != 0 || ferror(context->handle) != 0 || context->fseek_failed != 0 ||
         fflush(context->hier_handle) != 0 || ferror(context->hier_handle) != 0;
}

}  // namespace tokencycle::observe
