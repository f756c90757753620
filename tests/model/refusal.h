// SPDX-License-Identifier: Apache-2.0
// What the reader of models says of a file that was changed.
#pragma once

#include <string>

#include "base/error.h"
#include "model/architecture.h"
#include "support/gguf_writer.h"
#include "support/synthetic_model.h"

namespace tokencycle::test {

// `change` is given the writer of the shape's file. The ModelError's message, or "accepted".
template <class Change>
std::string refusal(const SyntheticModel& spec, Change change) {
  GgufWriter writer = synthetic_gguf(spec);
  change(writer);
  const TemporaryFile file(writer.bytes());
  try {
    const model::LlamaModel model(model::GgufFile(file.path()));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace tokencycle::test
