// SPDX-License-Identifier: Apache-2.0
// Does the array take the cycles that its formulas say? Random products on random arrays, against closed
// forms that know nothing of machine::Dataflow; SCALE-Sim's figures; and wrong arrays, which must be found
// out.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>

#include "compiler/tile/folds.h"
#include "host/gemm/array_alone.h"
#include "host/gemm/product.h"
#include "proof/altered.h"
#include "support/trials.h"

using namespace tokencycle;
using config::Dataflow;
using host::GemmShape;
using host::GemmType;
using Cycles = std::uint64_t;

namespace {

struct Trial {
  config::Machine machine;
  GemmType type;
  GemmShape shape;
};

std::ostream& operator<<(std::ostream& out, const Trial& t) {
  const config::Matrix& m = t.machine.matrix;
  return out << t.shape.m << " x " << t.shape.n << " x " << t.shape.k << " in " << t.type.name << " on "
             << m.rows << " x " << m.columns << " " << config::name_of(m.dataflow) << ", double-buffered "
             << m.double_buffered << ", back to back " << m.back_to_back << ", scale latency "
             << m.scale_latency_cycles << ", group buffer " << m.group_buffer_rows << ", tiling "
             << m.tiling.m << "," << m.tiling.n << "," << m.tiling.k;
}

// What the formulas need of one fold.
struct Fold {
  Cycles rows, cols, depth;  // moving rows (matmul: of results), tile columns, k values
  Cycles groups;             // that end in it
  bool opens;
  bool adds;  // to sums that the folds before it have made
};

Cycles up(Cycles a, Cycles b) {
  return (a + b - 1) / b;
}

bool is_integer(const GemmType& t) {  // sums of groups in any order
  return t.w != Format::f32 && t.w != Format::f16 && t.w != Format::bf16;
}

// The folds of a product, written down again: tiles, moving rows, k.
std::vector<Fold> folds_of(const Trial& t) {
  const config::Matrix& m = t.machine.matrix;
  const bool os = m.dataflow == Dataflow::output_stationary;
  const bool x_held = m.dataflow == Dataflow::input_stationary || m.dataflow == Dataflow::dot_product;
  const bool plain = t.type.x == Format::i8;
  const auto limit = [](Cycles tiling) { return tiling == 0 ? ~Cycles{0} : tiling; };
  Cycles height = std::min<Cycles>(os ? t.shape.k : m.rows, limit(m.tiling.k));
  if (t.type.w == Format::i4 && !os && height > 1) height = height / 2 * 2;  // cut between bytes
  // Passes of one unit of k: all of an array's height, whole groups of it, or several for a group.
  const Cycles pass = plain || height < 32 || (os && height == t.shape.k) ? height : height / 32 * 32;
  const Cycles unit = plain || pass >= 32 || os ? pass : 32;
  const Cycles moving = x_held ? t.shape.n : t.shape.m, held = x_held ? t.shape.m : t.shape.n;
  const Cycles columns = std::min<Cycles>(m.columns, limit(x_held ? m.tiling.m : m.tiling.n));
  Cycles rows = std::min<Cycles>(moving, limit(x_held ? m.tiling.n : m.tiling.m));
  if (os) rows = std::min<Cycles>(rows, m.rows);
  if (pass < std::min<Cycles>(unit, t.shape.k)) rows = std::min<Cycles>(rows, m.group_buffer_rows);
  std::vector<Fold> folds;
  for (Cycles n = 0; n < held; n += columns) {
    for (Cycles r = 0; r < moving; r += rows) {
      for (Cycles u = 0; u < t.shape.k; u += unit) {
        const Cycles end = std::min<Cycles>(u + unit, t.shape.k);
        for (Cycles k = u; k < end; k += pass) {
          const Cycles last = std::min(k + pass, end);
          const Cycles groups = plain ? 0 : (last == end ? up(last, 32) : last / 32) - k / 32;
          folds.push_back(
              {std::min(rows, moving - r), std::min(columns, held - n), last - k, groups, k == u, u > 0});
        }
      }
    }
  }
  return folds;
}

// The formulas of README.md for one machine and type.
class Forms {
 public:
  explicit Forms(const Trial& t)
      : m_(t.machine.matrix),
        type_(t.type),
        s_(m_.cycles_per_row[static_cast<std::size_t>(multiply_type(t.type.w))]),
        hops_(Cycles{m_.rows} + m_.columns - 2),
        blocks_held_(block_elements(m_.dataflow == Dataflow::weight_stationary ? t.type.w : t.type.x) == 32) {
  }

