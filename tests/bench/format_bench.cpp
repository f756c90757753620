// SPDX-License-Identifier: Apache-2.0
// Host time per weight of a decode step, by the format of the weights, and its ratio to q8_0. Measured and
// printed, never asserted: the ratio is of one run, so the computer's speed cancels.
#include <fmt/format.h>

#include <ctime>
#include <limits>
#include <map>
#include <vector>

#include "config/machine.h"
#include "host/inference.h"
#include "host/places.h"
#include "support/synthetic_model.h"

using namespace tokencycle;

namespace {

constexpr int kSteps = 4, kRounds = 3;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Of a decode step's linear operators: the weights, and the seconds of the fastest of several rounds.
struct Measured {
  double weights = 0, seconds = std::numeric_limits<double>::infinity();
  double nanoseconds() const { return seconds * 1e9 / weights; }
};

Measured measure(Format format, const config::Machine& machine) {
  const auto model = test::make_synthetic_model({.layers = 1,
                                                 .width = 1024,
                                                 .heads = 8,
                                                 .kv_heads = 2,
                                                 .feed_forward = 2048,
                                                 .vocabulary = 512,
                                                 .matrices = format,
                                                 .tokenizer = test::SyntheticTokenizer::none});
  Measured found;
  for (const model::Operator& op : model->graph().operators) {
    if (op.kind == model::OperatorKind::linear) found.weights += double(op.weight->rows) * op.weight->cols;
  }
  found.weights *= kSteps;
  for (int round = 0; round < kRounds; ++round) {
    host::Inference inference(*model, machine, {});
    inference.evaluate(std::vector<model::TokenId>{1}, false);
    const double begin = cpu_seconds();
    for (model::TokenId token = 2; token < 2 + kSteps; ++token) inference.evaluate(std::vector{token}, false);
    found.seconds = std::min(found.seconds, cpu_seconds() - begin);
  }
  return found;
}

}  // namespace

// SystemC's library wants one.
extern "C" int sc_main(int, char*[]) {
  return 0;
}

int main() {
  const char* names[] = {"edge", "edge-dot"};
  fmt::print("{:<8}", "format");
  for (const char* name : names) fmt::print(" {:>12} ns/weight  to q8_0", name);
  fmt::print("\n");
  std::vector<double> base;
  std::vector<config::Machine> machines;
  for (const char* name : names) {
    machines.push_back(host::read_configuration(host::find_configuration(name)));
    base.push_back(measure(Format::q8_0, machines.back()).nanoseconds());
  }
  for (int f = 0; f < kFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!kModelFormats.has(format)) continue;
    fmt::print("{:<8}", name_of(format));
    for (std::size_t m = 0; m < machines.size(); ++m) {
      const double ns = measure(format, machines[m]).nanoseconds();
      fmt::print(" {:>12.3f} {:>9} {:>8.2f}", ns, "", ns / base[m]);
    }
    fmt::print("\n");
  }
  return 0;
}
