#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Does a run on a terminal leave it in order? Runs the program on a pseudo-terminal and reads the screen.

The screen is pyte's (Debian: python3-pyte), an independent emulation of a VT100. Without it the test is
skipped with exit code 77. Messages of a failure show the screen.
"""
import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

try:
    import pyte
except ImportError:
    print("skipped: there is no pyte (Debian: python3-pyte)")
    sys.exit(77)

STATUS = re.compile(
    r"^(prompt, [\d,]+ of [\d,]+ tokens read|token \d+ of \d+), [\d,]+ cycles"
    r"(, \d+\.\d [kM]cycles/s)?(, [\d hmins]+ left( of the prompt)?)?(, [a-z_]+ \d+ %)?$")


class Screen(pyte.HistoryScreen):
    """With DECSTBM as the VT100 has it: a parameter that is missing or 0 is the first or the last row."""

    def __init__(self, rows, columns):
        super().__init__(columns, rows, history=10000, ratio=0.5)

    def set_margins(self, top=None, bottom=None):
        super().set_margins(top or 1, bottom or self.lines)
        if self.margins == (0, self.lines - 1):
            self.margins = None

    def text(self):
        """All that was ever on it, without blank lines at its end."""
        lines = ["".join(line[x].data for x in range(self.columns)) for line in self.history.top]
        return "\n".join(line.rstrip() for line in lines + self.display).rstrip()


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, arguments, rows=24, columns=80, before="", **environment):
        self.screen = Screen(rows, columns)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(before.encode())
        self.output = b""
        self.statuses = []  # texts of the last row while the region was smaller than the screen
        pid, self.master = pty.fork()
        if pid == 0:
            self.set_size(rows, columns, 0)
            os.environ.pop("NO_COLOR", None)
            os.environ.update({"TERM": "xterm-256color", **environment})
            os.execv(arguments[0], arguments)
        self.pid = pid

    def set_size(self, rows, columns, descriptor=None):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master if descriptor is None else descriptor, termios.TIOCSWINSZ, size)

    def resize(self, rows, columns):
        """As xterm does it: the text at the cursor stays in view, the region is the whole screen."""
        cursor = self.screen.cursor
        gone = max(0, cursor.y - (rows - 1))
        for _ in range(gone):
            self.screen.history.top.append(self.screen.buffer[0])
            for y in range(self.screen.lines - 1):
                self.screen.buffer[y] = self.screen.buffer[y + 1]
            self.screen.buffer.pop(self.screen.lines - 1, None)
        for y in range(rows, self.screen.lines):
            self.screen.buffer.pop(y, None)
        self.screen.lines, self.screen.columns = rows, columns
        self.screen.set_margins()
        cursor.y, cursor.x = min(cursor.y - gone, rows - 1), min(cursor.x, columns - 1)
        self.screen.dirty.update(range(rows))
        self.set_size(rows, columns)

    def read(self, until=lambda terminal: False, seconds=120):
        """Until the program has ended (True), or `until` holds (False)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.master], [], [], 0.05)[0]:
                if until(self):
                    return False
                continue
            try:
                data = os.read(self.master, 4096)
            except OSError:  # the program has closed it
                return True
            if not data:
                return True
            self.output += data
            for part in re.split(rb"(?<=\x1b8)", data):  # the line is drawn when the cursor comes back
                self.stream.feed(part)
                self.see_status()
            if until(self):
                return False
        raise AssertionError("the program said nothing new for too long")

    def see_status(self):
        margins = self.screen.margins
        if margins is None or margins.bottom != self.screen.lines - 2:
            return
        text = self.screen.display[-1].rstrip()
        if text and (not self.statuses or self.statuses[-1] != text):
            self.statuses.append(text)

    def exit_code(self):
        self.read()
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def show(self):
        return "\n".join(f"{i:3} |{line}|" for i, line in enumerate(self.screen.display))


def without_times(text):
    return text[:text.rindex("simulation")]  # it is the last line, or several where it is broken


