// SPDX-License-Identifier: Apache-2.0
#include "base/file_kind.h"

#include <algorithm>

namespace tokencycle {

namespace {

using std::string_view_literals::operator""sv;

struct Beginning {
  std::string_view bytes, kind;
};

constexpr Beginning kBeginnings[] = {
    {"GGUF"sv, "a GGUF model; it goes with -m"},
    {"lmgg"sv, "a model file from before GGUF; convert the original model with a current converter"},
    {"tjgg"sv, "a model file from before GGUF; convert the original model with a current converter"},
    {"TCPROG"sv, "a program of tokencycle; it goes with run --program, disasm and inspect"},
    {"version https://git-lfs"sv,
     "a Git LFS pointer, which stands for a file that was not fetched; fetch it with `git lfs pull`"},
    {"PK\x03\x04"sv,
     "a zip archive, as PyTorch writes weights; convert the model to GGUF, or unpack the archive"},
    {"\x80\x02"sv, "a pickle of Python; convert the model to GGUF"},
    {"\x89HDF"sv, "an HDF5 file; convert the model to GGUF"},
    {"\x1f\x8b"sv, "gzip; unpack it with gunzip"},
    {"BZh"sv, "bzip2; unpack it with bunzip2"},
    {"\xfd"
     "7zXZ"sv,
     "xz; unpack it with unxz"},
    {"\x28\xb5\x2f\xfd"sv, "zstd; unpack it with unzstd"},
    {"\x7f"
     "ELF"sv,
     "a program of this computer; name a file of data"},
    {"%PDF"sv, "a PDF; name a file of data"},
    {"\x89PNG"sv, "a picture; name a file of data"},
    {"<!DOCTYPE"sv, "a web page; if it was a download, the server sent a page instead of the file"},
    {"<!doctype"sv, "a web page; if it was a download, the server sent a page instead of the file"},
    {"<html"sv, "a web page; if it was a download, the server sent a page instead of the file"},
    {"Kanata\t"sv, "a pipeline trace; open it with Konata"},
    {"$date"sv, "a waveform (VCD); open it with GTKWave"},
    {"$version"sv, "a waveform (VCD); open it with GTKWave"},
    {"$timescale"sv, "a waveform (VCD); open it with GTKWave"},
};

// 8 bytes of length, then the header's JSON.
bool is_safetensors(std::string_view head) {
  return head.size() > 10 && head[5] == 0 && head[6] == 0 && head[7] == 0 && head.substr(8, 2) == "{\"";
}

}  // namespace

std::string_view kind_by_beginning(std::string_view head) {
  for (const Beginning& b : kBeginnings) {
    if (head.starts_with(b.bytes)) return b.kind;
  }
  if (is_safetensors(head)) {
    return "a safetensors file; convert the model to GGUF, or take the cycles alone from the config.json "
           "beside it with --timing-only";
  }
  return {};
}

bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f');
  });
}

}  // namespace tokencycle
