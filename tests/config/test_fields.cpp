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
void check_refused(const Field& f, const Json& value) {
  INFO(f.path << " = " << value.dump());
  const std::string message = errors(with(f.path, value));
  CHECK_THAT(message, Contains("sample.json: " + f.path + ": "));
  CHECK_THAT(message, Contains(range_text(f)));
  if (value.is_primitive()) CHECK_THAT(message, Contains(": " + value.dump() + " is "));
}

// The value is inside the field's own range; a rule that joins several keys may still refuse it.
void check_in_range(const Field& f, const Json& value) {
  INFO(f.path << " = " << value.dump());
  const std::string message = errors(with(f.path, value));
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

TEST_CASE("the sample for these tests is valid and has every key") {
  REQUIRE(errors(complete()).empty());
  REQUIRE(fields().size() == 62);
  std::set<std::string> paths;
  for (const Field& f : fields()) {
    INFO(f.path);
    CHECK(complete().contains(at(f.path)));
    CHECK(paths.insert(f.path).second);
    CHECK_FALSE(f.meaning.empty());
    if (is_number(f)) CHECK_FALSE(f.unit.empty());
  }
}

TEST_CASE("a number below its least or above its greatest value is refused; both ends are allowed") {
  for (const Field& f : fields()) {
    if (!is_number(f)) continue;
    const double step = f.type == FieldType::whole ? 1 : 1e-6;
    check_refused(f, number(f, f.min - step));
    check_refused(f, number(f, f.max + step));
    check_refused(f, -1);
    check_in_range(f, number(f, f.min));
    check_in_range(f, number(f, f.max));
  }
}

TEST_CASE("an integer too long for 64 bits is out of range") {
  for (const Field& f : fields()) {
    if (!is_number(f)) continue;
    for (const std::string digits :
         {"18446744073709551615", "-9223372036854775808", "18446744073709551616"}) {
      INFO(f.path << " = " << digits);
      std::string text = with(f.path, "@").dump();
      text.replace(text.find("\"@\""), 3, digits);
      CHECK_THAT(errors_of_text(text), Contains(f.path + ": ") && Contains(" is not allowed; allowed: "));
    }
  }
}

TEST_CASE("a power of two is demanded where one is needed") {
  int checked = 0;
  for (const Field& f : fields()) {
    if (!f.power_of_two) continue;
    check_refused(f, static_cast<std::int64_t>(f.max) - 1);
    check_refused(f, 3 * static_cast<std::int64_t>(f.max) / 4);
    check_in_range(f, static_cast<std::int64_t>(f.max) / 2);
    ++checked;
  }
  CHECK(checked == 5);  // lanes, banks, bank_bytes, channels, burst_bytes
}

TEST_CASE("a value of the wrong JSON type is refused and the type is named") {
  const std::vector<std::pair<Json, std::string>> values = {
      {nullptr, "null"}, {true, "boolean"},          {"1", "string"}, {Json::array({1}), "array"},
      {1, "number"},     {Json::object(), "object"}, {2.5, "number"}};
  for (const Field& f : fields()) {
    for (const auto& [value, type] : values) {
      const bool right = (f.type == FieldType::boolean && value.is_boolean()) ||
                         (f.type == FieldType::whole && value.is_number_integer()) ||
                         (f.type == FieldType::real && value.is_number()) ||
                         ((f.type == FieldType::text || f.type == FieldType::choice) && value.is_string());
      if (right) continue;
      check_refused(f, value);
      CHECK_THAT(errors(with(f.path, value)), Contains("is of type " + type));
    }
  }
}

TEST_CASE("a missing key is an error, a default or a missing feature, as the table says") {
  for (const Field& f : fields()) {
    INFO(f.path);
    const std::string message = errors(without(f.path));
    if (f.presence == Presence::required) {
      CHECK_THAT(message, Contains("sample.json: " + f.path + ": missing; add \"" + leaf_of(f.path) + "\"") &&
                              Contains(range_text(f)) && Contains(f.meaning));
    } else if (f.path == "/matrix/group_buffer_rows") {
      CHECK_THAT(message, Contains("at least 1"));  // its default 0 does not suit this array of 16 rows
    } else {
      CHECK(message.empty());
      CHECK(f.get(parse(without(f.path))) == f.get(Machine{}));
    }
  }
}

TEST_CASE("a name that is no choice is refused with the choices") {
  int checked = 0;
  for (const Field& f : fields()) {
    if (f.type != FieldType::choice) continue;
    check_refused(f, "something-else");
    check_refused(f, "");
    ++checked;
  }
  CHECK(checked == 3);  // schema, dataflow, dram model
}

TEST_CASE("texts are bounded and have no control characters") {
  CHECK(errors(with("/name", std::string(64, 'n'))).empty());
  CHECK_THAT(errors(with("/name", std::string(65, 'n'))), Contains("1 .. 64 bytes of text"));
  CHECK_THAT(errors(with("/name", "")), Contains("1 .. 64 bytes of text"));
  CHECK_THAT(errors(with("/name", "a\nb")), Contains("/name: the text has a control character"));
  CHECK(errors(with("/description", std::string(4096, 'd'))).empty());
  CHECK_THAT(errors(with("/description", std::string(4097, 'd'))), Contains("0 .. 4096 bytes of text"));
  CHECK(parse(with("/name", "Rechner \xc3\xbc")).name == "Rechner \xc3\xbc");
}

TEST_CASE("ranges that other parts of the machine rely on") {
  for (const Field& f : fields()) {
    // Local addresses have 31 bits beside the bit that selects the accumulators.
    if (f.path == "/scratchpad/capacity_kib" || f.path == "/accumulator/capacity_kib") {
      CHECK(f.max * 1024 <= 64 * 1024 * 1024);
    }
    if (f.path == "/dram/capacity_mib") CHECK(f.max * 1024 * 1024 == 0x1p48);
    if (f.path == "/dram/burst_bytes") CHECK(f.min == 32);  // an instruction word lies in one burst
    if (is_number(f)) CHECK(f.max <= 0x1p53);               // exact as binary64
  }
}

}  // namespace tokencycle::config
