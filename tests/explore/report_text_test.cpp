// SPDX-License-Identifier: Apache-2.0
// Names and texts from anywhere on their way into a page and a command line.
#include <sys/wait.h>

#include <zlib.h>
#include <array>

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "explore/page/text.h"

using namespace tokencycle::explore;

namespace {

// What a shell makes of one word.
std::string by_shell(const std::string& word) {
  const std::string command = "bash -c " + shell_word("printf %s " + word);
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 256> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) != 0;)
    out.append(buffer.data(), n);
  REQUIRE(pclose(pipe) == 0);
  return out;
}

}  // namespace

TEST_CASE("no text can begin a tag, end an attribute or change the direction of writing") {
  CHECK(html_text("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;");
  CHECK(html_text("a\"b'c&d") == "a&quot;b&#39;c&amp;d");
  CHECK(html_text("one\ntwo") == "one↵two");
  CHECK(html_block("one\ntwo") == "one\ntwo");
  CHECK(html_text("\x01\x1b[31m") == "\uFFFD\uFFFD[31m");
  CHECK(html_text("safe\u202Egpj.exe\u2066") == "safe\uFFFDgpj.exe\uFFFD");
  CHECK(html_text("é 漢 😀") == "é 漢 😀");
}

TEST_CASE("bytes that are no UTF-8 are replaced one by one") {
  CHECK(html_text("a\xff"
                  "b") == "a\uFFFDb");
  CHECK(html_text("\xc0\xaf") == "\uFFFD\uFFFD");                      // overlong
  CHECK(html_text("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");            // a surrogate
  CHECK(html_text("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");  // above the last character
  CHECK(html_text("\xe6\xbc") == "\uFFFD\uFFFD");                      // cut
}

TEST_CASE("a long text is cut between characters") {
  CHECK(html_text("漢漢漢漢", 2) == "漢漢…");
  CHECK(html_text("&&&", 2) == "&amp;&amp;…");
  CHECK(html_text("&&", 2) == "&amp;&amp;");
}

TEST_CASE("data come out of the page as they went in, and cannot end the script that holds them") {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t length = 0; length < 9; ++length) {
    const nlohmann::ordered_json value = {{"a", "</script><!--\u2028&\xff" + std::string(length, 'x')}};
    std::string text = packed_json(value), bytes;
    REQUIRE(text.size() % 4 == 0);
    while (text.ends_with('=')) text.pop_back();
    std::uint32_t bits = 0, count = 0;
    for (const char c : text) {
      const std::size_t at = letters.find(c);
      REQUIRE(at != std::string::npos);
      bits = bits << 6 | static_cast<std::uint32_t>(at);
      if ((count += 6) < 8) continue;
      count -= 8;
      bytes += static_cast<char>(bits >> count & 255);
    }
    std::string json(1000, ' ');
    uLongf size = json.size();
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(json.data()), &size,
                       reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == Z_OK);
    json.resize(size);
    CHECK(nlohmann::json::parse(json).at("a") == "</script><!--\u2028&\uFFFD" + std::string(length, 'x'));
  }
}

TEST_CASE("a shell reads each word as it was") {
  const std::vector<std::string> words = {"plain",
                                          "",
                                          "two words",
                                          "it's",
                                          "$(touch x)",
                                          "`x`",
                                          "a;b|c&d>e<f",
                                          "\\n",
                                          "line\nbreak",
                                          "'; rm -rf ",
                                          "tab\t",
                                          "\x1b[2J",
                                          "a\x01"
                                          "1",
                                          "*?[a]",
                                          "~",
                                          "!!",
                                          "#x",
                                          "é 😀",
                                          "\u202Ex",
                                          "\xff",
                                          "a'\nb\\c"};
  for (const std::string& word : words) {
    INFO(shell_word(word));
    CHECK(by_shell(shell_word(word)) == word);
  }
  CHECK(shell_word("models/a-1.gguf") == "models/a-1.gguf");
  CHECK(shell_word("a\nb") == "$'a\\nb'");  // on one line: pasted, it runs when the reader says so
  CHECK(shell_word("\u202E").find("\u202E") == std::string::npos);
}

TEST_CASE("numbers have separators, signs and units") {
  CHECK(number_text(1234567.89, 1) == "1,234,567.9");
  CHECK(number_text(999) == "999");
  CHECK(number_text(-1234) == "−1,234");
  CHECK(number_text(-0.2) == "0");
  CHECK(number_text(1.0 / 0.0) == "–");
  CHECK(signed_text(1234) == "+1,234");
  CHECK(signed_text(0.3) == "0");
  CHECK(signed_text(-7) == "−7");
  CHECK(share_text(1, 3) == "33.3 %");
  CHECK(share_text(1, 0) == "0 %");
  CHECK(change_text(200, 150) == "−25.0 %");
  CHECK(change_text(0, 150).empty());
  CHECK(scaled_text(26.4e9, "B/s") == "26.4 GB/s");
  CHECK(scaled_text(999.7, "B") == "1.00 kB");
  CHECK(scaled_text(0, "B") == "0 B");
}
