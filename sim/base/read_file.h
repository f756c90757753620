// SPDX-License-Identifier: Apache-2.0
// Whole files: plain or gzipped, or standard input.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace tokencycle {

// How messages call it: "-" is "standard input".
std::string shown_name(const std::filesystem::path& path);

// The content of `path`, or of standard input for "-"; gzip is told by the content and unpacked. At most
// most_bytes + 1 bytes are read, whatever the file is: one byte more shows that there are too many. Throws
// IoError: "NAME: cannot be read: REASON; REMEDY".
std::string read_file(const std::filesystem::path& path, std::size_t most_bytes, std::string_view remedy);

// To be called before standard input is read. Throws UsageError the second time: nothing would be left in it.
void take_standard_input();

// `bytes` as gzip, which read_file() takes for the bytes.
std::string gzipped(std::string_view bytes);

}  // namespace tokencycle
