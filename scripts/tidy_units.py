#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over the sources of sim/, several in one translation unit (called by scripts/tidy.sh).

Most of clang-tidy's time goes into the headers of others: it parses them and matches every check against them again
for each source. So sources are put one behind the other into generated units; sources that define the same name for
themselves go into different units. All of sim/ took 5.5 minutes of processor time without the analyzer. A source is
left out when nothing that it is made of has changed since it was found clean: itself, the headers of sim/ below it, its
flags, the configuration, the installed packages.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIM = ROOT / "sim"
CLANG_TIDY = "clang-tidy-16"
# Fewer units cost less in all, but the last one keeps the other processors waiting.
UNITS_A_PROCESSOR = 3
LEAST_LINES = 1000
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
# What a formatted source declares at column 0: a type or alias, or a function or constant.
DECLARED = re.compile(r"^(?:template <.*?> )?(?:(?:struct|class|enum class) (\w+)|using (\w+) =|"
                      r"(?!using )[\w:][\w:<>,&*\[\] ]*?[ &*>](\w+)(?:\(|\{| =|\[|;))")
ALIAS = re.compile(r"^using (\w+) = .*", re.M)
FINDING = re.compile(r"^(/[^:]+):(\d+):\d+: (?:warning|error): .*\[([\w.,-]+?)(?:,-warnings-as-errors)?\]$")


def headers_below(path, known):
    """The headers of sim/ that a source or header includes, directly or not. `known` keeps what is found."""
    if path not in known:
        known[path] = set()
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            header = SIM / name
            if header.is_file():
                known[path] |= {header} | headers_below(header, known)
    return known[path]


def own_names(path, headers):
    """Names that this source gives a meaning: (folder, name) -> the meaning. Two of the same are no clash."""
    folder = path.parent.name  # each folder is a namespace
    names = {}
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line in ("namespace {", "}  // namespace"):
            inside = line == "namespace {"
        elif (inside or line.startswith("static ")) and (match := DECLARED.match(line)):
            names[folder, match[1] or match[2] or match[3]] = line if ALIAS.match(line) else str(path)
    for file in [path, *headers]:
        if file.parent == path.parent:
            names.update(((folder, match[1]), match[0]) for match in ALIAS.finditer(file.read_text(encoding="utf-8")))
    return names


