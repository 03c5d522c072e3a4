"""Text as a database can take it. Pure."""

from __future__ import annotations

import re

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with U+FFFD in the place of what is no Unicode.

    What a remote sent may hold bytes that are no UTF-8; they are lone surrogates in our texts,
    which neither JSON nor SQLite takes.
    """
    return _LONE_SURROGATES.sub("\ufffd", text)
