"""Mail addresses: one plain `name@host`, with nothing in it that could become a header.

Quoted local parts, comments and lists of RFC 5322 are not taken: nobody writes them on purpose, and
each is a way to smuggle something.
"""

from __future__ import annotations

import re

from pbx.marks.hosts import host_spelling

MAX_ADDRESS = 254
"""Characters of an address, RFC 5321 §4.5.3.1.3."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def mail_address(text: str) -> str:
    """Return an address, its host in one spelling.

    Raises ValueError with a sentence that goes on from the text.
    """
    local, at, host = text.rpartition("@")
    try:
        address = f"{local}@{host_spelling(host)}"
    except ValueError:
        address = ""
    if not at or not _LOCAL.fullmatch(local) or not 0 < len(address) <= MAX_ADDRESS:
        raise ValueError("is no mail address; write name@example.com")
    return address
