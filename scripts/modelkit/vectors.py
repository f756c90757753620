# SPDX-License-Identifier: Apache-2.0
"""The command line that the scripts of golden vectors share: --write makes the file anew, --check compares it."""

import argparse
import pathlib


def main(about, compose, check):
    """`compose` gives the file's text; `check` takes what is stored and returns how many vectors agree."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true")
    action.add_argument("--check", action="store_true")
    parser.add_argument("path", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.write:
        arguments.path.write_text(compose(), encoding="utf-8")
    text = arguments.path.read_text(encoding="utf-8")
    if text != compose():
        raise SystemExit("the file differs from what the rules give: write it anew and look at the difference")
    print(f"{check(text)} vectors agree")
