// SPDX-License-Identifier: Apache-2.0
#include "host/files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/read_file.h"
#include "base/text.h"
#include "host/interrupt.h"
#include "observe/trace_file.h"

namespace tokencycle::host {

std::string read_text(const std::filesystem::path& path) {
  std::string text = read_file(path, kMostTextBytes, "check path and permissions");
  if (text.size() > kMostTextBytes) {
    throw IoError(fmt::format("{}: cannot be read: it has more than {}; give a shorter one", shown_name(path),
                              bytes_text(kMostTextBytes)));
  }
  return text;
}

void require_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return;
  std::vector<std::string> near;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    near.push_back(entry.path().filename().string());
  }
  throw IoError(fmt::format("{}: there is no such file{}; check the path", path.string(),
                            did_you_mean(path.filename().string(), near)));
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_text(path, [&text](const auto& sink) { sink(text); });
}

void write_text(const std::filesystem::path& path,
                const std::function<void(const std::function<void(std::string_view)>&)>& write) {
  const std::filesystem::path temporary = observe::temporary_name(path);
  const TemporaryFile remembered(temporary);
  const auto fail = [&](const char* what) {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw IoError(fmt::format("{}: {}: {}; nothing was left there", path.string(), what, reason));
  };
  try {
    std::ofstream out(temporary, std::ios::binary);
    if (!out) fail("cannot be created");
    if (path.extension() == ".gz") {
      std::string whole;
      write([&whole](std::string_view part) { whole += part; });
      out << gzipped(whole);
    } else {
      write([&out](std::string_view part) { out << part; });
    }
    out.close();
    if (!out) fail("cannot be written");
  } catch (...) {  // what made the text ran out of memory, or has failed
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  observe::put_in_place(temporary, path);
}

}  // namespace tokencycle::host