def flags_of_sources(build):
    """The compiler flags of each source, without the source's and the object's name."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        words = shlex.split(entry["command"].replace("-isystem ", "-isystem"))
        flags[pathlib.Path(entry["file"])] = [w for w in words[1:words.index("-o")] if w != "-Werror"]
    return flags


def digests_of(files, flags, below):
    """What each source is made of, in one number."""
    packages = pathlib.Path("/var/lib/dpkg/status")
    parts = [ROOT / ".clang-tidy", pathlib.Path(__file__), *([packages] if packages.is_file() else [])]
    common = b"".join(file.read_bytes() for file in parts)
    digests = {}
    for file in files:
        result = hashlib.sha256(common + "\0".join(flags[file]).encode())
        for part in [file, *sorted(below[file])]:
            result.update(str(part).encode() + b"\0" + part.read_bytes())
        digests[file] = result.hexdigest()
    return digests


def alone(path, flags):
    """Whether a source shares no unit: the names of foreign sources and of enumerators are not known here."""
    return "-w" in flags or "\nusing enum " in path.read_text(encoding="utf-8")


def units_of(files, flags, below):
    """Groups of sources that can share a unit: no name of their own in common."""
    lines = {f: f.read_text(encoding="utf-8").count("\n") for f in files}
    most = max(LEAST_LINES, sum(lines.values()) // (UNITS_A_PROCESSOR * os.cpu_count()))
    units = []
    for path in files:
        names = own_names(path, below[path])
        for unit in units:
            if (unit["lines"] + lines[path] <= most and not unit["alone"] and not alone(path, flags[path])
                    and all(unit["names"].get(name, text) == text for name, text in names.items())):
                break
        else:
            unit = {"alone": alone(path, flags[path]), "flags": [], "files": [], "names": {}, "lines": 0}
            units.append(unit)
        unit["files"].append(path)
        unit["flags"] += [flag for flag in flags[path] if flag not in unit["flags"]]
        unit["names"].update(names)
        unit["lines"] += lines[path]
    return sorted(units, key=lambda unit: -unit["lines"])


def check(source, flags):
    """Runs clang-tidy over one source; returns its findings as blocks of text and whether it could be compiled."""
    # A name of one source may be shadowed in another of the unit; the build looks for real ones.
    command = [CLANG_TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(source), "--", *flags, "-Wno-shadow"]
    output = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    findings = []
    for line in output.stdout.splitlines():
        if FINDING.match(line):
            findings.append(line)
        elif findings:
            findings[-1] += "\n" + line
    if output.returncode != 0 and not findings:
        findings.append(f"{source}:1:1: error: {output.stderr.strip()[-400:]} [clang-diagnostic-error]")
    return findings, not any("[clang-diagnostic-error" in f.split("\n")[0] for f in findings)


def check_unit(name, files, flags, build):
    """Findings in the sources of a unit; in each half of it if the sources do not get along in one."""
    if len(files) == 1:
        return check(files[0], flags)[0]
    # One text: the analyzer follows the paths of no function that was included.
    source = build / "units" / f"{name}.cpp"
    texts = [f.read_text(encoding="utf-8") for f in files]
    source.write_text("".join(texts), encoding="utf-8")
    findings, compiled = check(source, flags)
    if not compiled:
        half = len(files) // 2
        halves = {name + "a": files[:half], name + "b": files[half:]}
        return [f for part, of_it in halves.items() for f in check_unit(part, of_it, flags, build)]
    places = [(file, n + 1) for file, text in zip(files, texts) for n in range(text.count("\n"))]
    place = re.compile(rf"^{re.escape(str(source))}:(\d+):", re.M)
    return [place.sub(lambda match: "{}:{}:".format(*places[int(match[1]) - 1]), f) for f in findings]


def main():
    """Checks what has changed or what is named; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="a build folder with compile_commands.json")
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="sources to check anyway (default: changed ones)")
    options = parser.parse_args()
    build = options.build.resolve()
    (build / "units").mkdir(exist_ok=True)
    start = time.monotonic()

    flags = flags_of_sources(build)
    files = [f.resolve() for f in options.files] or sorted(f for f in SIM.rglob("*.cpp") if f in flags)
    for file in files:
        if not file.is_file() or SIM not in file.parents:
            parser.error(f"{file}: is no source in sim/; name .cpp files of it, or none for all")
        if file not in flags:
            parser.error(f"{file}: is no part of the build in {build}")
    known = {}
    below = {f: headers_below(f, known) for f in files}
    digests = digests_of(files, flags, below)
    record = build / "clean.json"
    clean = set(json.loads(record.read_text())) if record.is_file() else set()
    todo = files if options.files else [f for f in files if digests[f] not in clean]

    units = units_of(todo, flags, below)
    findings = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(check_unit, str(n), u["files"], u["flags"], build): u for n, u in enumerate(units)}
        for job in concurrent.futures.as_completed(jobs):
            for finding in job.result():
                if finding not in findings:
                    findings[finding] = FINDING.match(finding.split("\n")[0])
                    print(finding.replace(f"{ROOT}/", ""), flush=True)
            if not job.result():
                clean |= {digests[f] for f in jobs[job]["files"]}
                record.write_text(json.dumps(sorted(clean)))
    counts = {}
    for match in findings.values():
        counts[match[3]] = counts.get(match[3], 0) + 1
    for name, count in sorted(counts.items(), key=lambda entry: -entry[1]):
        print(f"{count:6} {name}")
    print(f"tidy: {len(files)} sources, {len(todo)} checked in {len(units)} units, {len(findings)} findings, "
          f"{time.monotonic() - start:.0f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
