#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of sim/model/tokenizer/unicode_table.h from the Unicode database that Python has.

    scripts/make_unicode_table.py classes > sim/model/tokenizer/unicode_classes.cpp
    scripts/make_unicode_table.py bases > sim/model/tokenizer/unicode_bases.cpp
    scripts/make_unicode_table.py cases > sim/model/tokenizer/unicode_cases.cpp
"""

import sys
import textwrap
import unicodedata

SURROGATES = range(0xD800, 0xE000)


def ranges(belongs):
    """Code points for which `belongs` holds, as [first, last]."""
    found = []
    for point in range(0x110000):
        if not belongs(point):
            continue
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def category(*letters):
    return lambda point: unicodedata.category(chr(point)).startswith(letters)


def bases():
    """Letters that decompose: [first, last, first code point of the decomposition]."""
    found = []
    for point in range(0x110000):
        if point in SURROGATES:
            continue
        base = ord(unicodedata.normalize("NFD", chr(point))[0])
        if base == point:
            continue
        if found and found[-1][1] == point - 1 and found[-1][2] == base:
            found[-1][1] = point
        else:
            found.append([point, point, base])
    return found


def lower_cases():
    """Letters with another lower case: [first, last, step, distance to it]."""
    found = []
    for point in range(0x110000):
        if point in SURROGATES:
            continue
        lower = ord(chr(point).lower()[0])
        if lower == point:
            continue
        last = found[-1] if found else None
        if last and last[3] == lower - point and point - last[1] in ((1, 2) if last[0] == last[1] else (last[2],)):
            last[1], last[2] = point, point - last[1]
        else:
            found.append([point, point, 1, lower - point])
    return found


def table(kind, name, rows):
    cells = ["{" + ",".join(f"0x{v:X}" if i < 2 or kind == "BaseRange" else str(v) for i, v in enumerate(row)) + "},"
             for row in rows]
    print(f"const std::array<{kind}, {len(rows)}> {name}Data = {{{{")
    print(textwrap.fill(" ".join(cells), 108, break_long_words=False))
    print("}};")


FILES = {
    "classes": [
        ("CodeRange", "kUnicodeControls", lambda: ranges(category("Cc", "Cf", "Co", "Cs"))),
        ("CodeRange", "kUnicodeMarks", lambda: ranges(category("M"))),
        ("CodeRange", "kUnicodePunctuation", lambda: ranges(category("P"))),
    ],
    "bases": [("BaseRange", "kUnicodeBases", bases)],
    "cases": [("CaseRange", "kUnicodeLowerCases", lower_cases)],
}


def main():
    which = sys.argv[1] if len(sys.argv) == 2 else ""
    if which not in FILES:
        sys.exit(__doc__)
    tables = [(kind, name, rows()) for kind, name, rows in FILES[which]]
    print("// SPDX-License-Identifier: Apache-2.0")
    print(f"// Unicode {unicodedata.unidata_version}; made by scripts/make_unicode_table.py.")
    print('#include "model/tokenizer/unicode_table.h"\n\n#include <array>\n')
    print("namespace tokencycle::model {\n\nnamespace {\n\n// clang-format off")
    for kind, name, rows in tables:
        table(kind, name, rows)
    print("// clang-format on\n\n}  // namespace\n")
    for kind, name, _ in tables:
        print(f"const std::span<const {kind}> {name} = {name}Data;")
    print("\n}  // namespace tokencycle::model")


if __name__ == "__main__":
    sys.exit(main())
