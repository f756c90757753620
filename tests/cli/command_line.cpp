// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include <fcntl.h>
#include <signal.h>  // kill
#include <spawn.h>
#include <stdlib.h>  // mkdtemp
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace tokencycle::test {

namespace {

const std::filesystem::path kConfigs = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs";

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

struct Launched::Files {
  Scratch scratch;
  std::string out = scratch / "out", err = scratch / "err";
};

Launched::Launched(const std::vector<std::string>& arguments, const Environment& environment, int out,
                   const char* program, const char* input)
    : files_(std::make_unique<Files>()) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files_->out.c_str(), O_WRONLY | O_CREAT, 0600);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, files_->err.c_str(), O_WRONLY | O_CREAT, 0600);

  // Whoever runs the tests may ignore signals, as nohup does; the program is to be told of them.
  sigset_t heard;
  sigemptyset(&heard);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&heard, number);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &heard);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> command = {program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  for (char** v = environ; *v != nullptr; ++v) variables.emplace_back(*v);
  const int error = posix_spawn(&child_, program, &actions, &attributes, pointers(command).data(),
                                pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::runtime_error(std::string("cannot start ") + program);
}

Launched::~Launched() {
  if (child_ == 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

void Launched::signal(int number) const {
  ::kill(child_, number);
}

Outcome Launched::wait() {
  int status = 0;
  if (waitpid(child_, &status, 0) != child_) throw std::runtime_error("cannot wait for the program");
  child_ = 0;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents_of(files_->out),
          contents_of(files_->err)};
}

Outcome launch(const std::vector<std::string>& arguments, const Environment& environment) {
  return Launched(arguments, environment).wait();
}

Outcome launch_reading(const std::string& input, const std::vector<std::string>& arguments) {
  const Scratch scratch;
  const std::string file = scratch.file("input", input);
  return Launched(arguments, {}, -1, TOKENCYCLE_BINARY, file.c_str()).wait();
}

nlohmann::json launch_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  return nlohmann::json::parse(o.out);
}

Scratch::Scratch() {
  std::string path = (std::filesystem::temp_directory_path() / "tokencycle_XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot create " + path);
  path_ = path;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Scratch::file(const std::string& name, const std::string& contents) const {
  std::ofstream out(path_ / name, std::ios::binary);
  out << contents;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + name);
  return *this / name;
}

std::string Scratch::model(const SyntheticModel& spec) const {
  const std::vector<std::byte> bytes = synthetic_gguf(spec).bytes();
  return file("model.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Scratch::machine(const std::string& base, const nlohmann::json& changes) const {
  nlohmann::json description = json_of(kConfigs / (base + ".json"));
  description.merge_patch(changes);
  return file("machine.json", description.dump(2));
}

bool temporary_left(const Scratch& scratch) {
  for (const auto& entry : std::filesystem::directory_iterator(scratch / "")) {
    if (entry.path().string().find(".tmp") != std::string::npos) return true;
  }
  return false;
}

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

nlohmann::json json_of(const std::filesystem::path& path) {
  return nlohmann::json::parse(contents_of(path));
}

}  // namespace tokencycle::test
