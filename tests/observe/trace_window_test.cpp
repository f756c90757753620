// SPDX-License-Identifier: Apache-2.0
// Windows of traces: what is read from the option, and which cycles are in them.
#include "observe/trace_window.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "observe/synthetic_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

using Kind = TraceWindow::Kind;

TraceStep step(const isa::Program& program, std::uint32_t token, std::uint64_t start) {
  return {&program, Cycle(start), token, 1, "decode"};
}

Event stage(std::uint64_t cycle, std::uint32_t pc, Stage s) {
  return {Cycle(cycle), 0, 0, pc, EventKind::instruction, UnitId::decode, static_cast<std::uint8_t>(s), 0};
}

}  // namespace

TEST_CASE("a window is read with both its ends") {
  const TraceWindow tokens = TraceWindow::parse("token:3..4"), one = TraceWindow::parse("token:7"),
                    cycles = TraceWindow::parse("cycle:1000..18446744073709551615"),
                    operators = TraceWindow::parse("op:blk.*.attn_q");
  CHECK(tokens.kind == Kind::tokens);
  CHECK(!tokens.has_token(2));
  CHECK(tokens.has_token(3));
  CHECK(tokens.has_token(4));
  CHECK(!tokens.has_token(5));
  CHECK(one.first == 7);
  CHECK(one.last == 7);
  CHECK(cycles.kind == Kind::cycles);
  CHECK(cycles.first == 1000);
  CHECK(cycles.last == ~0ull);
  CHECK(operators.kind == Kind::operators);
  CHECK(operators.pattern == "blk.*.attn_q");
  CHECK(TraceWindow().has_token(5));
  CHECK(TraceWindow().has_operator("any"));
}

TEST_CASE("what is no window is refused with the value, the reason and the forms") {
  const std::pair<const char*, const char*> bad[] = {{"", "missing"},
                                                     {"token", "missing"},
                                                     {"token:", "whole number"},
                                                     {"token:a", "'a'"},
                                                     {"token:4..3", "between"},
                                                     {"token:1..", "whole number"},
                                                     {"token:-1", "'-1'"},
                                                     {"cycle:5", "second cycle"},
                                                     {"cycle:5..5", "between"},
                                                     {"cycle:1..2..3", "2..3"},
                                                     {"op:", "name is missing"},
                                                     {"operator:x", "'operator'"},
                                                     {"token: 3", "' 3'"},
                                                     {"cycle:0..18446744073709551616", "2^64"}};
  for (const auto& [text, why] : bad) {
    CAPTURE(text);
    try {
      TraceWindow::parse(text);
      FAIL("it was taken");
    } catch (const UsageError& error) {
      const std::string message = error.what();
      CHECK(message.find("--trace-window " + std::string(text) + ":") == 0);
      CHECK(message.find(why) != std::string::npos);
      CHECK(message.find("token:3..4") != std::string::npos);
    }
  }
}

TEST_CASE("a * in an operator's name stands for any letters") {
  const auto matches = [](const std::string& pattern, const std::string& name) {
    return TraceWindow::parse("op:" + pattern).has_operator(name);
  };
  CHECK(matches("output", "output"));
  CHECK(!matches("output", "output_norm"));
  CHECK(!matches("output_norm", "output"));
  CHECK(matches("output*", "output"));
  CHECK(matches("*", ""));
  CHECK(matches("**", "x"));
  CHECK(matches("*attn*", "blk.0.attn_q"));
  CHECK(matches("blk.*.attn_*", "blk.12.attn_k"));
  CHECK(!matches("blk.*.attn_q", "blk.0.attn_k"));
  CHECK(matches("*aab", "aaab"));
  CHECK(matches("a*b*c", "abbcbc"));
  CHECK(!matches("a*b*c", "abcb"));
  CHECK(!matches("*x", ""));
}

