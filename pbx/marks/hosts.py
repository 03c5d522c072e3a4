"""Hosts in the one spelling that callpbx compares them by.

A name is lower-case ASCII without a dot at its end, an address as RFC 5952 and dotted quads have
it. Programs differ in what they take 127.1, 0x7f000001 or 2130706433 for, so such spellings are no
host at all.
"""

from __future__ import annotations

import ipaddress
import re

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def host_spelling(text: str) -> str:
    """Return the one spelling of a host, IPv6 without brackets.

    Raises ValueError with a sentence that goes on from the text: "is no host name".
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name):
        raise ValueError("is no host name")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise ValueError("is an unusual spelling of an address; write it like 192.0.2.1")
    return name
