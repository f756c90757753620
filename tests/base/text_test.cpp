// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace tokencycle;

TEST_CASE("a rate keeps three digits that count, and all of a whole number") {
  CHECK(rate_text(0.0484) == "0.05");
  CHECK(rate_text(4.84) == "4.84");
  CHECK(rate_text(48.44) == "48.4");
  CHECK(rate_text(484.4) == "484");
  CHECK(rate_text(1'484'000) == "1,484,000");
}

TEST_CASE("numbers are grouped in threes from the right") {
  CHECK(with_separators(0) == "0");
  CHECK(with_separators(999) == "999");
  CHECK(with_separators(1000) == "1,000");
  CHECK(with_separators(1234567) == "1,234,567");
  CHECK(with_separators(18446744073709551615u) == "18,446,744,073,709,551,615");
}

TEST_CASE("a typing error finds the name that was meant, a strange word finds none") {
  const std::vector<std::string> names = {"load", "store", "preload", "multiply"};
  CHECK(nearest("lod", names) == "load");
  CHECK(nearest("laod", names) == "load");  // two letters swapped count once
  CHECK(nearest("multiplly", names) == "multiply");
  CHECK(nearest("load", names) == "load");
  CHECK(nearest("LOAD", names) == "load");
  CHECK(nearest("LAOD", names) == "load");
  CHECK(nearest("zebra", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest(std::string(1 << 24, 'l'), names).empty());  // at once: no name is near anything so long
}

TEST_CASE("a message about a strange word ends with the name that was meant, or says nothing of it") {
  const std::vector<std::string> names = {"gated", "every-edge"};
  CHECK(did_you_mean("gatd", names) == "; did you mean 'gated'?");
  CHECK(did_you_mean("Every-Edge", names) == "; did you mean 'every-edge'?");
  CHECK(did_you_mean("fast", names).empty());
}

TEST_CASE("text of unknown origin cannot disturb a message or fill the screen") {
  CHECK(printable("a b\xc3\xa9", 20) == "a b\xc3\xa9");
  CHECK(printable("\x1b[31m\n\x7f", 20) == "\\x1b[31m\\x0a\\x7f");
  CHECK(printable("0123456789", 10) == "0123456789");
  CHECK(printable("0123456789a", 10) == "01234 ... 6789a");
}

TEST_CASE("bytes are shown in the largest unit that keeps a whole part") {
  CHECK(bytes_text(1023) == "1023 bytes");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(std::uint64_t{3} << 30) == "3.0 GiB");
}
