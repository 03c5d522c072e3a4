"""The bytes of a file → its text, or what they are instead of UTF-8.

Editors on a Chinese Windows save "ANSI", which is GBK there, and "Unicode", which is UTF-16. Either
is told by its name, so that people know what to change in their editor; nothing is converted.
"""

from __future__ import annotations

import codecs
from typing import Final

from pbx.marks.problem import SYNTAX, Problem

UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(content: bytes, file: str) -> str | Problem:
    """Return the text of a file, without its byte order mark, or the problem at its line.

    `file` is the name that the problem shows.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = _encoding(content)
        sentence = "the file is not UTF-8" + (f"; it seems to be {found}" if found else "")
        return Problem(SYNTAX, file, line, 1, sentence, "save it as UTF-8")


def _encoding(content: bytes) -> str | None:
    """Return what the bytes seem to be; None where nobody knows."""
    if content.startswith(UTF_16):
        return "UTF-16"
    try:
        text = content.decode("gbk")
    except UnicodeDecodeError:
        return None
    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    others = sum(not letter.isascii() for letter in text)
    return "GBK (ANSI of a Chinese Windows)" if chinese * 2 > others else None
