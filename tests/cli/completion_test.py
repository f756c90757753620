#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the shells complete what the help lists, and is the manual page one?

Runs bash's completion as a shell does, zsh's check of syntax where zsh is installed, and groff with all warnings
where that is. Exits with 77 (skipped) without bash.
"""

import argparse
import re
import shutil
import subprocess
import sys

FAILURES = []


def output(*command, text=None):
    """What the command prints; its errors are failures."""
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode != 0 or result.stderr:
        FAILURES.append(f"{' '.join(map(str, command[:4]))}: exit code {result.returncode}: {result.stderr[:600]}")
    return result.stdout


def expect(what, found, wanted, exact=False):
    """The words wanted are among those found."""
    lacking = set(wanted) - set(found)
    if lacking or (exact and set(found) != set(wanted)):
        FAILURES.append(f"{what}: found {sorted(found)[:20]}, wanted {sorted(wanted)}")


def check_bash(binary):
    """Completes lines as bash does."""
    script = output(binary, "completion", "bash")
    output("bash", "-n", text=script)

    def words(*line):
        quoted = " ".join(f"'{word}'" for word in (binary, *line))
        run = (f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(line)}; _tokencycle; "
               "printf '%s\\n' \"${COMPREPLY[@]}\"")
        return output("bash", "-c", run).split()

    registered = output("bash", "-c", f"{script}\ncomplete -p tokencycle")
    expect("complete -p", registered.split(), ["-F", "_tokencycle", "tokencycle"])
    expect("commands", words("co"), ["compare", "compile", "completion"], exact=True)
    expect("options", words("run", "--con"), ["--config", "--context"], exact=True)
    expect("machines", words("run", "-c", "edge-"), ["edge-dot", "edge-os"])
    expect("machines after =", words("run", "--config", "=", "edge-d"), ["edge-dot"], exact=True)
    expect("memories", words("dram", "-c", "hbm2-"), ["hbm2-2000"], exact=True)
    expect("choices", words("gemm", "--dataflow", "o"), ["os", "output-stationary"], exact=True)
    expect("formats", words("run", "--kv-type", "f1"), ["f16"], exact=True)
    overview = output(binary, "--help")
    commands = re.findall(r"^  (\w+) +", overview.split("commands:")[1].split("`tokencycle")[0], re.M)
    expect("all commands", words(""), commands)
    for command in commands:
        text = output(binary, command, "--help")
        if "--help-all" in text:
            text = output(binary, command, "--help-all")
        listed = re.findall(r"^  (?:-\w \[ )?(--[a-z][a-z-]*)", text, re.M)
        positional = {"--input", "--trace", "--ids", "--image", "--shell", "--plan", "--topic"}  # of some commands
        expect(f"options of {command}", words(command, "--"), set(listed) - positional)


def check_zsh(binary):
    """Syntax alone: its completion needs a terminal."""
    script = output(binary, "completion", "zsh")
    expect("zsh", script.split("\n", 1)[:1], ["#compdef tokencycle"])
    if shutil.which("zsh"):
        output("zsh", "-n", text=script)
    else:
        print("zsh is not installed: the script's syntax is not checked")


def check_page(binary):
    """No warnings, and the sections that a page has."""
    page = output(binary, "man")
    expect("sections", re.findall(r"^\.SH (.*)$", page, re.M),
           ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT"])
    if not shutil.which("groff"):
        print("groff is not installed: the manual page is not formatted")
        return
    shown = re.sub(".\b", "", output("groff", "-ww", "-man", "-Tascii", "-P-c", text=page))
    shown = re.sub(r"\s+", " ", shown)
    for part in ("tokencycle - cycle-accurate", "--trace-window", "perplexity"):
        if part not in shown:
            FAILURES.append(f"the manual page lacks '{part}'")


def main():
    """All three; prints what fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    binary = parser.parse_args().binary
    if not shutil.which("bash"):
        print("skipped: bash not found")
        return 77
    check_bash(binary)
    check_zsh(binary)
    check_page(binary)
    print("\n".join(FAILURES) or "completion and manual page: all as the help has it")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
