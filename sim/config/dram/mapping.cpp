// SPDX-License-Identifier: Apache-2.0
#include "config/dram/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kDramAddressFields> kFieldNames = {
    "channel", "rank", "bank_group", "bank", "row", "column", "stack_id"};
constexpr std::size_t kMostParts = 64, kMostHashes = 16;

std::optional<DramAddressField> field_from_name(std::string_view name) {
  const auto found = std::find(kFieldNames.begin(), kFieldNames.end(), name);
  if (found == kFieldNames.end()) return {};
  return static_cast<DramAddressField>(found - kFieldNames.begin());
}

// "column:2": two bits; "column": 0, the rest.
std::optional<DramAddressPart> parse_part(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto field = field_from_name(std::string_view(text).substr(0, colon));
  if (!field) return {};
  DramAddressPart part{*field, 0};
  if (colon == std::string::npos) return part;
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, part.bits);
  if (error != std::errc() || stop != end || part.bits < 1 || part.bits > 32) return {};
  return part;
}

std::uint64_t low_bits(std::uint32_t n) {
  return (std::uint64_t{1} << n) - 1;
}

// A number of channels that is wrong on its own says nothing about the channel's bits.
bool unknown_bits(const JsonObject& file, DramAddressField field) {
  return field == DramAddressField::channel && file.violations().concerns(file.path_of("channels"));
}

std::string field_list() {
  return fmt::format("{}", fmt::join(kFieldNames, ", "));
}

// Channels whose number is no power of two are found by division, so their part of the address is one.
bool divides(const DramSystem& system, DramAddressField field) {
  return field == DramAddressField::channel && !std::has_single_bit(system.channels);
}

// What the parts take of each field.
struct Taken {
  std::array<std::uint32_t, kDramAddressFields> bits{}, open{}, parts{};  // open: without a number
};

void check_cover(JsonObject& file, const DramSystem& system, const Taken& taken) {
  for (std::size_t f = 0; f < kDramAddressFields; ++f) {
    if (unknown_bits(file, static_cast<DramAddressField>(f))) continue;
    const std::uint32_t has = bits_of(system, static_cast<DramAddressField>(f));
    if (taken.bits[f] > has) {
      file.complain("mapping", fmt::format("takes {} bits of {}, which has {}; take fewer", taken.bits[f],
                                           kFieldNames[f], has));
    } else if (taken.open[f] > 1) {
      file.complain("mapping",
                    fmt::format("\"{0}\" stands there {1} times; give all but one a number of bits, as in "
                                "\"{0}:1\"",
                                kFieldNames[f], taken.open[f]));
    } else if (divides(system, static_cast<DramAddressField>(f)) && taken.parts[f] > 1) {
      file.complain("mapping",
                    fmt::format("\"channel\" stands there {} times, but {} channels are found by a "
                                "division, in one place; give it once, without a number of bits",
                                taken.parts[f], system.channels));
    } else if (taken.open[f] == 0 && taken.bits[f] < has) {
      file.complain("mapping", fmt::format("takes {} of the {} bits of {}; add \"{}\"", taken.bits[f], has,
                                           kFieldNames[f], kFieldNames[f]));
    }
  }
}

}  // namespace

std::string_view name_of(DramAddressField f) {
  return kFieldNames.at(static_cast<std::size_t>(f));
}

std::uint32_t bits_of(const DramSystem& system, DramAddressField field) {
  const DramDevice& d = system.device;
  const std::array<std::uint32_t, kDramAddressFields> counts = {
      system.channels, d.ranks, d.bank_groups, d.banks, d.rows, d.bursts, d.stacks};
  return static_cast<std::uint32_t>(std::bit_width(counts.at(static_cast<std::size_t>(field)) - 1));
}

std::vector<DramAddressPart> default_mapping(const DramSystem& system, std::uint32_t request_bursts) {
  using F = DramAddressField;
  const std::vector<F> order =
      system.device.pseudo_channels
          ? std::vector<F>{F::channel, F::rank, F::bank_group, F::column, F::bank, F::stack_id, F::row}
          : std::vector<F>{F::channel, F::bank_group, F::column, F::bank, F::stack_id, F::rank, F::row};
  std::vector<DramAddressPart> mapping;
  for (const F field : order) {
    if (const std::uint32_t bits = bits_of(system, field); bits > 0) mapping.push_back({field, bits});
  }
  if (request_bursts > 1 && system.channels > 1) {
    // The channel moves up behind the bits of the burst in the request.
    const DramAddressPart channel = mapping.front();
    mapping.erase(mapping.begin());
    auto inside = static_cast<std::uint32_t>(std::countr_zero(request_bursts));
    std::size_t at = 0;
    for (; at < mapping.size() && inside >= mapping[at].bits; ++at) inside -= mapping[at].bits;
    if (inside > 0 && at < mapping.size()) {
      const DramAddressPart rest{mapping[at].field, mapping[at].bits - inside};
      mapping[at++].bits = inside;
      mapping.insert(mapping.begin() + static_cast<std::ptrdiff_t>(at), rest);
    }
    mapping.insert(mapping.begin() + static_cast<std::ptrdiff_t>(at), channel);
  }
  return mapping;
}

