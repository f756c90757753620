# SPDX-License-Identifier: Apache-2.0
"""Mails as text, as sim/model/mail.h makes it: the subject and the body, in ASCII, with single blanks."""

import re


def text_of(data):
    """The text of a mail's bytes: header lines end at the first empty line, and of them the first subject stays."""
    data = data.replace(b"\r\n", b"\n")
    head, _, body = data.partition(b"\n\n")
    if not re.match(rb"(From |[!-9;-~]+:)", head):
        head, body = b"", data
    subject = re.search(rb"^subject:([^\n]*)", head, re.IGNORECASE | re.MULTILINE)
    text = (subject.group(1) if subject else b"") + b"\n" + body
    plain = bytes(byte if 32 < byte < 127 else 32 if byte < 33 else 63 for byte in text)
    return b" ".join(plain.split()).decode("ascii")
