#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparer of cycles must be able to fail: changed copies of the golden file, and what the script says of each."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASE = "edge-dot/random-f32"  # one of the shortest
REFUSED = "tiny/smollm2-q8_0"


class Cycles(unittest.TestCase):
    """Each test changes one thing of a copy and compares the case that it belongs to."""

    binary = ROOT / "build" / "release" / "tokencycle"

    def setUp(self):
        self.document = json.loads((ROOT / "tests" / "golden" / "cycles.json").read_text(encoding="utf-8"))
        self.case = self.document["cases"][CASE]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.copy = pathlib.Path(folder.name) / "cycles.json"

    def compare(self, *options, case=CASE, text=None):
        """(exit code, output) of the script with the changed copy."""
        self.copy.write_text(json.dumps(self.document) if text is None else text, encoding="utf-8")
        return self.run_script("--filter", case, *options)

    def run_script(self, *options):
        command = [sys.executable, ROOT / "scripts" / "cycles.py", "--binary", self.binary, "--golden", self.copy, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def expect(self, result, code, *texts):
        self.assertEqual(result[0], code, result[1])
        for text in texts:
            self.assertIn(text, result[1])

    def test_the_same_is_the_same(self):
        self.expect(self.compare(), 0, "1 cases: 1 same")

    def test_one_cycle_less_in_the_golden_file_is_slower_now(self):
        cycles = self.case["cycles"]["prefill"]
        self.case["cycles"]["prefill"] -= 1
        self.expect(self.compare(), 1, CASE, "prefill", f"{cycles - 1:,} -> ", f"{cycles:,}", "1 slower", "--update")
        self.expect(self.compare("--only", "cycles"), 1, CASE)

    def test_a_decode_step_is_compared_too(self):
        self.case["cycles"]["decode"][0] += 1000
        self.case["stack"]["drain"] += 1000
        self.expect(self.compare(), 1, CASE, "decode", "drain -1,000", "1 faster")

    def test_other_digests_with_the_same_cycles_are_another_line(self):
        for digest in ("program", "events"):
            kept, self.case[digest] = self.case[digest], "0" * 32
            self.expect(self.compare(), 1, f"Cycles are the same; changed: {digest}\n", CASE, "1 same cycles")
            self.expect(self.compare("--only", "cycles"), 0)
            self.case[digest] = kept

    def test_a_stack_with_the_same_sum_is_compared(self):
        self.case["stack"]["drain"] += 5
        self.case["stack"]["matrix"] -= 5
        self.expect(self.compare(), 1, "changed: stack (drain -5, matrix +5)", CASE)

    def test_a_refusal_that_ends_or_begins_is_named(self):
        self.document["cases"][CASE] = {"refused": "not today"}
        self.expect(self.compare(), 1, f"{CASE}: runs now, was refused: not today")
        self.document["cases"][REFUSED] = self.case
        self.expect(self.compare(case=REFUSED), 1, f"{REFUSED}: ran, is refused now: ", "capacity_mib")

    def test_new_and_gone_cases_are_named(self):
        self.document["cases"]["edge-dot/random-f3x"] = self.document["cases"].pop(CASE)
        self.expect(self.compare(case="edge-dot/random-f3?"), 1, f"{CASE}: is not in the golden file",
                    "edge-dot/random-f3x: is in the golden file alone", "1 new, 1 gone")

    def test_update_writes_the_cases_of_the_filter_alone(self):
        expected = json.loads(json.dumps(self.document))
        self.case["cycles"]["prefill"] += 1
        self.document["cases"][REFUSED] = expected["cases"][REFUSED] = {"refused": "kept"}
        self.expect(self.compare("--update"), 0, "1 faster", "1 cases written")
        self.assertEqual(json.loads(self.copy.read_text(encoding="utf-8")), expected)
        self.expect(self.run_script("--filter", CASE), 0)

    def test_bad_input_is_told(self):
        self.expect(self.compare(text="{"), 2, str(self.copy), "is no JSON", "--update")
        self.expect(self.compare(text='{"schema": "other"}'), 2, "/schema should be \"tokencycle-cycles-1\"")
        self.expect(self.compare(text='{"schema": "tokencycle-cycles-1", "cases": {"a": 1}}'), 2, "/cases/a should have")
        self.expect(self.compare(case="nothing/*"), 2, "'nothing/*' matches no case", "--list")
        self.expect(self.compare("--binary", "/nowhere/tokencycle"), 2, "/nowhere/tokencycle: no such program")
        self.expect(self.compare("--golden", "/nowhere/cycles.json"), 2, "/nowhere/cycles.json: cannot be read")
        self.expect(self.compare("--binary", "/bin/false"), 2, CASE, "ended with code 1")
        self.expect(self.compare("-j", "0"), 2, "0 should be a number of at least 1")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=Cycles.binary)
    known, rest = parser.parse_known_args()
    Cycles.binary = known.binary
    unittest.main(argv=[sys.argv[0], *rest])