bool keeps_requests_whole(const DramSystem& system, std::uint32_t request_bursts) {
  // The bits of each field in which the bursts of a request differ.
  std::array<std::uint64_t, kDramAddressFields> differing{};
  std::array<std::uint32_t, kDramAddressFields> taken{};
  auto inside = static_cast<std::uint32_t>(std::countr_zero(request_bursts));
  for (const DramAddressPart& part : system.mapping) {
    const auto f = static_cast<std::size_t>(part.field);
    const std::uint32_t bits = std::min(inside, part.bits);
    differing[f] |= low_bits(bits) << taken[f];
    taken[f] += part.bits;
    inside -= bits;
  }
  for (const DramAddressHash& h : system.hashes) {
    const auto field = static_cast<std::size_t>(h.field), with = static_cast<std::size_t>(h.with);
    differing[field] |= differing[with] >> h.shift & low_bits(bits_of(system, h.field));
  }
  return inside == 0 && differing[static_cast<std::size_t>(DramAddressField::channel)] == 0;
}

std::vector<DramAddressPart> read_mapping(JsonObject& file, const DramSystem& system,
                                          std::uint32_t request_bursts) {
  std::vector<DramAddressPart> parts;
  Taken taken;
  bool readable = true;
  for (const Json* value : file.take_array("mapping", kMostParts, Need::optional)) {
    const auto part = value->is_string() ? parse_part(value->get_ref<const std::string&>()) : std::nullopt;
    if (!part) {
      readable = false;
      file.complain("mapping",
                    fmt::format("{} is no part of an address; allowed: {}, also with a number of bits, as "
                                "in \"column:2\"",
                                shown_json(*value), field_list()));
      continue;
    }
    const auto f = static_cast<std::size_t>(part->field);
    taken.bits[f] += part->bits;
    taken.open[f] += part->bits == 0;
    ++taken.parts[f];
    parts.push_back(*part);
  }
  if (!file.has("mapping")) return default_mapping(system, request_bursts);
  if (readable && !parts.empty()) check_cover(file, system, taken);
  if (file.violations().concerns(file.path_of("mapping"))) return parts;
  for (DramAddressPart& p : parts) {
    if (p.bits == 0) p.bits = bits_of(system, p.field) - taken.bits[static_cast<std::size_t>(p.field)];
  }
  std::erase_if(parts, [](const DramAddressPart& p) { return p.bits == 0; });
  return parts;
}

std::vector<DramAddressHash> read_hashes(JsonObject& file, const DramSystem& system) {
  std::vector<DramAddressHash> hashes;
  const auto values = file.take_array("xor", kMostHashes, Need::optional);
  for (std::size_t i = 0; i < values.size(); ++i) {
    JsonObject entry(values[i], fmt::format("{}/{}", file.path_of("xor"), i), file.violations());
    const auto field = entry.take_choice("field", kFieldNames), with = entry.take_choice("with", kFieldNames);
    const auto shift =
        entry.take_whole("shift", {0, 31, "bits of \"with\" that are passed over"}, Need::optional);
    entry.finish();
    if (!field || !with) continue;
    const DramAddressHash hash{static_cast<DramAddressField>(*field), static_cast<DramAddressField>(*with),
                               static_cast<std::uint32_t>(shift.value_or(0))};
    hashes.push_back(hash);
    if (hash.field == hash.with) {
      entry.complain("with",
                     fmt::format("\"{}\" with itself would be 0 for every address; name another field",
                                 kFieldNames[*with]));
    } else if (unknown_bits(file, hash.field) || unknown_bits(file, hash.with)) {
      continue;
    } else if (divides(system, hash.field)) {
      entry.complain("field",
                     fmt::format("\"channel\" would become a channel that is not there: {} are no power "
                                 "of two; remove the entry",
                                 system.channels));
    } else if (bits_of(system, hash.field) == 0 || bits_of(system, hash.with) == 0) {
      entry.complain("with", fmt::format("{} has {} bits and {} has {}: nothing to combine; remove the entry",
                                         kFieldNames[*field], bits_of(system, hash.field), kFieldNames[*with],
                                         bits_of(system, hash.with)));
    } else if (hash.shift >= bits_of(system, hash.with)) {
      entry.complain("shift", fmt::format("{} leaves nothing of {}, which has {} bits; allowed: at most {}",
                                          hash.shift, kFieldNames[*with], bits_of(system, hash.with),
                                          bits_of(system, hash.with) - 1));
    }
  }
  return hashes;
}

}  // namespace tokencycle::config
