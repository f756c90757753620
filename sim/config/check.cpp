// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "config/fields.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

// The table of fields as a tree.
struct Layout {
  // Names directly inside each section, in the table's order; the section "" is the whole file.
  std::map<std::string, std::vector<std::string>> children;
  std::set<std::string> leaves;    // paths of the fields
  std::set<std::string> required;  // sections with a required field
};

const Layout& layout() {
  static const Layout built = [] {
    Layout l;
    for (const Field& f : fields()) {
      l.leaves.insert(f.path);
      for (std::string path = f.path; !path.empty(); path = parent_of(path)) {
        auto& siblings = l.children[parent_of(path)];
        const std::string name = leaf_of(path);
        if (std::find(siblings.begin(), siblings.end(), name) == siblings.end()) siblings.push_back(name);
        if (f.presence == Presence::required) l.required.insert(parent_of(path));
      }
    }
    return l;
  }();
  return built;
}

bool is_section(const std::string& path) {
  return !path.empty() && layout().children.contains(path);
}
bool is_field(const std::string& path) {
  return layout().leaves.contains(path);
}
const std::vector<std::string>& children(const std::string& section) {
  return layout().children.at(section);
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
  return list;
}

// What to do about the unknown `key` in `section`.
std::string suggestion(const std::string& key, const std::string& section) {
  constexpr std::size_t kLongestName = 64;
  const std::vector<std::string>& known = children(section);
  if (key.size() <= kLongestName) {
    const std::string near = nearest(key, known);
    if (!near.empty()) return fmt::format("did you mean \"{}\"?", near);
    for (const Field& f : fields()) {
      if (leaf_of(f.path) == key) return fmt::format("did you mean {}?", f.path);
    }
  }
  return fmt::format("remove it; known here: {}", joined(known));
}

// A value as JSON text in ASCII.
std::string shown(const Json& value) {
  return shortened(value.dump(-1, ' ', true));
}

void check_object(const Json& object, const std::string& section, Violations& violations) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = section + "/" + pointer_token(key);
    if (is_section(path)) {
      if (value.is_object()) {
        check_object(value, path, violations);
      } else {
        violations.add(path, fmt::format("{} is of type {}; allowed: an object with the keys {}",
                                         shown(value), value.type_name(), joined(children(path))));
      }
    } else if (!is_field(path)) {
      violations.add(path, "unknown key; " + suggestion(key, section));
    }
  }
}

// A section that is missing with required keys in it is one violation, not one for each key.
void check_sections(const Json& object, const std::string& section, Violations& violations) {
  for (const std::string& name : children(section)) {
    const std::string path = section + "/" + name;
    if (!is_section(path)) continue;
    if (object.contains(name)) {
      if (object[name].is_object()) check_sections(object[name], path, violations);
      continue;
    }
    if (layout().required.contains(path)) {
      violations.add(
          path, fmt::format("missing; add the object \"{}\" with the keys {}", name, joined(children(path))));
    }
  }
}

// The field's value in the tree, or null when the key or a section above it is absent.
const Json* find(const Json& tree, const std::string& path) {
  const Json* at = &tree;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (!at->is_object()) return nullptr;
    const auto member = at->find(path.substr(begin, end - begin));
    if (member == at->end()) return nullptr;
    at = &*member;
    begin = end + 1;
  }
  return at;
}

std::string_view wanted(const Field& f) {
  switch (f.type) {
    case FieldType::text:
    case FieldType::choice:
      return "a string";
    case FieldType::whole:
      return "an integer";
    case FieldType::real:
      return "a number";
    case FieldType::boolean:
      return "a boolean";
    case FieldType::object:
      return "an object";
  }
  return "";
}

std::string allowed(const Field& f) {
  if (f.type == FieldType::object) return "an object";
  return fmt::format("{} {}{}", wanted(f), range_text(f), f.unit.empty() ? "" : " (" + f.unit + ")");
}

std::optional<Value> text_value(const Field& f, const Json& json) {
  if (!json.is_string()) return {};
  const auto& s = json.get_ref<const std::string&>();
  if (f.type == FieldType::choice) {
    const std::string name(f.full_name == nullptr ? std::string_view(s) : f.full_name(s));
    return std::find(f.choices.begin(), f.choices.end(), name) == f.choices.end() ? std::nullopt
                                                                                  : std::optional(name);
  }
  const auto bytes = static_cast<double>(s.size());
  if (bytes < f.min || bytes > f.max || has_control_character(s)) return {};
  return s;
}