class Checks:
    def __init__(self, binary, tokens):
        self.binary, self.tokens = binary, tokens

    def run(self, *more):
        return [self.binary, "run", "-n", str(self.tokens), "--ignore-eos", *more]

    def plain_output(self, arguments):
        return subprocess.run(arguments, capture_output=True, check=True).stdout

    def expect(self, holds, what, terminal):
        if not holds:
            raise AssertionError(f"{what}\n{terminal.show()}\nstatus lines: {terminal.statuses}")

    def in_order(self, terminal):
        """No region, no line, the cursor below the text."""
        self.expect(terminal.screen.margins is None, "the region is left", terminal)
        self.expect(not re.search(r"cycles/s,|\d (s|min) left|tokens read,", terminal.screen.text()),
                    "the status line is left", terminal)

    def statuses_are_valid(self, terminal, least):
        self.expect(len(terminal.statuses) >= least, f"fewer than {least} status lines", terminal)
        for line in terminal.statuses:
            cut = len(line) >= terminal.screen.columns - 1
            self.expect(cut or STATUS.match(line), f"what is '{line}'?", terminal)

    def check_text_is_whole(self):
        arguments = self.run()
        plain = self.plain_output(arguments)
        for rows, columns, before in ((24, 80, ""), (24, 80, "\r\n" * 30), (8, 40, "$ tokencycle run\r\n"),
                                      (60, 200, "\r\n" * 100), (3, 20, "")):
            terminal = Terminal(arguments, rows, columns, before)
            self.expect(terminal.exit_code() == 0, "it failed", terminal)
            self.in_order(terminal)
            self.statuses_are_valid(terminal, 2)
            expected = Screen(rows, columns)
            pyte.ByteStream(expected).feed(before.encode() + plain.replace(b"\n", b"\r\n"))
            self.expect(without_times(terminal.screen.text()) == without_times(expected.text()),
                        f"not the text:\n{terminal.screen.text()}", terminal)

    def check_figures(self):
        terminal = Terminal(self.run("--timing-only"), 24, 120)
        self.expect(terminal.exit_code() == 0, "it failed", terminal)
        last = [line for line in terminal.statuses if line.startswith("token")][-1]
        self.expect(f" of {self.tokens}, " in last, "another number of tokens", terminal)
        self.expect(re.search(r" preload \d+ %$", last), "another bottleneck", terminal)
        counts = [int(re.search(r"([\d,]+) cycles", line)[1].replace(",", "")) for line in terminal.statuses]
        self.expect(counts == sorted(counts), "cycles went back", terminal)

    def check_resize(self):
        terminal = Terminal(self.run(), 30, 100)
        sizes = [(12, 60), (40, 120), (2, 60), (24, 15), (24, 80)]
        for rows, columns in sizes:
            # A line must have been drawn since, where there is room for one.
            fits = terminal.screen.lines >= 3 and terminal.screen.columns >= 20
            known = len(terminal.statuses) if fits else 0
            begin = time.monotonic()
            if terminal.read(lambda t: time.monotonic() > begin + 0.25 and (not fits or len(t.statuses) > known)):
                break
            terminal.resize(rows, columns)
        self.expect(terminal.exit_code() == 0, "it failed", terminal)
        self.expect("simulation" in terminal.screen.text(), "the summary is missing", terminal)
        self.in_order(terminal)

    def check_interrupt(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "t.vcd")
            terminal = Terminal(self.run("--trace", trace), 24, 80)
            terminal.read(lambda t: any(line.startswith("token") for line in t.statuses))
            os.write(terminal.master, b"\x03")
            self.expect(terminal.exit_code() == 130, "another exit code", terminal)
            self.in_order(terminal)
            self.expect(re.search(r"tokencycle: interrupted at cycle [\d,]+, with \d+ of \d+ tokens complete; "
                                  r"kept: ", terminal.screen.text()), "it does not say so", terminal)
            self.expect(os.listdir(folder) == ["t.vcd"], "other files are left", terminal)

    def check_stop_and_go_on(self):
        terminal = Terminal(self.run(), 24, 80)
        terminal.read(lambda t: len(t.statuses) >= 2)
        os.write(terminal.master, b"\x1a")
        _, status = os.waitpid(terminal.pid, os.WUNTRACED)
        self.expect(os.WIFSTOPPED(status), "it did not stop", terminal)
        begin = time.monotonic()
        terminal.read(lambda t: time.monotonic() > begin + 0.2)
        self.in_order(terminal)
        known = len(terminal.statuses)
        os.kill(terminal.pid, signal.SIGCONT)
        self.expect(terminal.exit_code() == 0, "it failed", terminal)
        self.expect(len(terminal.statuses) > known, "no status line after it went on", terminal)
        self.in_order(terminal)

    def check_errors(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "t.vcd")  # its disk is full
            script = 'ln -s /dev/full "$0".$$.tmp; exec "$@"'
            terminal = Terminal(["/bin/sh", "-c", script, trace, *self.run("--trace", trace)])
            self.expect(terminal.exit_code() == 7, "another exit code", terminal)
            self.statuses_are_valid(terminal, 1)
            self.in_order(terminal)
            self.expect(re.search(r"^tokencycle: .*t.vcd: cannot be written", terminal.screen.text(), re.M),
                        "it does not say so on a line of its own", terminal)
            self.expect(os.listdir(folder) == [], "files are left", terminal)

    def check_plain_terminals(self):
        for rows, columns, environment in ((24, 80, {"TERM": "dumb"}), (24, 80, {"NO_COLOR": "1"}), (2, 80, {}),
                                           (24, 19, {}), (24, 80, {"TERM": ""})):
            terminal = Terminal(self.run("-q"), rows, columns, **environment)
            self.expect(terminal.exit_code() == 0, "it failed", terminal)
            self.expect(b"\x1b" not in terminal.output, "escape sequences", terminal)
        for arguments, environment in ((self.run(), {"TERM": "dumb"}), (self.run("-q"), {})):
            terminal = Terminal(arguments, 24, 80, **environment)
            terminal.exit_code()
            self.expect(b"\x1b" not in terminal.output, "escape sequences", terminal)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tokens", type=int, default=24, help="of each run")
    options = parser.parse_args()
    checks = Checks(options.binary, options.tokens)
    for name in [name for name in dir(Checks) if name.startswith("check_")]:
        begin = time.monotonic()
        getattr(checks, name)()
        print(f"{name[6:]}: {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
