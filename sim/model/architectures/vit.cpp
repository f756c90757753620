// SPDX-License-Identifier: Apache-2.0
// A vision Transformer (Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021) of square grey images:
// patches and a class row, positions, layers of attention in all directions, and the classes of the class
// row. Names and keys of its file are this project's own where llama.cpp has none (sim/model/README.md).
#include <fmt/format.h>

#include "model/architectures/encoder.h"
#include "model/gguf/reader.h"
#include "model/image.h"

namespace tokencycle::model {

// Behind the patches lies the class row, which has no pixels: all that it is stands in position_embd.
void build_vit(GraphBuilder& g, const Hyperparameters& s) {
  Encoder e(g, s);
  const ValueId rows = g.input_rows("patches", s.patch_size * s.patch_size);
  e.begin();
  ValueId x = g.linear("patch_embd", g.read_rows("patch_rows", rows), s.width);
  x = e.positions(x, rows);
  for (std::uint32_t i = 0; i < s.layers; ++i) x = e.layer(i, x);
  e.finish(x);
}

void read_vit_file(const Metadata& m, Hyperparameters& s) {
  read_classes(m, s);
  s.image_size = m.require_size("image_size", kMostImageSide);
  s.patch_size = m.require_size("patch_size", s.image_size);
  if (s.image_size % s.patch_size != 0) {
    m.file.fail(
        fmt::format("'vit.image_size' is {}, but should be a multiple of the {} of 'vit.patch_size'; convert "
                    "the model again",
                    s.image_size, s.patch_size));
  }
  const std::uint32_t side = s.image_size / s.patch_size, rows = side * side + 1;
  if (s.context != rows) {
    m.file.fail(fmt::format(
        "'vit.context_length' is {}, but should be {}: {} x {} patches and the class row; convert "
        "the model again",
        s.context, rows, side, side));
  }
  s.run_context = s.context;  // the rows of one input, whatever is asked for
}

}  // namespace tokencycle::model