std::optional<Value> number_value(const Field& f, const Json& json) {
  if (f.type == FieldType::whole ? !json.is_number_unsigned() : !json.is_number()) return {};
  const double v = json.get<double>();
  if (!std::isfinite(v) || v < f.min || v > f.max) return {};
  if (f.type == FieldType::real) return v == 0 ? 0.0 : v;  // -0 and 0 are one value with one digest
  const auto n = json.get<std::uint64_t>();
  if (f.power_of_two && !std::has_single_bit(n)) return {};
  return n;
}

// The value, if its type and range are the field's.
std::optional<Value> checked_value(const Field& f, const Json& json) {
  switch (f.type) {
    case FieldType::text:
    case FieldType::choice:
      return text_value(f, json);
    case FieldType::whole:
    case FieldType::real:
      return number_value(f, json);
    case FieldType::boolean:
      return json.is_boolean() ? std::optional<Value>(json.get<bool>()) : std::nullopt;
    case FieldType::object:
      break;
  }
  return {};
}

// An integer too long for 64 bits reaches us as a float: its range is wrong, not its type.
bool beyond_integers(const Json& json) {
  return json.is_number_float() && std::abs(json.get<double>()) >= 0x1p63;
}

bool right_type(const Field& f, const Json& json) {
  switch (f.type) {
    case FieldType::text:
    case FieldType::choice:
      return json.is_string();
    case FieldType::whole:
      return json.is_number_integer() || beyond_integers(json);
    case FieldType::real:
      return json.is_number();
    case FieldType::boolean:
      return json.is_boolean();
    case FieldType::object:
      return json.is_object();
  }
  return false;
}

std::string complaint(const Field& f, const Json& json) {
  if (!right_type(f, json)) {
    const std::string type = json.is_number_float() ? "number with a fraction or exponent" : json.type_name();
    return fmt::format("{} is of type {}; allowed: {}", shown(json), type, allowed(f));
  }
  if (f.type == FieldType::text && has_control_character(json.get<std::string>())) {
    return "the text has a control character; remove it (no line breaks)";
  }
  return fmt::format("{} is not allowed; allowed: {}", shown(json), allowed(f));
}

bool must_be_there(const Field& f, const Machine& machine) {
  return f.presence == Presence::required ||
         (f.presence == Presence::of_preset && machine.dram.model == DramModel::ideal);
}

}  // namespace

void check_keys(const Json& tree, Violations& violations) {
  if (!tree.is_object()) {
    violations.add("", fmt::format("the text is of type {}; allowed: an object with the keys {}",
                                   tree.type_name(), joined(children(""))));
    violations.throw_if_any();
  }
  check_object(tree, "", violations);
  check_sections(tree, "", violations);
}

Machine read_fields(const Json& tree, Violations& violations) {
  Machine machine;
  for (const Field& f : fields()) {
    const Json* json = find(tree, f.path);
    if (f.only_with && (*f.only_with != machine.dram.model || violations.concerns("/dram/model"))) {
      if (json != nullptr && !violations.concerns("/dram/model")) {
        violations.add(f.path,
                       fmt::format("only the memory model \"{0}\" has this key, and /dram/model is \"{1}\"; "
                                   "remove it, or make /dram/model \"{0}\"",
                                   name_of(*f.only_with), name_of(machine.dram.model)));
      }
      continue;
    }
    if (json == nullptr) {
      if (must_be_there(f, machine) && !violations.concerns(f.path)) {
        violations.add(f.path,
                       fmt::format("missing; add \"{}\": {}: {}", leaf_of(f.path), allowed(f), f.meaning));
      }
    } else if (f.type == FieldType::object && json->is_object()) {
      continue;  // machine_dram reads it
    } else if (const auto value = checked_value(f, *json)) {
      f.set(machine, *value);
    } else {
      violations.add(f.path, complaint(f, *json));
    }
  }
  return machine;
}

}  // namespace tokencycle::config
