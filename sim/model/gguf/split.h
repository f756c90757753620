// SPDX-License-Identifier: Apache-2.0
// Models in several files, as llama.cpp's gguf-split writes them: NAME-00001-of-00003.gguf has the metadata
// and the first tensors, the others more tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "model/gguf/parse.h"

namespace tokencycle::model {

// How many files the model has whose first file this should be; 1 where it is alone. Throws ModelError when
// it is another part, is not named as a part, or names an impossible number.
std::uint32_t count_parts(const GgufContents& first, const std::filesystem::path& path);

// The part `number` (from 1 on) of the model whose first part is `first`.
std::filesystem::path part_path(const std::filesystem::path& first, std::uint32_t number,
                                std::uint32_t count);

// Adds the tensors of part `number` and returns where its data begin in the common data section. Their
// offsets become those that they have where the data sections of all parts stand one behind the other, each
// at a multiple of the alignment: as in the model in one file. Throws ModelError for another part's file, and
// for a tensor that an earlier part has.
std::uint64_t append_part(GgufContents& whole, GgufContents part, const std::filesystem::path& path,
                          std::uint32_t number, std::uint32_t count);

// Throws ModelError when the parts together have not as many tensors as the first says.
void check_parts(const GgufContents& whole, const std::filesystem::path& first);

// From the name alone: the parts of the model that `path` is a part of, or `path`. Nothing is opened.
std::vector<std::filesystem::path> named_parts(const std::filesystem::path& path);

}  // namespace tokencycle::model
