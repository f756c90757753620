// SPDX-License-Identifier: Apache-2.0
// The exit codes in words, for the overview and the manual page.
#pragma once

namespace tokencycle::cli {

struct ExitCodeText {
  int code;
  const char *name, *meaning;
};

// What is not there is 7, whatever it should have been; what is there and wrong has its kind's code; what the
// command line asks for and cannot be is 2.
inline constexpr ExitCodeText kExitCodes[] = {
    {0, "success", "the command did all that it was asked for"},
    {2, "usage", "an unknown command or option, or an argument that is missing or cannot be"},
    {3, "configuration",
     "a machine's or memory's description is wrong, or the machine cannot run this model"},
    {4, "model", "a model's file is damaged or not supported"},
    {5, "program", "assembly text, a program file or a trace of requests is wrong"},
    {6, "simulation", "a trap, a deadlock, too many cycles, out of memory"},
    {7, "input/output", "a file that is not there, or cannot be read or written; a damaged result"},
    {8, "check failed",
     "a difference from the reference, machines that generated different tokens, or a row of validate that "
     "cannot be run"},
    {130, "interrupted", "ended by SIGINT, SIGTERM or SIGHUP"},
};

}  // namespace tokencycle::cli
