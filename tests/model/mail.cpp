// SPDX-License-Identifier: Apache-2.0
// Mails as text: what scripts/modelkit/mail.py makes of them, too.
#include "model/mail.h"

#include <catch2/catch.hpp>

using tokencycle::model::mail_text;

TEST_CASE("of a mail the first subject and the body stay, in ASCII with single blanks") {
  CHECK(mail_text("From a@b Thu\nSubject: Hello  there\nTo: x\nSubject: No\n\nOne\ttwo\n\nthree\n") ==
        "Hello there One two three");
  CHECK(mail_text("SUBJECT:a\r\nX: y\r\n\r\nb\r\nc") == "a b c");
  CHECK(mail_text("X-Mailer: y\n\nb") == "b");
  CHECK(mail_text("To: x\nSubject: only a head") == "only a head");
  CHECK(mail_text("No header: this is text\n\nSubject: x") == "No header: this is text Subject: x");
  CHECK(mail_text("caf\xc3\xa9 \x7f\x01z") == "caf?? ? z");
  CHECK(mail_text("\rx\r") == "x");
  CHECK(mail_text("Subject:\n\n").empty());
  CHECK(mail_text("").empty());
  CHECK(mail_text(":\n\na") == ": a");
  CHECK(mail_text(" Subject: x\n\na") == "Subject: x a");
}
