// SPDX-License-Identifier: Apache-2.0
#include "fuzz/gguf_document.h"

#include <algorithm>
#include <cstring>

#include "base/quantity.h"
#include "fuzz/support.h"

namespace tokencycle::fuzz {
namespace {

constexpr std::uint64_t kAlignment = 32;  // of the data section in what is written here
constexpr std::uint32_t kString = 8, kArray = 9;
constexpr std::size_t kMostParts = 4096;  // an input with more is no seed of ours

// Takes from the front; `good` turns false where the bytes end.
class Cursor {
 public:
  explicit Cursor(Input bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  std::size_t offset() const { return offset_; }
  Input take(std::uint64_t count) {
    if (!good_ || count > bytes_.size() - offset_) {
      good_ = false;
      return {};
    }
    const Input taken = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += taken.size();
    return taken;
  }
  template <class T>
  T number() {
    T value{};
    const Input taken = take(sizeof value);
    if (good_) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(text_of(take(number<std::uint64_t>()))); }
  Input since(std::size_t first) const { return bytes_.subspan(first, offset_ - first); }
  Input rest() const { return bytes_.subspan(offset_); }

 private:
  Input bytes_;
  std::size_t offset_ = 0;
  bool good_ = true;
};

void skip_value(Cursor& in, std::uint32_t type) {
  static constexpr std::uint8_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  if (type == kString) {
    in.text();
  } else if (type == kArray) {
    const auto element = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && in.good(); ++i) {
      if (element == kArray) return void(in.take(~std::uint64_t{0}));
      skip_value(in, element);
    }
  } else if (type < std::size(kBytes)) {
    in.take(kBytes[type]);
  } else {
    in.take(~std::uint64_t{0});  // an unknown type: nobody knows where it ends
  }
}

template <class T>
void put(Bytes& out, T value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_text(Bytes& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  const Bytes bytes = bytes_of(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::optional<GgufDocument> parse_document(Input input) {
  Cursor in(input);
  GgufDocument document;
  if (text_of(in.take(4)) != "GGUF") return std::nullopt;
  document.version = in.number<std::uint32_t>();
  const auto tensors = in.number<std::uint64_t>(), keys = in.number<std::uint64_t>();
  if (!in.good() || tensors > kMostParts || keys > kMostParts) return std::nullopt;
  for (std::uint64_t i = 0; i < keys && in.good(); ++i) {
    GgufDocument::Key key;
    key.name = in.text();
    key.type = in.number<std::uint32_t>();
    const std::size_t first = in.offset();
    skip_value(in, key.type);
    const Input value = in.since(first);
    key.value.assign(value.begin(), value.end());
    document.keys.push_back(std::move(key));
  }
  for (std::uint64_t i = 0; i < tensors && in.good(); ++i) {
    GgufDocument::Tensor tensor;
    tensor.name = in.text();
    const auto dimensions = in.number<std::uint32_t>();
    if (dimensions > 8) return std::nullopt;
    for (std::uint32_t d = 0; d < dimensions; ++d) tensor.shape.push_back(in.number<std::uint64_t>());
    tensor.type = in.number<std::uint32_t>();
    tensor.offset = in.number<std::uint64_t>();
    document.tensors.push_back(std::move(tensor));
  }
  if (!in.good()) return std::nullopt;
  const std::size_t padding = round_up(in.offset(), kAlignment) - in.offset();
  const Input data = in.rest().subspan(std::min(padding, in.rest().size()));
  document.data.assign(data.begin(), data.end());
  return document;
}

Bytes write_document(const GgufDocument& document) {
  Bytes out = bytes_of("GGUF");
  put(out, document.version);
  put<std::uint64_t>(out, document.tensors_said.value_or(document.tensors.size()));
  put<std::uint64_t>(out, document.keys_said.value_or(document.keys.size()));
  for (const GgufDocument::Key& key : document.keys) {
    put_text(out, key.name);
    put(out, key.type);
    out.insert(out.end(), key.value.begin(), key.value.end());
  }
  for (const GgufDocument::Tensor& tensor : document.tensors) {
    put_text(out, tensor.name);
    put(out, static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t size : tensor.shape) put(out, size);
    put(out, tensor.type);
    put(out, tensor.offset);
  }
  if (!document.tensors.empty()) out.resize(round_up(out.size(), kAlignment));
  out.insert(out.end(), document.data.begin(), document.data.end());
  return out;
}

Bytes mutate_gguf(Input input, Random& random) {
  std::optional<GgufDocument> document = parse_document(input);
  if (!document || random.one_in(8)) return mutate_bytes(input, random);
  for (std::size_t n = 1 + random.below(3); n > 0; --n) change_document(*document, random);
  return write_document(*document);
}

}  // namespace tokencycle::fuzz
