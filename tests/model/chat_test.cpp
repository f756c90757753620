// SPDX-License-Identifier: Apache-2.0
// Which family a chat template belongs to, and what it makes of a message.
#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"
#include "model/chat.h"
#include "support/gguf_writer.h"

using namespace tokencycle;
using namespace tokencycle::model;

namespace {

GgufFile file_with(const char* key, const std::string& value) {
  test::GgufWriter writer;
  writer.string(key, value);
  return GgufFile(test::TemporaryFile(writer.bytes()).path());
}

}  // namespace

TEST_CASE("every family is found by its marks, and by its name") {
  for (const ChatFamily& family : chat_families()) {
    CAPTURE(family.name);
    std::string text;
    for (const std::string_view mark : family.marks) (text += mark) += '\n';
    REQUIRE(find_chat_family(text) != nullptr);
    CHECK(find_chat_family(text)->name == family.name);
    CHECK(find_chat_family(family.name)->name == family.name);
  }
  CHECK(find_chat_family("{{ messages }}") == nullptr);
  CHECK(find_chat_family("") == nullptr);
}

TEST_CASE("a message stands in the family's turns; spaces around it go where the family drops them") {
  CHECK(chat_prompt(*find_chat_family("<|im_start|>"), " Hi ") ==
        "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n");
  CHECK(chat_prompt(*find_chat_family("<start_of_turn>"), " \nHi ") ==
        "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n");
  CHECK(chat_prompt(*find_chat_family("<start_of_turn>"), "  ") ==
        "<start_of_turn>user\n<end_of_turn>\n<start_of_turn>model\n");
}

TEST_CASE("a file without a template, or with an unknown one, is refused") {
  constexpr const char* kKey = "tokenizer.chat_template";
  CHECK(chat_family_of(file_with(kKey, "x <|im_start|> y")).name == "chatml");
  CHECK_THROWS_WITH(chat_family_of(file_with("general.name", "x")),
                    Catch::Contains("has no tokenizer.chat_template"));
  CHECK_THROWS_WITH(chat_family_of(file_with(kKey, "{% for m in turns %}\nsecond line")),
                    Catch::Contains("'{% for m in turns %}'") && !Catch::Contains("second line"));
}
