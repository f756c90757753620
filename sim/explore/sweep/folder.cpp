// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/digest.h"
#include "base/error.h"
#include "base/make_folder.h"
#include "observe/trace_file.h"

namespace tokencycle::explore {

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Of this computer: others of a cluster may have a process of the same number.
std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

void SweepFolder::begin(const std::string& plan_text, bool resume) const {
  if (fs::exists(plan())) {
    if (text_of(plan()) != plan_text) {
      throw UsageError(
          fmt::format("{}: this folder belongs to another plan ({}); take another folder with -o",
                      path_.string(), plan().string()));
    }
    if (!resume) {
      throw UsageError(fmt::format(
          "{}: this sweep has been begun; --resume runs what is missing, -o FOLDER begins another",
          path_.string()));
    }
  }
  for (const fs::path& folder : {path_, path_ / "points", path_ / "failed"}) make_folder(folder);
  if (fs::exists(plan())) return;
  const fs::path temporary = observe::temporary_name(plan());
  std::ofstream out(temporary, std::ios::binary);
  out << plan_text;
  out.close();
  if (!out) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw IoError(fmt::format("{}: cannot be written; is there room on the disk?", plan().string()));
  }
  observe::put_in_place(temporary, plan());
}

fs::path SweepFolder::result(const Point& point) const {
  return path_ / "points" / fmt::format("{:06}.json", point.number);
}

fs::path SweepFolder::failure(const Point& point) const {
  return path_ / "failed" / fmt::format("{:06}.txt", point.number);
}

fs::path SweepFolder::quality(const std::vector<std::string>& arguments, const char* extension) const {
  std::string text;
  for (const std::string& argument : arguments) text += argument + '\0';
  return path_ / "quality" / (digest_of(std::as_bytes(std::span(text))) + "." + extension);
}

fs::path SweepFolder::scratch(const Point& point, const char* what) const {
  return path_ / "points" / fmt::format(".{:06}.{}.{}.{}", point.number, host_name(), ::getpid(), what);
}

SweepFolder::State SweepFolder::state(const Point& point) const {
  if (fs::exists(result(point))) return State::done;
  return fs::exists(failure(point)) ? State::failed : State::open;
}

std::vector<SweepFolder::State> SweepFolder::states(const std::vector<Point>& points) const {
  std::vector<State> states;
  states.reserve(points.size());
  for (const Point& point : points) states.push_back(state(point));
  return states;
}

}  // namespace tokencycle::explore
