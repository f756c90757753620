// SPDX-License-Identifier: Apache-2.0
// Mails as text for models that were trained on such (scripts/modelkit/mail.py does the same).
#pragma once

#include <string>
#include <string_view>

namespace tokencycle::model {

// The first subject and the body. Header lines are there where the first line is one ("From ..." or "Name:"),
// up to the first empty line; encodings of parts are left as they are. Runs of blanks and control characters
// become one blank, bytes above 126 a question mark.
std::string mail_text(std::string_view bytes);

}  // namespace tokencycle::model
