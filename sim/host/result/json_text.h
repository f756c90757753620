// SPDX-License-Identifier: Apache-2.0
// JSON documents as text that people can read: structure on lines of its own, numbers side by side.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tokencycle::host {

// Valid UTF-8 for a JSON document: a token may be a part of a character. What is no UTF-8 becomes U+FFFD.
std::string replace_invalid(const std::string& text);

// Indented by two, with a line's end; arrays and objects of numbers alone stand on one line.
std::string json_text(const nlohmann::ordered_json& document);

// Takes the parts of a text in turn.
using TextSink = std::function<void(std::string_view)>;

// A member of a document that is an array of objects, made one at a time while the text is written.
struct LateArray {
  std::string_view name;
  std::size_t size = 0;
  std::function<nlohmann::ordered_json(std::size_t)> element;
};

// The text of `document`, whose member `late.name` stands for that array, whatever it holds.
void write_json(const nlohmann::ordered_json& document, const LateArray& late, const TextSink& sink);

}  // namespace tokencycle::host