  Cycles total(const std::vector<Fold>& folds) const {
    Cycles entry = preload(folds.front());
    Cycles folded = 0;  // when the totals made so far can take the next terms, as an entry
    for (std::size_t f = 0; f + 1 < folds.size(); ++f) {
      const Fold &fold = folds[f], &next = folds[f + 1];
      if (!fold.adds) folded = 0;
      if (latency(fold) > 0) folded = entry + until_folded(fold);
      entry += apart(fold, next);
      if (next.adds && latency(next) > 0) entry = std::max(entry, folded_for(next, folded));
    }
    return entry + through(folds.back());
  }

 private:
  // From one fold's first element to its last result.
  Cycles through(const Fold& f) const {
    switch (m_.dataflow) {
      case Dataflow::output_stationary:
        return (f.depth + hops_) * s_ + latency(f);
      case Dataflow::dot_product:
        return f.rows * s_ + additions() * s_ + latency(f);
      default:
        return (f.rows + hops_) * s_ + latency(f);
    }
  }
  // Cycles that scaling and accumulating add behind the last sum.
  Cycles latency(const Fold& f) const {
    const Cycles a = m_.scale_latency_cycles;
    if (m_.dataflow != Dataflow::output_stationary) return f.groups * a;
    if (f.groups == 0) return 0;
    // The groups of a cell end 32 steps apart and share one scale-and-accumulate cell, which takes one after
    // the other.
    Cycles free = 0;
    for (Cycles g = 1; g <= f.groups; ++g) free = std::max(free, std::min(g * 32, f.depth) * s_) + a;
    return free - f.depth * s_;
  }
  // From a fold's entry to when its first total is folded, as the entry of a wave over the same sums; such a
  // wave of an output-stationary array wants it when its own first group ends.
  Cycles until_folded(const Fold& f) const {
    return m_.dataflow == Dataflow::output_stationary ? f.depth * s_ + latency(f) : latency(f);
  }
  Cycles folded_for(const Fold& next, Cycles folded) const {
    if (m_.dataflow != Dataflow::output_stationary) return folded;
    const Cycles group = std::min<Cycles>(32, next.depth) * s_;
    return folded > group ? folded - group : 0;
  }
  Cycles additions() const {  // of a dot product, behind the multiplication
    const Cycles segment = std::min<Cycles>(m_.rows, 32);
    if (!is_integer(type_)) return segment;
    Cycles levels = 0;
    for (Cycles inputs = type_.x == Format::i8 ? m_.rows : segment; Cycles{1} << levels < inputs;) ++levels;
    return levels;
  }
  Cycles preload(const Fold& f) const {
    switch (m_.dataflow) {
      case Dataflow::output_stationary:
        return 0;
      case Dataflow::dot_product:
        return f.cols;  // a line of n a cycle
      default:
        return blocks_held_ ? m_.columns : m_.rows;
    }
  }
  // Cycles between the entries of two folds that follow each other.
  Cycles apart(const Fold& f, const Fold& next) const {
    const Cycles through_f = through(f),
                 shorter = latency(f) > latency(next) ? latency(f) - latency(next) : 0;
    if (m_.dataflow == Dataflow::output_stationary) {
      if (!m_.back_to_back) return through_f;
      // Operands of all rows are read, and each column's bus has carried f's totals when the next ones come.
      const Cycles free = (f.depth + f.rows) * s_ + latency(f), wanted = next.depth * s_ + latency(next);
      return std::max({f.depth * s_, reading(f), free > wanted ? free - wanted : 0});
    }
    if (!m_.double_buffered) return through_f + preload(next);
    const bool dot = m_.dataflow == Dataflow::dot_product;
    const Cycles changed = dot ? 1 : std::max<Cycles>(1, hops_ * (s_ - 1));
    const Cycles continued = next.opens || is_integer(type_) ? 0 : s_ * m_.rows + 1;
    const Cycles entered = m_.back_to_back ? f.rows * s_ + shorter : through_f;
    return std::max({entered, changed + preload(next), continued});
  }
  // From a matmul's start to the last read of its operands: a row of a chunk at a time, one a cycle, row i no
  // sooner than i steps behind the chunk's first. A buffer is free when the chunk before it (of two buffers:
  // the one before that) has entered, or later when the port is behind.
  Cycles reading(const Fold& f) const {
    const Cycles chunk = up(std::max(m_.rows, m_.columns), 32) * 32, before = up(f.depth, chunk) - 1;
    const bool lines_of_n = block_elements(type_.w) == 32;
    const Cycles lines = lines_of_n ? std::max(f.rows, f.cols) : f.rows;
    const Cycles free = m_.double_buffered && before > 0 ? before - 1 : before;
    return std::max(free * chunk * s_, before * lines) + (lines - 1) * s_ + 1;
  }

