// SPDX-License-Identifier: Apache-2.0
// Texts from and to files: bounded when read, whole or absent when written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tokencycle::host {

// The whole file, plain or gzipped, or standard input for "-"; at most kMostTextBytes. Throws IoError.
inline constexpr std::size_t kMostTextBytes = std::size_t{256} << 20;
std::string read_text(const std::filesystem::path& path);

// Throws IoError where there is no such file or folder, with a near name of its folder if there is one.
void require_file(const std::filesystem::path& path);

// Writes to a temporary name in the same folder, then renames: the file is whole or not there. A name
// that ends in .gz makes it gzip. Throws IoError.
void write_text(const std::filesystem::path& path, const std::string& text);
// The same of a text that `write` gives in parts.
void write_text(const std::filesystem::path& path,
                const std::function<void(const std::function<void(std::string_view)>&)>& write);

}  // namespace tokencycle::host
