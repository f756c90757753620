// SPDX-License-Identifier: Apache-2.0
// Is it the right cycle, whichever edges are delivered? A clock that delivers all edges and one that delivers
// only those asked for give the same events.
#include <catch2/catch.hpp>

#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;

TEST_CASE("every-edge and gated clocking give the same events and logits on every machine of configs/") {
  const Format format = GENERATE(Format::f32, Format::q8_0);
  CAPTURE(name_of(format));
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = format});
  const auto tokens = test::random_tokens(12, model->shape().vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    const config::Machine machine = test::machine(name);
    host::Inference gated(*model, machine, {.compile = {}, .clocking = machine::Clocking::gated});
    host::Inference every_edge(*model, machine, {.compile = {}, .clocking = machine::Clocking::every_edge});
    const test::Trial a = test::evaluate(gated, tokens, 9);
    const test::Trial b = test::evaluate(every_edge, tokens, 9);
    CHECK(a.cycles() == b.cycles());
    CHECK(gated.events() == every_edge.events());
    CHECK(gated.event_digest() == every_edge.event_digest());
    CHECK(test::difference(a.logits, b.logits) == "");
    // The comparison is one of two clockings: only one of them delivers each cycle's edge.
    CHECK(every_edge.accelerator().edges() >= b.cycles());
    CHECK(gated.accelerator().edges() < a.cycles());
  }
}

TEST_CASE("a machine's cycles do not depend on the values that it computes with") {
  // Same shapes, other weights and tokens: same events in the same cycles, apart from the addresses that the
  // token ids lead to.
  const auto one = test::make_synthetic_model({.matrices = Format::q8_0, .seed = 1});
  const auto two = test::make_synthetic_model({.matrices = Format::q8_0, .seed = 2});
  const auto tokens = test::random_tokens(6, one->shape().vocabulary);
  host::Inference a(*one, test::machine("edge"), {});
  host::Inference b(*two, test::machine("edge"), {});
  const test::Trial first = test::evaluate(a, tokens, 4), second = test::evaluate(b, tokens, 4);
  CHECK(a.event_digest() == b.event_digest());
  CHECK(test::difference(first.logits, second.logits) != "");
}
