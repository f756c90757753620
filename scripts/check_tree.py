#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks rules of the tree that no compiler checks.

Include direction (a folder of sim/ includes only folders below it), where SystemC may be included, the licence
line of every source, file length, the formatting of the C++ sources, a README in each folder of sim/, and the links
between READMEs.
Prints one line per violation and exits with 1 if there is any.
"""

import argparse
import pathlib
import re
import subprocess
import sys

# What each folder of sim/ may include, besides itself.
BELOW = {
    "base": [],
    "numerics": ["base"],
    "isa": ["base", "numerics"],
    "model": ["base", "numerics"],
    "config": ["base", "numerics", "isa"],
    "compiler": ["base", "numerics", "isa", "model", "config"],
    "observe": ["base", "numerics", "isa", "config"],
    "memory": ["base", "numerics", "isa", "config", "observe"],
    "tlm": ["base", "numerics", "config", "memory"],
    "machine": ["base", "numerics", "isa", "config", "observe", "memory"],
    "explore": ["base", "numerics", "isa", "config", "observe"],
    "host": ["base", "numerics", "isa", "model", "config", "compiler", "observe", "memory", "machine", "explore"],
    "cli": ["base", "numerics", "isa", "model", "config", "compiler", "observe", "memory", "machine", "explore", "host"],
}
LONGEST_FILE = 500
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def check_includes(root, path, text):
    """Yields violations of the include direction and of the SystemC rule in one file of sim/."""
    folder = path.relative_to(root / "sim").parts[0]
    for kind, name in INCLUDE.findall(text):
        if name.startswith("systemc") and not (folder == "machine" and path.stem.endswith("_shell")):
            yield f"{path.relative_to(root)}: includes <{name}>; only *_shell files of machine/ may"
        if name.startswith("tlm") and kind == "<" and folder != "tlm":
            yield f"{path.relative_to(root)}: includes <{name}>; only tlm/ may"
        if kind == '"':
            other = name.split("/")[0]
            if other in BELOW and other != folder and other not in BELOW[folder]:
                yield f"{path.relative_to(root)}: includes \"{name}\", but {folder}/ may not use {other}/"


def check_text(root, path, text):
    """Yields violations of the rules for every source."""
    lines = text.splitlines()
    if LICENCE not in "\n".join(lines[:3]):
        yield f"{path.relative_to(root)}: the licence line '{LICENCE}' is missing"
    if len(lines) > LONGEST_FILE:
        yield f"{path.relative_to(root)}: {len(lines)} lines; more than {LONGEST_FILE}: which second thing is in it?"


def anchors(text):
    """The names that a page's headings have in links to them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def check_readmes(root, pages):
    """Yields folders of sim/ without a README, and links that lead nowhere."""
    for folder in sorted(BELOW):
        if not (root / "sim" / folder / "README.md").is_file():
            yield f"sim/{folder}: has no README.md: what is it for, and how does one add to it?"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            if not target.exists():
                yield f"{page.relative_to(root)}: the link to {link} leads to no file"
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
                yield f"{page.relative_to(root)}: the link to {link} leads to no heading"


def check_format(root, files):
    """Yields sources that clang-format 14 would change."""
    for tool in ("clang-format-14", "clang-format"):
        try:
            result = subprocess.run([tool, "--dry-run", "-Werror", *map(str, files)], capture_output=True, text=True)
        except FileNotFoundError:
            continue
        for line in result.stderr.splitlines():
            if "error:" in line:
                yield line.replace(f"{root}/", "")
        return
    yield "clang-format is not installed"


def main():
    """Runs all checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root.resolve()
    violations = []
    cpp = sorted(p for d in ("sim", "tests") for p in (root / d).rglob("*") if p.suffix in (".h", ".cpp"))
    scripts = sorted(p for d in ("scripts", "python") for p in (root / d).rglob("*") if p.suffix in (".py", ".sh"))
    for path in cpp + scripts + [root / "CMakeLists.txt"]:
        text = path.read_text(encoding="utf-8")
        violations += check_text(root, path, text)
        if path.is_relative_to(root / "sim"):
            violations += check_includes(root, path, text)
    pages = sorted(p for p in root.rglob("*.md") if p.relative_to(root).parts[0] not in ("build", ".git"))
    violations += check_readmes(root, pages)
    violations += check_format(root, cpp)
    for violation in violations:
        print(violation)
    print(f"{len(cpp)} C++ files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
