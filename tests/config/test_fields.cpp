// SPDX-License-Identifier: Apache-2.0
// For every key: are its limits, its type and its presence checked, and does the message say all it should?
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "config/fields.h"
#include "machine_text.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;

// A violation of one field names the source, the path, the value and the allowed range.
void check_refused(const Key& key, const Json& value) {
  const Field& f = key.field;
  INFO(name_of(key.model) << ": " << f.path << " = " << value.dump());
  const std::string message = errors(with(f.path, value, key.model));
  CHECK_THAT(message, Contains("sample.json: " + f.path + ": "));
  CHECK_THAT(message, Contains(range_text(f)));
  if (value.is_primitive()) CHECK_THAT(message, Contains(": " + value.dump() + " is "));
}

// The value is inside the field's own range; a rule that joins several keys may still refuse it.
void check_in_range(const Key& key, const Json& value) {
  const Field& f = key.field;
  INFO(name_of(key.model) << ": " << f.path << " = " << value.dump());
  const std::string message = errors(with(f.path, value, key.model));
  CHECK_THAT(message, !Contains(f.path + ": " + value.dump() + " is not allowed"));
  CHECK_THAT(message, !Contains(f.path + ": " + value.dump() + " is of type"));
}

Json number(const Field& f, double v) {
  return f.type == FieldType::whole ? Json(static_cast<std::int64_t>(v)) : Json(v);
}

bool is_number(const Field& f) {
  return f.type == FieldType::whole || f.type == FieldType::real;
}

}  // namespace

TEST_CASE("the samples for these tests are valid and have every key of their memory model") {
  REQUIRE(fields().size() == 75);
  std::set<std::string> paths;
  for (const Field& f : fields()) {
    INFO(f.path);
    CHECK(paths.insert(f.path).second);
    CHECK_FALSE(f.meaning.empty());
    if (is_number(f)) CHECK_FALSE(f.unit.empty());
    for (const DramModel model : {DramModel::ideal, DramModel::commands}) {
      CHECK(complete(model).contains(at(f.path)) == (!f.only_with || *f.only_with == model));
    }
  }
  REQUIRE(errors(complete(DramModel::ideal)).empty());
  REQUIRE(errors(complete(DramModel::commands)).empty());
}

TEST_CASE("a number below its least or above its greatest value is refused; both ends are allowed") {
  for (const Key& key : keys_of_all_models()) {
    const Field& f = key.field;
    if (!is_number(f)) continue;
    const double step = f.type == FieldType::whole ? 1 : 1e-6;
    check_refused(key, number(f, f.min - step));
    check_refused(key, number(f, f.max + step));
    check_refused(key, -1);
    check_in_range(key, number(f, f.min));
    check_in_range(key, number(f, f.max));
  }
}

TEST_CASE("an integer too long for 64 bits is out of range") {
  for (const auto& [f, model] : keys_of_all_models()) {
    if (!is_number(f)) continue;
    for (const std::string digits :
         {"18446744073709551615", "-9223372036854775808", "18446744073709551616"}) {
      INFO(f.path << " = " << digits);
      std::string text = with(f.path, "@", model).dump();
      text.replace(text.find("\"@\""), 3, digits);
      CHECK_THAT(errors_of_text(text), Contains(f.path + ": ") && Contains(" is not allowed; allowed: "));
    }
  }
}

TEST_CASE("a power of two is demanded where one is needed") {
  int checked = 0;
  for (const Key& key : keys_of_all_models()) {
    const Field& f = key.field;
    if (!f.power_of_two) continue;
    check_refused(key, static_cast<std::int64_t>(f.max) - 1);
    check_refused(key, 3 * static_cast<std::int64_t>(f.max) / 4);
    check_in_range(key, static_cast<std::int64_t>(f.max) / 2);
    ++checked;
  }
  CHECK(checked == 5);  // lanes, banks, bank_bytes, burst_bytes of both models
}

TEST_CASE("a value of the wrong JSON type is refused and the type is named") {
  const std::vector<std::pair<Json, std::string>> values = {
      {nullptr, "null"}, {true, "boolean"},          {"1", "string"}, {Json::array({1}), "array"},
      {1, "number"},     {Json::object(), "object"}, {2.5, "number"}};
  for (const Key& key : keys_of_all_models()) {
    const Field& f = key.field;
    for (const auto& [value, type] : values) {
      const bool right = (f.type == FieldType::boolean && value.is_boolean()) ||
                         (f.type == FieldType::whole && value.is_number_integer()) ||
                         (f.type == FieldType::real && value.is_number()) ||
                         (f.type == FieldType::object && value.is_object()) ||
                         ((f.type == FieldType::text || f.type == FieldType::choice) && value.is_string());
      if (right) continue;
      check_refused(key, value);
      CHECK_THAT(errors(with(f.path, value, key.model)), Contains("is of type " + type));
    }
  }
}