  const config::Matrix& m_;
  const GemmType& type_;
  Cycles s_, hops_;
  bool blocks_held_;
};

using Random = std::mt19937;
std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

Trial random_trial(Random& random, bool overlaps) {
  static constexpr std::uint32_t kSides[] = {1, 2, 3, 4, 5, 8, 12, 16, 20, 31, 32, 33, 48, 64, 70};
  const auto side = [&] { return kSides[number(random, 0, std::size(kSides) - 1)]; };
  Trial t;
  config::Matrix& m = t.machine.matrix;
  m.rows = side();
  m.columns = side();
  m.dataflow = static_cast<Dataflow>(number(random, 0, config::kDataflows - 1));
  m.double_buffered = overlaps && number(random, 0, 3) != 0;
  m.back_to_back = overlaps && number(random, 0, 3) != 0;
  m.scale_latency_cycles = number(random, 0, 5);
  m.group_buffer_rows = number(random, 1, 40);
  for (std::uint32_t& step : m.cycles_per_row) step = number(random, 1, 3);
  if (number(random, 0, 3) == 0) {
    m.tiling = {number(random, 0, 40), number(random, 0, 40), 32 * number(random, 0, 3)};
  }
  t.type = host::kGemmTypes[number(random, 0, host::kGemmTypes.size() - 1)];
  const auto length = [&] { return number(random, 1, number(random, 0, 1) == 0 ? 12 : 150); };
  t.shape = {length(), length(), length()};
  if (block_elements(t.type.w) == 32) t.shape.k = 32 * number(random, 1, 5);
  return t;
}

Cycles measured(const Trial& t, std::unique_ptr<machine::Dataflow> dataflow = {}) {
  host::ArrayAlone array(t.machine, {});
  if (dataflow) array.matrix().use_dataflow(std::move(dataflow));
  compiler::Folds folds(t.machine.matrix, {t.type.x, t.type.w, t.shape.m, t.shape.n, t.shape.k},
                        array.moving(), array.stationary());
  return array.run([&folds](isa::Instruction& i) { return folds.next(i); });
}

Cycles closed_form(const Trial& t) {
  return Forms(t).total(folds_of(t));
}

// Serial folds of plain integers at a step a cycle, as textbooks count them.
Cycles textbook(const Trial& t) {
  const config::Matrix& a = t.machine.matrix;
  const GemmShape& s = t.shape;
  const Cycles r = a.rows, c = a.columns;
  const Cycles pass = t.type.w == Format::i4 && r > 1 ? r / 2 * 2 : r;  // cut between bytes
  switch (a.dataflow) {
    case Dataflow::weight_stationary:
      return up(s.k, pass) * up(s.n, c) * (s.m + 2 * r + c - 2);
    case Dataflow::input_stationary:
      return up(s.k, pass) * up(s.m, c) * (s.n + 2 * r + c - 2);
    default:
      return up(s.m, r) * up(s.n, c) * (s.k + r + c - 2);
  }
}

constexpr int kTrials = test::trials(4000), kMutants = test::trials(400);

}  // namespace

TEST_CASE("without overlaps a product takes folds times the cycles of a serial fold") {
  Random random(1);
  for (int i = 0; i < kTrials; ++i) {
    Trial t = random_trial(random, false);
    t.type = host::kGemmTypes[number(random, 0, 1)];
    t.machine.matrix.cycles_per_row = {1, 1, 1, 1, 1};
    t.machine.matrix.tiling = {};
    if (t.machine.matrix.dataflow == Dataflow::dot_product) continue;
    CAPTURE(t);
    REQUIRE(measured(t) == textbook(t));
  }
}

