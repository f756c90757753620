// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/error.h"

namespace tokencycle::explore {

namespace fs = std::filesystem;

namespace {

void make(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw IoError(fmt::format("{}: this folder cannot be made: {}", folder.string(),
                              error ? error.message() : "a file of that name is there"));
  }
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
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
  for (const fs::path& folder : {path_, path_ / "points", path_ / "failed"}) make(folder);
  if (fs::exists(plan())) return;
  const fs::path temporary = path_ / fmt::format("plan.json.{}", ::getpid());
  std::ofstream out(temporary, std::ios::binary);
  out << plan_text;
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, plan(), error);
  if (!out || error) {
    fs::remove(temporary, error);
    throw IoError(fmt::format("{}: cannot be written; is there room on the disk?", plan().string()));
  }
}

fs::path SweepFolder::result(const Point& point) const {
  return path_ / "points" / fmt::format("{:06}.json", point.number);
}

fs::path SweepFolder::failure(const Point& point) const {
  return path_ / "failed" / fmt::format("{:06}.txt", point.number);
}

fs::path SweepFolder::scratch(const Point& point, const char* what) const {
  return path_ / "points" / fmt::format(".{:06}.{}.{}", point.number, ::getpid(), what);
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
