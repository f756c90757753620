// SPDX-License-Identifier: Apache-2.0
// Grey images from PGM files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace tokencycle::model {

struct Image {
  std::uint32_t width = 0, height = 0;
  std::vector<float> pixels;  // row by row from the top; 0 black to 1, the file's largest value
};

inline constexpr std::uint32_t kMostImageSide = 4096;

// Of a PGM file's bytes, plain (P2) or binary (P5, one or two bytes a pixel), as pgm(5) of netpbm describes
// it; one image of at most kMostImageSide pixels a side. `name` is for messages. Throws IoError with the byte
// where it is wrong.
Image parse_pgm(std::string_view bytes, std::string_view name);

// The same of a file, or of standard input for "-". Throws IoError.
Image read_pgm(const std::filesystem::path& path);

// [patch][pixel]: square patches of `side` pixels a side, row by row from the top left, and so are the pixels
// of each; behind them a row of zeros. The image's sides are multiples of `side`.
std::vector<float> patch_rows(const Image& image, std::uint32_t side);

}  // namespace tokencycle::model