TEST_CASE("without overlaps every type and dataflow takes the sum of its folds") {
  Random random(2);
  for (int i = 0; i < kTrials; ++i) {
    const Trial t = random_trial(random, false);
    CAPTURE(t);
    REQUIRE(measured(t) == closed_form(t));
  }
}

TEST_CASE("with overlaps every type and dataflow takes what its closed form says") {
  Random random(3);
  for (int i = 0; i < 2 * kTrials; ++i) {
    const Trial t = random_trial(random, true);
    CAPTURE(t);
    REQUIRE(measured(t) == closed_form(t));
  }
}

TEST_CASE("SCALE-Sim's cycles are ours without overlaps, less one") {
  std::ifstream file(TOKENCYCLE_SOURCE_DIR "/../shared/validation/systolic/reference.csv");
  if (!file) {
    WARN("no reference beside the repository: nothing compared");
    return;
  }
  std::string line;
  std::getline(file, line);
  int rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream in(line);
    Trial t;
    std::string dataflow;
    Cycles cycles = 0;
    double used = 0, mapped = 0;
    config::Matrix& m = t.machine.matrix;
    in >> t.shape.m >> t.shape.n >> t.shape.k >> dataflow >> m.rows >> m.columns >> cycles >> used >> mapped;
    REQUIRE(in);
    m.dataflow = dataflow == "ws"   ? Dataflow::weight_stationary
                 : dataflow == "is" ? Dataflow::input_stationary
                                    : Dataflow::output_stationary;
    m.double_buffered = m.back_to_back = false;
    m.cycles_per_row = {1, 1, 1, 1, 1};
    t.type = host::kGemmTypes[0];
    CAPTURE(line, rows);
    CHECK(measured(t) == cycles + 1);
    const double cells = static_cast<double>(m.rows) * m.columns;
    // Printed with four decimals.
    CHECK(100.0 * static_cast<double>(t.shape.multiplications()) / (static_cast<double>(cycles) * cells) ==
          Approx(used).margin(5.1e-5));
    double in_use = 0;
    const std::vector<Fold> folds = folds_of(t);
    for (const Fold& f : folds) {
      in_use += static_cast<double>(f.cols * (dataflow == "os" ? f.rows : f.depth));
    }
    CHECK(100.0 * in_use / (static_cast<double>(folds.size()) * cells) == Approx(mapped).margin(5.1e-5));
  }
  CHECK(rows > 0);
}

namespace {

using proof::Alteration;

// Trials of some kind in which the array with this formula wrong differs from the closed forms.
int found_out(const Alteration& by, bool overlaps, Dataflow dataflow) {
  Random random(4);
  int found = 0;
  for (int i = 0; i < kMutants; ++i) {
    Trial t = random_trial(random, overlaps);
    t.machine.matrix.dataflow = dataflow;
    if (dataflow == Dataflow::output_stationary && t.machine.matrix.tiling.k == 0)
      t.machine.matrix.tiling.k = 32;
    auto altered = std::make_unique<proof::Altered>(machine::make_dataflow(t.machine.matrix), by);
    if (measured(t, std::move(altered)) != closed_form(t)) ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("an array whose formulas are wrong by one cycle is found out") {
  for (int d = 0; d < config::kDataflows; ++d) {
    const auto dataflow = static_cast<Dataflow>(d);
    CAPTURE(config::name_of(dataflow));
    const bool tile = dataflow != Dataflow::output_stationary, systolic = dataflow != Dataflow::dot_product;
    CHECK(found_out({.exit = 1}, false, dataflow) == kMutants);
    CHECK(found_out({.exit = -1}, true, dataflow) > 0);
    CHECK(found_out({.gap = 1}, true, dataflow) > 0);
    if (tile && systolic) CHECK(found_out({.shift_in = -1}, false, dataflow) > 0);
    if (tile && systolic) CHECK(found_out({.shift_in = 1}, true, dataflow) > 0);
    if (tile) CHECK(found_out({.tile_free = 2}, true, dataflow) > 0);  // 1 is hidden: one start a cycle
    if (tile) CHECK(found_out({.go_on = 1}, true, dataflow) > 0);
    CHECK(found_out({}, true, dataflow) == 0);
  }
}
