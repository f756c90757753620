// SPDX-License-Identifier: Apache-2.0
// classify: labels of mails, cycles, and what is no text or no classifier.
#include <catch2/catch.hpp>

#include "command_line.h"
#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using test::check_refusal;
using test::launch;
using test::Scratch;

namespace {

const std::string kMail = TOKENCYCLE_SOURCE_DIR "/models/mail.txt";
const std::string kOffer =
    "Subject: CLICK HERE to lose weight and make money FAST!!!\n\nDear friend, this is not spam. Free offer, "
    "limited "
    "time only: earn $5000 a week from home, 100% guaranteed, no risk, order now! To be removed from our "
    "list click "
    "here: http://www.example.com/remove\n";

nlohmann::json classified(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "classify");
  return test::launch_json(arguments)["inputs"];
}

}  // namespace

TEST_CASE(
    "classify tells a mail among colleagues from an offer, with the reference's bits and their cycles") {
  const Scratch scratch;
  const nlohmann::json found = classified({"-f", kMail, "-f", scratch.file("offer.txt", kOffer), "--check"});
  REQUIRE(found.size() == 2);
  CHECK(found[0]["label"] == "ham");
  CHECK(found[1]["label"] == "spam");
  for (const auto& text : found) {
    std::uint64_t causes = 0;
    for (const auto& [name, cycles] : text["causes"].items()) causes += cycles.get<std::uint64_t>();
    CHECK(causes == text["cycles"]);
    CHECK(text["rows"] > 20);
  }
  const test::Outcome one = launch({"classify", kMail});
  CHECK_THAT(one.out, Catch::StartsWith("label   ham ") && Contains("where the cycles went"));
}

TEST_CASE("of a long text the model sees its beginning, and of a mail no header but the subject") {
  const Scratch scratch;
  std::string words;
  for (int i = 0; i < 300; ++i) words += "the linker finds the library ";
  const nlohmann::json found =
      classified({scratch.file("long.txt", words), scratch.file("longer.txt", words + kOffer),
                  scratch.file("head.txt", "X-Spam: yes\nSubject: the\nReceived: here\n\nlinker"),
                  scratch.file("bare.txt", "the   linker\n")});
  CHECK(found[0]["rows"] == 128);
  CHECK(found[0]["classes"] == found[1]["classes"]);
  CHECK(found[2]["classes"] == found[3]["classes"]);
}

TEST_CASE("what is no text or no classifier of texts is refused by name") {
  const Scratch scratch;
  check_refusal(4, {"classify", scratch.file("empty.txt", " \n")}, {"empty.txt", "no text"});
  check_refusal(7, {"classify", scratch / "none.txt"}, {"none.txt"});
  check_refusal(2, {"classify"}, {"--file is missing"});
  check_refusal(4, {"classify", kMail, "-m", scratch.model()},
                {"no classes of texts", "architecture encoder"});
  check_refusal(3, {"classify", kMail, "--set", "/scratchpad/capacity_kib=16"}, {"/scratchpad/capacity_kib"});
  const std::string model = TOKENCYCLE_SOURCE_DIR "/models/spam-encoder-q8_0.gguf";
  check_refusal(2, {"run", "-m", model, "-p", "a"}, {"generates nothing"});
  check_refusal(2, {"perplexity", "-m", model, "-f", kMail, "--window", "16"}, {"generates nothing"});
}
