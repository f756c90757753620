// SPDX-License-Identifier: Apache-2.0
#include "explore/result/node.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "config/json_text.h"

namespace tokencycle::explore {

Node Node::at(const std::string& key) const {
  const auto& members = object();
  const auto found = members.find(key);
  if (found == members.end()) {
    Node(*json_, path_of(key), source_).refuse("is missing");
  }
  return Node(found->second, path_of(key), source_);
}

std::optional<Node> Node::find(const std::string& key) const {
  const auto& members = object();
  const auto found = members.find(key);
  if (found == members.end() || found->second.is_null()) return std::nullopt;
  return Node(found->second, path_of(key), source_);
}

std::size_t Node::size() const {
  if (!json_->is_array()) refuse_value("a list");
  return json_->size();
}

Node Node::operator[](std::size_t index) const {
  return Node((*json_)[index], fmt::format("{}/{}", path_, index), source_);
}

std::string Node::text() const {
  if (!json_->is_string()) refuse_value("a text");
  return json_->get<std::string>();
}

std::uint64_t Node::count(std::uint64_t most) const {
  // A number built in a program may be signed and still be a count.
  const bool negative =
      json_->is_number_integer() && !json_->is_number_unsigned() && json_->get<std::int64_t>() < 0;
  if (!json_->is_number_integer() || negative || json_->get<std::uint64_t>() > most) {
    refuse_value(fmt::format("a whole number, 0 to {}", with_separators(most)));
  }
  return json_->get<std::uint64_t>();
}

std::int64_t Node::whole(std::int64_t least, std::int64_t most) const {
  const bool fits = json_->is_number_integer() &&
                    (!json_->is_number_unsigned() ||
                     json_->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (!fits || json_->get<std::int64_t>() < least || json_->get<std::int64_t>() > most) {
    refuse_value(fmt::format("a whole number, {} to {}", least, most));
  }
  return json_->get<std::int64_t>();
}

double Node::number() const {
  if (!json_->is_number() || !std::isfinite(json_->get<double>()) || json_->get<double>() < 0) {
    refuse_value("a number, 0 or more");
  }
  return json_->get<double>();
}

bool Node::flag() const {
  if (!json_->is_boolean()) refuse_value("true or false");
  return json_->get<bool>();
}

observe::Stack Node::stack() const {
  observe::Stack stack{};
  members([&](const std::string& key, const Node& value) {
    for (std::size_t i = 0; i < stack.size(); ++i) {
      if (key == observe::name_of(static_cast<observe::Cause>(i))) {
        stack[i] = value.count();
        return;
      }
    }
    value.refuse("this cause of cycles is not known; is the result of a newer version?");
  });
  return stack;
}

void Node::refuse(const std::string& what) const {
  throw IoError(
      fmt::format("{}: {}: {}; this is not a whole tokencycle result: write it again with "
                  "`tokencycle run --result FILE`",
                  source_, path_.empty() ? "/" : path_, what));
}

void Node::check_sum(std::uint64_t sum, std::uint64_t expected, const std::string& of) const {
  if (sum == expected) return;
  refuse(fmt::format("sums to {}, not to the {} of {}", with_separators(sum), with_separators(expected), of));
}

const Node::Json::object_t& Node::object() const {
  if (!json_->is_object()) refuse_value("an object");
  return json_->get_ref<const Json::object_t&>();
}

std::string Node::path_of(const std::string& key) const {
  return path_ + '/' + config::pointer_token(key);
}

void Node::refuse_value(const std::string& expected) const {
  std::string value = fmt::format("an {}", json_->type_name());
  if (json_->is_primitive()) value = json_->dump(-1, ' ', true, Json::error_handler_t::replace);
  if (json_->is_string()) {
    value = fmt::format("\"{}\"", config::escaped(config::shortened(json_->get<std::string>())));
  }
  refuse(fmt::format("{}; it must be {}", value, expected));
}

std::uint64_t add_counts(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::uint64_t sum_of(const observe::Stack& stack) {
  std::uint64_t sum = 0;
  for (const std::uint64_t cycles : stack) sum = add_counts(sum, cycles);
  return sum;
}

void add_stack(observe::Stack& sum, const observe::Stack& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = add_counts(sum[i], more[i]);
}

}  // namespace tokencycle::explore
