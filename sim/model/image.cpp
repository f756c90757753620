// SPDX-License-Identifier: Apache-2.0
#include "model/image.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/read_file.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kMostGrey = 65535;
// Of a file: the most pixels as plain numbers with a blank each, and comments.
constexpr std::size_t kMostBytes = std::size_t{kMostImageSide} * kMostImageSide * 6 + 4096;

class Parser {
 public:
  Parser(std::string_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  Image run() {
    const bool binary = bytes_.starts_with("P5");
    if (!binary && !bytes_.starts_with("P2")) fail("it begins with neither P2 nor P5");
    at_ = 2;
    Image image;
    image.width = number("its width", 1, kMostImageSide);
    image.height = number("its height", 1, kMostImageSide);
    const std::uint32_t largest = number("its largest grey value", 1, kMostGrey);
    const std::size_t count = std::size_t{image.width} * image.height;
    if (binary) {
      read_bytes(image.pixels, count, largest);
    } else {
      for (std::size_t i = 0; i < count; ++i) add(image.pixels, number("a grey value", 0, largest), largest);
      skip_blanks();
    }
    if (at_ != bytes_.size()) fail("more follows the last pixel");
    return image;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(
        fmt::format("{}: no PGM image of one picture: {}, at byte {}; convert it, as with netpbm's "
                    "`pnmtopnm -plain` or ImageMagick's `convert -colorspace gray`",
                    name_, what, at_));
  }
  static void add(std::vector<float>& pixels, std::uint32_t value, std::uint32_t largest) {
    pixels.push_back(static_cast<float>(value) / static_cast<float>(largest));
  }
  static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  // Blanks, and comments from # to the line's end.
  void skip_blanks() {
    bool comment = false;
    for (; at_ < bytes_.size(); ++at_) {
      const char c = bytes_[at_];
      if (comment) {
        comment = c != '\n' && c != '\r';
      } else if (c == '#') {
        comment = true;
      } else if (!is_blank(c)) {
        return;
      }
    }
  }

  std::uint32_t number(std::string_view what, std::uint32_t least, std::uint32_t most) {
    const std::size_t before = at_;
    skip_blanks();
    if (at_ == bytes_.size()) fail(fmt::format("it ends before {}", what));
    if (!is_digit(bytes_[at_]) || at_ == before) fail(fmt::format("{} is no number", what));
    std::uint64_t value = 0;
    for (; at_ < bytes_.size() && is_digit(bytes_[at_]); ++at_) {
      value = value * 10 + static_cast<std::uint64_t>(bytes_[at_] - '0');
      if (value > most) fail(fmt::format("{} is more than {}", what, most));
    }
    if (value < least) fail(fmt::format("{} is {}, less than {}", what, value, least));
    return static_cast<std::uint32_t>(value);
  }

  // Behind one blank; two bytes are the larger one first.
  void read_bytes(std::vector<float>& pixels, std::size_t count, std::uint32_t largest) {
    if (at_ == bytes_.size() || !is_blank(bytes_[at_])) fail("no blank follows its largest grey value");
    ++at_;
    const std::size_t each = largest > 255 ? 2 : 1;
    if (bytes_.size() - at_ < count * each)
      fail(fmt::format("{} bytes of pixels follow, and it has {}", bytes_.size() - at_, count * each));
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t value = 0;
      for (std::size_t k = 0; k < each; ++k) value = value << 8 | static_cast<unsigned char>(bytes_[at_ + k]);
      if (value > largest) fail(fmt::format("a grey value is {}, more than {}", value, largest));
      add(pixels, value, largest);
      at_ += each;
    }
  }

  std::string_view bytes_, name_;
  std::size_t at_ = 0;
};

}  // namespace

Image parse_pgm(std::string_view bytes, std::string_view name) {
  return Parser(bytes, name).run();
}

Image read_pgm(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kMostBytes, "give a smaller image");
  return parse_pgm(bytes, shown_name(path));
}

std::vector<float> patch_rows(const Image& image, std::uint32_t side) {
  std::vector<float> rows;
  for (std::uint32_t top = 0; top < image.height; top += side) {
    for (std::uint32_t left = 0; left < image.width; left += side) {
      for (std::uint32_t y = top; y < top + side; ++y) {
        const auto first =
            image.pixels.begin() + static_cast<std::ptrdiff_t>(std::size_t{y} * image.width + left);
        rows.insert(rows.end(), first, first + side);
      }
    }
  }
  rows.resize(rows.size() + std::size_t{side} * side, 0.0f);
  return rows;
}

}  // namespace tokencycle::model
