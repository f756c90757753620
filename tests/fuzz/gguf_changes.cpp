// SPDX-License-Identifier: Apache-2.0
// What a hostile writer of GGUF files would think of.
#include <algorithm>
#include <cstring>

#include "fuzz/gguf_document.h"
#include "fuzz/support.h"

namespace tokencycle::fuzz {
namespace {

using Key = GgufDocument::Key;
using Tensor = GgufDocument::Tensor;
constexpr std::uint32_t kString = 8, kArray = 9;
constexpr std::size_t kArrayHead = 4 + 8;  // element type, count

template <class T>
void overwrite(Bytes& bytes, std::size_t at, T value) {
  if (at + sizeof value <= bytes.size()) std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Numbers that are none, or at an end, as their bits in 2, 4 or 8 bytes.
void put_odd_number(Bytes& bytes, std::size_t at, Random& random) {
  static const std::vector<std::uint32_t> kF32 = {0x7fc00000, 0x7f800000, 0xff800000, 0x80000000,
                                                  0x00000001, 0x7f7fffff, 0xbf800000};
  static const std::vector<std::uint16_t> kF16 = {0x7e00, 0x7c00, 0xfc00, 0x8000, 0x0001, 0x7bff};
  switch (random.below(4)) {
    case 0:
      return overwrite(bytes, at, random.of(kF32));
    case 1:
      return overwrite(bytes, at, random.of(kF16));
    case 2:
      return overwrite(bytes, at, random.interesting());
    default:
      return overwrite(bytes, at, static_cast<std::uint32_t>(random.interesting()));
  }
}

std::string odd_name(Random& random) {
  static const std::vector<std::string> kNames = {"",
                                                  "\x1b[2J",
                                                  "\xff\xfe",
                                                  "a\nb",
                                                  "\"",
                                                  "general.alignment",
                                                  "tokenizer.ggml.tokens",
                                                  "output.weight",
                                                  "blk.0.attn_q.bias",
                                                  "llama.attention.key_length",
                                                  "llama.expert_count"};
  return random.one_in(6) ? std::string(random.below(200), 'n') : random.of(kNames);
}

// The count, the element type, an element, or the element's length of an array.
void change_array(Bytes& value, Random& random) {
  switch (random.below(5)) {
    case 0:
      return overwrite(value, 4, random.interesting());
    case 1:
      return overwrite(value, 0, static_cast<std::uint32_t>(random.below(15)));
    case 2: {  // one element less, as the count says: a table of the wrong length
      std::uint64_t count = 0;
      std::memcpy(&count, value.data() + 4, sizeof count);
      return overwrite(value, 4, count - 1);
    }
    case 3:
      value.resize(kArrayHead);
      return overwrite(value, 4, std::uint64_t{0});
    default:
      if (value.size() > kArrayHead)
        put_odd_number(value, kArrayHead + random.below(value.size() - kArrayHead), random);
  }
}

void change_string(Bytes& value, Random& random) {
  if (random.one_in(3)) return overwrite(value, 0, random.interesting());
  static const std::vector<std::string> kTexts = {"llama",        "gpt2",  "bert",     "llama-bpe", "default",
                                                  "deepseek-llm", "qwen2", "tekken",   "none",      "linear",
                                                  "yarn",         "",      "\x1b[31m", "adapter",   "\xff"};
  const std::string text = random.of(kTexts);
  const std::uint64_t length = text.size();
  value.resize(sizeof length);
  overwrite(value, 0, length);
  const Bytes bytes = bytes_of(text);
  value.insert(value.end(), bytes.begin(), bytes.end());
}

void change_value(Key& key, Random& random) {
  if (random.one_in(8)) {
    key.type = static_cast<std::uint32_t>(random.below(15));
  } else if (key.type == kArray && key.value.size() >= kArrayHead) {
    change_array(key.value, random);
  } else if (key.type == kString && key.value.size() >= sizeof(std::uint64_t)) {
    change_string(key.value, random);
  } else if (!key.value.empty()) {
    if (key.value.size() < 4 || random.one_in(2)) {
      key.value[0] = static_cast<std::byte>(random.interesting());
    } else {
      put_odd_number(key.value, 0, random);
    }
  }
}

void change_key(GgufDocument& document, Random& random) {
  if (document.keys.empty()) return;
  const std::size_t at = random.below(document.keys.size());
  Key& key = document.keys[at];
  switch (random.below(8)) {
    case 0:
      document.keys.erase(document.keys.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    case 1:
      document.keys.push_back(Key(key));
      return;
    case 2:
      key.name = odd_name(random);
      return;
    case 3: {
      const Key& other = random.of(document.keys);
      key.type = other.type;
      key.value = Bytes(other.value);
      return;
    }
    default:
      change_value(key, random);
  }
}

void change_shape(Tensor& tensor, Random& random) {
  switch (random.below(5)) {
    case 0:
      tensor.shape.assign(1 + random.below(5), std::uint64_t{1} << (random.below(4) * 16));
      return;
    case 1:
      tensor.shape.push_back(random.interesting());
      return;
    case 2:
      if (!tensor.shape.empty()) tensor.shape.pop_back();
      return;
    case 3:
      std::reverse(tensor.shape.begin(), tensor.shape.end());
      return;
    default:
      if (!tensor.shape.empty()) tensor.shape[random.below(tensor.shape.size())] = random.interesting();
  }
}

void change_tensor(GgufDocument& document, Random& random) {
  if (document.tensors.empty()) return;
  const std::size_t at = random.below(document.tensors.size());
  Tensor& tensor = document.tensors[at];
  const Tensor other = random.of(document.tensors);
  switch (random.below(10)) {
    case 0:
      document.tensors.erase(document.tensors.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    case 1:
      document.tensors.push_back(other);
      return;
    case 2:
      tensor.name = random.one_in(2) ? other.name : odd_name(random);
      return;
    case 3:
      tensor.type = static_cast<std::uint32_t>(random.below(45));
      return;
    case 4:
      tensor.offset = other.offset;
      return;
    case 5:
      tensor.offset = random.interesting();
      return;
    case 6:
      tensor.offset += std::uint64_t{32} * random.below(8);
      return;
    case 7:
      tensor.shape = other.shape;
      return;
    default:
      change_shape(tensor, random);
  }
}

void change_data(GgufDocument& document, Random& random) {
  if (document.data.empty()) return;
  if (random.one_in(3)) {
    document.data.resize(random.below(document.data.size() + 65));
    return;
  }
  for (std::size_t n = 1 + random.below(8); n > 0; --n)
    put_odd_number(document.data, random.below(document.data.size()), random);
}

}  // namespace

void change_document(GgufDocument& document, Random& random) {
  const std::size_t kind = random.below(16);
  if (kind < 7) return change_key(document, random);
  if (kind < 12) return change_tensor(document, random);
  if (kind < 14) return change_data(document, random);
  if (kind == 14) {
    Bytes value(4);
    overwrite(value, 0, static_cast<std::uint32_t>(std::uint64_t{1} << random.below(34)));
    document.keys.push_back({"general.alignment", 4, value});
    return;
  }
  switch (random.below(3)) {
    case 0:
      document.keys_said = random.interesting();
      return;
    case 1:
      document.tensors_said = random.interesting();
      return;
    default:
      document.version = static_cast<std::uint32_t>(random.interesting());
  }
}

}  // namespace tokencycle::fuzz