TEST_CASE("the whole run and a window of cycles are open by their numbers") {
  const WindowGate whole{TraceWindow()};
  CHECK(whole.contains(Cycle(0)));
  CHECK(whole.contains(Cycle(1ull << 62)));
  CHECK(whole.end() == kNever);
  CHECK(whole.touches(Cycle(5), Cycle(6)));
  const WindowGate gate(TraceWindow::parse("cycle:100..200"));
  CHECK(!gate.contains(Cycle(99)));
  CHECK(gate.contains(Cycle(100)));
  CHECK(gate.contains(Cycle(199)));
  CHECK(!gate.contains(Cycle(200)));
  CHECK(gate.begin() == Cycle(100));
  CHECK(gate.end() == Cycle(200));
  CHECK(!gate.touches(Cycle(50), Cycle(100)));
  CHECK(gate.touches(Cycle(50), Cycle(101)));
  CHECK(gate.touches(Cycle(199), Cycle(300)));
  CHECK(!gate.touches(Cycle(200), Cycle(300)));
  CHECK(gate.has_word(12345));
}

TEST_CASE("a window of tokens is open from the first one's start to the last one's end") {
  const isa::Program program = synthetic_program(8);
  WindowGate gate(TraceWindow::parse("token:1..2"));
  const auto end_and_begin = [&](std::uint32_t token, std::uint64_t start) {
    gate.end_step(Cycle(start));
    gate.begin_step(step(program, token, start));
  };
  gate.begin_step(step(program, 0, 1));
  CHECK(!gate.contains(Cycle(1)));
  CHECK(!gate.touches(Cycle(1), Cycle(10)));
  end_and_begin(1, 10);
  CHECK(gate.contains(Cycle(10)));
  CHECK(gate.touches(Cycle(10), Cycle(20)));
  end_and_begin(2, 20);
  CHECK(gate.contains(Cycle(25)));
  CHECK(gate.begin() == Cycle(10));
  CHECK(gate.end() == kNever);
  end_and_begin(3, 30);
  CHECK(!gate.contains(Cycle(30)));
  CHECK(gate.contains(Cycle(29)));
  CHECK(gate.end() == Cycle(30));
  CHECK(!gate.touches(Cycle(30), Cycle(40)));
  end_and_begin(1, 40);  // another sequence of tokens
  CHECK(gate.contains(Cycle(40)));
  CHECK(gate.begin() == Cycle(40));
}

TEST_CASE("a window of operators is open while one of their instructions is in flight") {
  const isa::Program program = synthetic_program(8);  // two words an operator
  WindowGate gate(TraceWindow::parse("op:blk.0.*"));
  gate.begin_step(step(program, 0, 1));
  CHECK(gate.has_word(2));
  CHECK(gate.has_word(5));
  CHECK(!gate.has_word(1));
  CHECK(!gate.has_word(6));
  CHECK(!gate.has_word(8));
  CHECK(gate.touches(Cycle(1), Cycle(2)));
  CHECK(!gate.on_event(stage(5, 1, Stage::decoded)));
  CHECK(!gate.contains(Cycle(5)));
  CHECK(!gate.on_event(stage(6, 2, Stage::decoded)));
  CHECK(gate.contains(Cycle(6)));
  CHECK(!gate.on_event(stage(8, 5, Stage::decoded)));
  CHECK(!gate.on_event(stage(9, 2, Stage::dispatched)));
  CHECK(!gate.on_event(stage(12, 2, Stage::written_back)));
  CHECK(gate.contains(Cycle(12)));
  CHECK(gate.end() == kNever);
  CHECK(gate.on_event(stage(20, 5, Stage::written_back)));
  CHECK(!gate.contains(Cycle(20)));
  CHECK(gate.begin() == Cycle(6));
  CHECK(gate.end() == Cycle(20));
  gate.on_event(stage(30, 4, Stage::decoded));
  CHECK(gate.contains(Cycle(30)));
  gate.end_step(Cycle(33));  // the run was cut
  CHECK(gate.end() == Cycle(33));
  gate.begin_step(step(program, 1, 33));
  gate.on_event(stage(40, 4, Stage::decoded));
  CHECK(gate.begin() == Cycle(40));
  WindowGate absent(TraceWindow::parse("op:output"));
  absent.begin_step(step(program, 0, 1));
  CHECK(!absent.touches(Cycle(1), Cycle(2)));
}
