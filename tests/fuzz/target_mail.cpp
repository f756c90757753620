// SPDX-License-Identifier: Apache-2.0
// Mails as text.
#include "fuzz/support.h"
#include "model/mail.h"

namespace tokencycle::fuzz {
namespace {

bool feed(Input input) {
  const std::string text = model::mail_text(text_of(input));
  require(text.size() <= input.size(), "a text longer than its mail");
  char before = ' ';
  for (const char c : text) {
    require(c >= ' ' && c <= '~', "a character that is not ASCII");
    require(c != ' ' || before != ' ', "a blank at the beginning or behind another");
    before = c;
  }
  require(text.empty() || before != ' ', "a blank at the end");
  return true;
}

Bytes mutate(Input input, Random& random) {
  return mutate_text(input, random,
                     {"Subject: ", "subject:", "From a ", "X:", "\n", "\n\n", "\r\n", "\r", " ", "\x7f"});
}

std::vector<Seed> seeds() {
  return {{"mail", bytes_of("From a@b Thu\nSubject: Hello  there\nTo: x\n\nOne\ttwo\n\nthree\n")},
          {"text", bytes_of("No header: this is text\n\nSubject: x")}};
}

}  // namespace

Target mail_target() {
  return {"mail", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
