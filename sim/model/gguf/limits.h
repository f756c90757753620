// SPDX-License-Identifier: Apache-2.0
// What a model file may ask for. Larger values are refused before memory is taken.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tokencycle::model {

// The container.
inline constexpr std::uint64_t kMaxDirectoryBytes = 256ull << 20;  // header, metadata and tensor directory
inline constexpr std::uint64_t kMaxKeys = 65536;
inline constexpr std::uint64_t kMaxKeyLength = 65535;              // bytes, as the format's specification
inline constexpr std::uint64_t kMaxStringLength = 16ull << 20;     // bytes
inline constexpr std::uint64_t kMaxArrayElements = 1ull << 22;     // of one array
inline constexpr std::uint64_t kMaxMetadataElements = 1ull << 23;  // of all arrays together
inline constexpr std::uint64_t kMaxTensors = 65536;
inline constexpr std::uint64_t kMaxTensorNameLength = 64;  // bytes, as the format's specification
inline constexpr std::uint32_t kMaxDimensions = 4;
inline constexpr std::uint64_t kDefaultAlignment = 32;  // bytes, where general.alignment is absent
inline constexpr std::uint64_t kMaxAlignment = 1ull << 20;
inline constexpr std::uint32_t kMaxParts = 1024;            // files of a split model
inline constexpr std::uint64_t kMaxDataBytes = 1ull << 46;  // of tensors that a file names and does not hold

// The model.
inline constexpr std::uint32_t kMaxLayers = 1024;
inline constexpr std::uint32_t kMaxWidth = 1u << 20;
inline constexpr std::uint32_t kMaxHeads = 4096;
inline constexpr std::uint32_t kMaxHeadDim = 4096;
inline constexpr std::uint32_t kMaxFeedForward = 1u << 22;
inline constexpr std::uint32_t kMaxExperts = 1024;
inline constexpr std::uint32_t kMaxTaps = 64;  // of a convolution over positions
inline constexpr std::uint32_t kMaxVocabulary = 1u << 22;
inline constexpr std::uint32_t kMaxContext = 1u
                                             << 30;  // positions that a file names; a run has its own limits
inline constexpr std::uint64_t kMaxRopeTableBytes = 512ull << 20;
// Of a file that is smaller than its table: 131,072 positions of 128 dimensions.
inline constexpr std::uint64_t kMaxRopeTableOfSmallFile = 64ull << 20;

// The tokenizer.
inline constexpr std::size_t kMaxReplacement = 256;    // bytes that a rule of normalization may put in
inline constexpr std::size_t kMaxSpecialLength = 256;  // bytes of a token that is looked for at every place

}  // namespace tokencycle::model
