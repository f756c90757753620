#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the installed tree, the Debian package and the tarball run from anywhere?

Makes each with cmake and cpack in a scratch folder, unpacks it elsewhere, and runs the program there without the
tree's environment: it finds its machines and its model, and its manual page, completion scripts and licence are
where they belong. Exits with 77 (skipped) where a tool is missing.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PLACES = ["share/man/man1/tokencycle.1", "share/bash-completion/completions/tokencycle",
          "share/zsh/site-functions/_tokencycle", "share/tokencycle/configs/edge.json",
          "share/tokencycle/configs/dram/standards", "share/doc/tokencycle/LICENSE"]


def run(*command, **options):
    """The command's standard output; its whole output where it fails."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def check_tree(root, scratch, libraries=None):
    """A tree with bin/ and share/: everything is in its place, and the program runs from another folder."""
    for place in PLACES:
        if not (root / place).exists():
            sys.exit(f"{root}: {place} is missing")
    environment = {k: v for k, v in os.environ.items() if k not in ("TOKENCYCLE_HOME", "LD_LIBRARY_PATH")}
    program = root / "bin" / "tokencycle"
    text = run(program, "run", "-n", "1", cwd=scratch, env=environment)
    if "Austen" not in text or "dram" not in text:
        sys.exit(f"{program}: it ran, but not the bundled model:\n{text}")
    shown = run(program, "inspect", "edge", cwd=scratch, env=environment)
    if str(root / "share" / "tokencycle") not in shown:
        sys.exit(f"{program}: the machine is not this tree's:\n{shown}")
    if libraries:
        for line in run("ldd", program, env=environment).splitlines():
            name, _, path = line.strip().partition(" => ")
            system = any(part in name for part in ("linux-vdso", "ld-linux", "libc.so", "libm.so"))
            if not system and str(libraries.resolve()) not in os.path.realpath(path.split(" (")[0]):
                sys.exit(f"{program}: {line.strip()} is not the tarball's own")


def check_socket(root, scratch):
    """A SystemC model of another tree compiles against the installed DRAM socket and runs."""
    if not shutil.which("pkg-config") or not shutil.which("g++"):
        print("pkg-config or g++ not found: the TLM socket is not compiled against")
        return
    environment = {**os.environ, "PKG_CONFIG_PATH": str(root / "lib" / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "tokencycle-tlm", env=environment).split()
    source = pathlib.Path(__file__).resolve().parents[2] / "sim" / "tlm" / "example" / "initiator.cpp"
    run("g++", "-std=c++17", "-DSC_CPLUSPLUS=201703L", source, *flags, "-o", scratch / "initiator")
    text = run(scratch / "initiator", root / "share" / "tokencycle" / "configs" / "dram" / "ddr4-3200.json")
    if "row hits" not in text:
        sys.exit(f"the initiator ran, but not to its end:\n{text}")


def main():
    """Makes, unpacks and runs all three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    missing = [tool for tool in ("cmake", "cpack", "dpkg-deb", "dpkg-shlibdeps", "ldd") if not shutil.which(tool)]
    if missing:
        print(f"skipped: {', '.join(missing)} not found")
        return 77
    with tempfile.TemporaryDirectory(prefix="tokencycle_package_") as name:
        scratch = pathlib.Path(name).resolve()
        run("cmake", "--install", build, "--prefix", scratch / "installed")
        check_tree(scratch / "installed", scratch)
        check_socket(scratch / "installed", scratch)
        shutil.move(scratch / "installed", scratch / "moved")
        check_tree(scratch / "moved", scratch)
        run("cpack", "-G", "DEB;TGZ", "-B", scratch / "packages", "--config", build / "CPackConfig.cmake", cwd=scratch)
        (deb,) = (scratch / "packages").glob("*.deb")
        run("dpkg-deb", "-x", deb, scratch / "debian")
        check_tree(scratch / "debian" / "usr", scratch)
        depends = run("dpkg-deb", "-f", deb, "Depends")
        for library in ("libc6", "libsystemc", "libfmt"):
            if library not in depends:
                sys.exit(f"{deb.name}: its dependencies lack {library}: {depends}")
        (archive,) = (scratch / "packages").glob("*.tar.gz")
        (scratch / "tarball").mkdir()
        run("tar", "-xzf", archive, "-C", scratch / "tarball")
        (root,) = (scratch / "tarball").iterdir()
        check_tree(root, scratch, root / "lib" / "tokencycle")
    print("installed, moved, Debian package and tarball run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
