// SPDX-License-Identifier: Apache-2.0
// tokencycle man: the manual page, in the language of man(7), from the tables of commands and options.
#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/options.h"
#include "cli/standard_output.h"
#include "cli/version.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

// Text as roff has to have it: hyphens that can be copied, no accidental requests.
std::string roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
  }
  return out;
}

std::string option_text(const OptionInfo& o) {
  std::string spelled = "\\fB" + roff((o.positional ? "" : "--") + o.name) + "\\fR";
  if (!o.letter.empty()) spelled = "\\fB" + roff("-" + o.letter) + "\\fR, " + spelled;
  if (o.takes_value && !o.positional) spelled += " \\fIvalue\\fR";
  return fmt::format(".TP\n{}\n{}\n", spelled, roff(o.meaning));
}

std::string command_text(const Command& command) {
  const OptionParser parser = command.options();
  std::string text = fmt::format(".SS {}\n\\fBtokencycle\\fR {}\n.PP\n{}\n", roff(command.name),
                                 roff(parser.usage()), roff(parser.about()));
  std::string group;
  for (const OptionInfo& o : parser.describe()) {
    if (o.name == "help" || o.name == "help-all") continue;
    if (o.group != group) text += fmt::format(".PP\n\\fI{}\\fR\n", roff(group = o.group));
    text += option_text(o);
  }
  return text + fmt::format(".PP\nExample:\n.PP\n.EX\n{}\n.EE\n", roff(parser.example()));
}

}  // namespace

OptionParser man_parser() {
  return {
      "man",
      "Prints the manual page, for `tokencycle man | man -l -` or a file tokencycle.1 in a manual's folder.",
      "tokencycle man > tokencycle.1"};
}

ExitCode man_command(const Arguments& arguments) {
  OptionParser parser = man_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  std::string text = fmt::format(
      ".TH TOKENCYCLE 1 \"\" \"tokencycle {}\" \"User Commands\"\n.SH NAME\n"
      "tokencycle \\- cycle\\-accurate simulator of an accelerator for language models\n.SH SYNOPSIS\n"
      "\\fBtokencycle\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.br\n\\fBtokencycle\\fR \\fB\\-\\-help\\fR | "
      "\\fB\\-\\-version\\fR\n.SH DESCRIPTION\n"
      "Loads the weights of a quantized language model, compiles it into instructions, runs them through a "
      "clocked machine\nand reports what every clock cycle of every token was spent on.\n.PP\n"
      "An option that takes a text takes \\fB@\\fIfile\\fR for a file's text and \\fB\\-\\fR for standard "
      "input; one that takes a file\nreads \\fB\\-\\fR as standard input, or writes it to standard "
      "output. Names that end in \\fI.gz\\fR are written gzipped.\n.SH COMMANDS\n",
      roff(TOKENCYCLE_VERSION));
  for (const Command& command : commands()) text += command_text(command);
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, name, meaning] : kExitCodes) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}: {}\n", code, roff(name), roff(meaning));
  }
  text +=
      ".SH ENVIRONMENT\n.TP\n\\fBTOKENCYCLE_HOME\\fR\n" +
      roff("a tree or installation whose configs/ and models/ are used instead of those beside the program") +
      "\n.TP\n\\fBNO_COLOR\\fR, \\fBTERM\\fR\n" +
      roff("with NO_COLOR, or TERM=dumb, a terminal shows no live line") + "\n";
  print_now(text);
  return ExitCode::success;
}

}  // namespace tokencycle::cli
