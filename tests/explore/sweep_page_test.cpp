// SPDX-License-Identifier: Apache-2.0
// A sweep's page: fronts and sensitivities against what they mean, its size, names from anywhere.
#include <catch2/catch.hpp>
#include <random>

#include "explore/page/sweep.h"
#include "explore/sweep/analysis.h"

using namespace tokencycle::explore;
using Json = nlohmann::ordered_json;
using Catch::Contains;

namespace {

Metric metric(std::vector<std::optional<double>> values, bool more = false) {
  return {0, more, std::move(values)};
}

// What the front is: the rows that no other row dominates, of equal ones the first.
std::vector<std::size_t> front_by_pairs(const Metric& a, const Metric& b) {
  const auto cost = [](const Metric& m, std::size_t row) {
    return m.more_is_better ? -*m.values[row] : *m.values[row];
  };
  std::vector<std::size_t> front;
  for (std::size_t row = 0; row < a.values.size(); ++row) {
    if (!a.values[row] || !b.values[row]) continue;
    bool beaten = false;
    for (std::size_t other = 0; other < a.values.size(); ++other) {
      if (other == row || !a.values[other] || !b.values[other]) continue;
      const double da = cost(a, other) - cost(a, row), db = cost(b, other) - cost(b, row);
      beaten = beaten || (da <= 0 && db <= 0 && (da < 0 || db < 0 || other < row));
    }
    if (!beaten) front.push_back(row);
  }
  return front;
}

// 100 x 100 points with figures of eight digits.
struct Large {
  SweepPlan plan;
  std::vector<Point> points;
  SweepTable table;

  explicit Large(std::size_t side) {
    plan.source = "large.json";
    plan.name = "large";
    plan.command = "run";
    plan.fixed = {{{"config"}, "edge"}};
    plan.axes = {{{{"/matrix/rows"}}, {}}, {{{"/scratchpad/capacity_kib"}}, {}}};
    for (std::size_t i = 0; i < side; ++i) {
      for (Axis& axis : plan.axes) axis.values.push_back({8 * (i + 1)});
    }
    points = points_of(plan);
    table.columns = {
        {"point", "", ""}, {"/matrix/rows", "", ""}, {"/scratchpad/capacity_kib", "", ""}, {"state", "", ""}};
    constexpr int kFigures = 30;
    for (int f = 0; f < kFigures; ++f)
      table.columns.push_back({"figure" + std::to_string(f), "cycles", "one"});
    std::mt19937_64 random(1);
    for (const Point& point : points) {
      std::vector<Json> row{point.number, 1, 2, "done"};
      for (int f = 0; f < kFigures; ++f) row.emplace_back(10'000'000 + random() % 90'000'000);
      table.rows.push_back(std::move(row));
    }
  }
};

}  // namespace

TEST_CASE("a front has the rows that no other dominates, whichever way is better") {
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::optional<double>> a, b;
    for (int i = 0; i < 40; ++i) {
      const auto draw = [&]() -> std::optional<double> {
        const auto value = random() % 13;
        return value == 12 ? std::nullopt : std::optional(static_cast<double>(value));
      };
      a.push_back(draw());
      b.push_back(draw());
    }
    const Metric x = metric(a, trial % 2 == 1), y = metric(b, trial % 3 == 1);
    std::vector<std::size_t> front = pareto_front(x, y);
    std::sort(front.begin(), front.end());
    CHECK(front == front_by_pairs(x, y));
  }
  CHECK(pareto_front(metric({}), metric({})).empty());
}

TEST_CASE("a sensitivity is the means at an axis's values, and their spread") {
  SweepPlan plan;
  plan.axes = {{{{"/a"}}, {{1}, {2}}}, {{{"/b"}}, {{1}, {2}, {3}}}};
  const std::vector<Point> points = points_of(plan);
  REQUIRE(points.size() == 6);
  std::vector<std::optional<double>> values;
  for (const Point& p : points) values.emplace_back(100.0 + 1.0 * p.at[0] + 50.0 * p.at[1]);
  const auto all = sensitivities(plan, points, metric(values));
  REQUIRE(all.size() == 2);
  CHECK(all[0].axis == 1);
  CHECK(all[0].means == std::vector<std::optional<double>>{100.5, 150.5, 200.5});
  CHECK(all[0].spread == Approx(200.5 / 100.5 - 1));
  CHECK(all[1].means == std::vector<std::optional<double>>{150, 151});
  values.assign(values.size(), std::nullopt);
  CHECK(sensitivities(plan, points, metric(values))[0].means[0] == std::nullopt);
}

TEST_CASE("the page of 10,000 points is below 2 MB, and one of too many is refused by name") {
  const Large large(100);
  const std::string html = sweep_html(large.plan, large.points, large.table, "1");
  CHECK(html.size() < kSweepPageBytes);
  CHECK_THAT(html, Contains("10,000 points done of 10,000"));
  const Large too_large(400);
  CHECK_THROWS_WITH(sweep_html(too_large.plan, too_large.points, too_large.table, "1"),
                    Contains("160,000 points do not fit") && Contains("--points"));
}

TEST_CASE("a page's names are text, and a sweep without a point that is done has a page") {
  Large small(2);
  const std::string evil = "</script><img src=x onerror=alert(1)>";
  small.plan.name = small.plan.axes[0].knobs[0].name = evil;
  small.plan.axes[1].values[0] = {evil};
  const SweepTable done = small.table;
  for (auto& row : small.table.rows) {
    row[3] = "failed";
    std::fill(row.begin() + 4, row.end(), Json());
  }
  small.table.columns.push_back({"error", "", ""});
  for (auto& row : small.table.rows) row.emplace_back(evil);
  const std::string html = sweep_html(small.plan, small.points, small.table, evil);
  CHECK_THAT(html, !Contains("<img") && Contains("&lt;img") && Contains("No point is done yet"));
  small.table = done;
  CHECK_THAT(sweep_html(small.plan, small.points, small.table, evil), !Contains("<img"));
}
