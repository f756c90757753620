// SPDX-License-Identifier: Apache-2.0
// PGM images, plain and binary.
#include "fuzz/support.h"
#include "model/image.h"

namespace tokencycle::fuzz {
namespace {

bool feed(Input input) {
  try {
    const model::Image image = model::parse_pgm(text_of(input), "image");
    require(image.width != 0 && image.width <= model::kMostImageSide, "a width out of range");
    require(image.height != 0 && image.height <= model::kMostImageSide, "a height out of range");
    require(image.pixels.size() == std::size_t{image.width} * image.height, "another number of pixels");
    for (const float pixel : image.pixels) require(pixel >= 0.0f && pixel <= 1.0f, "a pixel out of range");
    for (std::uint32_t side = 1; side <= 3; ++side) {
      if (image.width % side != 0 || image.height % side != 0) continue;
      require(model::patch_rows(image, side).size() == image.pixels.size() + side * side,
              "patches of another size");
    }
    return true;
  } catch (const Error& error) {
    check_refusal(error, "image", {ExitCode::io});
    return false;
  }
}

Bytes mutate(Input input, Random& random) {
  return mutate_text(input, random,
                     {"P2\n", "P5\n", "P6", "# a\n", "4096 ", "4097 ", "65535\n", "65536\n", "255\n", " ",
                      "\t", "\r\n", "0", "-1", "18446744073709551616"});
}

std::vector<Seed> seeds() {
  const std::string two_bytes = "P5 3 1 300\n" + std::string("\0\1\1,\0\0", 6);
  return {{"plain", bytes_of("P2\n# a picture\n3 2\n15\n0 7 15\n15 7 0\n")},
          {"binary", bytes_of("P5 4 2 255\nabcdefgh")},
          {"two_bytes", bytes_of(two_bytes)}};
}

}  // namespace

Target image_target() {
  return {"image", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