TEST_CASE("a missing key is an error, a default or a missing feature, as the table says") {
  for (const auto& [f, model] : keys_of_all_models()) {
    INFO(name_of(model) << ": " << f.path);
    const std::string message = errors(without(f.path, model));
    const bool of_preset = f.presence == Presence::of_preset && model == DramModel::commands;
    if (of_preset) {
      CHECK(message.empty());  // tests/config/machine_base.cpp has what it is then
    } else if (f.presence == Presence::required || f.presence == Presence::of_preset) {
      CHECK_THAT(message, Contains("sample.json: " + f.path + ": missing; add \"" + leaf_of(f.path) + "\"") &&
                              Contains(range_text(f)) && Contains(f.meaning));
    } else if (f.path == "/matrix/group_buffer_rows") {
      CHECK_THAT(message, Contains("at least 1"));  // its default 0 does not suit this array of 16 rows
    } else {
      CHECK(message.empty());
      CHECK(f.get(parse(without(f.path, model))) == f.get(Machine{}));
    }
  }
}

TEST_CASE("a key of another memory model is refused, and the message names the model that has it") {
  int checked = 0;
  for (const Field& f : fields()) {
    if (!f.only_with) continue;
    INFO(f.path);
    const bool of_ideal = *f.only_with == DramModel::ideal;
    const Json value = complete(*f.only_with)[at(f.path)];
    const std::string message =
        errors(with(f.path, value, of_ideal ? DramModel::commands : DramModel::ideal));
    const std::string has = of_ideal ? "ideal" : "commands", is = of_ideal ? "commands" : "ideal";
    CHECK(message == "sample.json: " + f.path + ": only the memory model \"" + has +
                         "\" has this key, and /dram/model is \"" + is +
                         "\"; remove it, or make /dram/model \"" + has + "\"");
    // Without a model nobody knows which keys are right.
    CHECK_THAT(errors(with("/dram/model", "perfect", *f.only_with)), !Contains(f.path));
    CHECK_THAT(errors(without("/dram/model", *f.only_with)), !Contains(f.path));
    ++checked;
  }
  CHECK(checked == 3);  // system; channels and capacity_mib
}

TEST_CASE("a name that is no choice is refused with the choices") {
  int checked = 0;
  for (const Key& key : keys_of_all_models()) {
    if (key.field.type != FieldType::choice) continue;
    check_refused(key, "something-else");
    check_refused(key, "");
    ++checked;
  }
  CHECK(checked == 4);  // schema, dataflow, memory model from both
}

TEST_CASE("texts are bounded and have no control characters") {
  CHECK(errors(with("/name", std::string(64, 'n'))).empty());
  CHECK_THAT(errors(with("/name", std::string(257, 'n'))), Contains("1 .. 256 bytes of text"));
  CHECK_THAT(errors(with("/name", "")), Contains("1 .. 256 bytes of text"));
  CHECK_THAT(errors(with("/name", "a\nb")), Contains("/name: the text has a control character"));
  CHECK(errors(with("/description", std::string(4096, 'd'))).empty());
  CHECK_THAT(errors(with("/description", std::string(4097, 'd'))), Contains("0 .. 4096 bytes of text"));
  CHECK(parse(with("/name", "Rechner \xc3\xbc")).name == "Rechner \xc3\xbc");
}

TEST_CASE("ranges that other parts of the machine rely on") {
  for (const Field& f : fields()) {
    // Local addresses have 31 bits beside the bit that selects the accumulators.
    if (f.path == "/scratchpad/capacity_kib" || f.path == "/accumulator/capacity_kib") {
      CHECK(f.max * 1024 < 0x1p31);
    }
    if (f.path == "/dram/capacity_mib") CHECK(f.max * 1024 * 1024 == 0x1p48);
    if (f.path == "/dram/burst_bytes") CHECK(f.min == 32);  // an instruction word lies in one burst
    if (is_number(f)) CHECK(f.max <= 0x1p53);               // exact as binary64
  }
}

}  // namespace tokencycle::config
