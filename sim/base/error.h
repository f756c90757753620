// SPDX-License-Identifier: Apache-2.0
// The few kinds of errors, one exit code each. Thrown where the fact is known, printed once in main.
#pragma once

#include <stdexcept>
#include <string>

namespace tokencycle {

// Process exit codes; documented in the README and tested from the command line.
enum class ExitCode : int {
  success = 0,
  usage = 2,          // unknown command or option, missing argument
  configuration = 3,  // a machine description is wrong or cannot run the model
  model = 4,          // a model file is wrong or holds what is not supported
  program = 5,        // a program or assembly text is wrong
  simulation = 6,     // the machine trapped or deadlocked, or the computer has too little memory
  io = 7,             // a file cannot be read or written
  check = 8,          // --check found a difference
  interrupted = 130,
};

// Base of all errors that a user can cause. The message is one paragraph that names the file, the place,
// the value and what to do next.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

template <ExitCode kCode>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(kCode, message) {}
};

using UsageError = ErrorOf<ExitCode::usage>;
using ConfigurationError = ErrorOf<ExitCode::configuration>;
using ModelError = ErrorOf<ExitCode::model>;
using ProgramError = ErrorOf<ExitCode::program>;
using SimulationError = ErrorOf<ExitCode::simulation>;
using IoError = ErrorOf<ExitCode::io>;
using CheckError = ErrorOf<ExitCode::check>;
using Interrupted = ErrorOf<ExitCode::interrupted>;  // by a signal

}  // namespace tokencycle
