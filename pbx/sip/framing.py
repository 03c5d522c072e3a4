"""From bytes to a start line and header fields, and how long the body is (RFC 3261 §7, §18.3).

The same for datagrams and streams: unfolding comes before anything else, then the limits, then the
fields. Whatever is wrong is noted and the rest is read all the same: a malformed request must be
answered with its own Via, and a stream must find its next message. What the start line says is
`message`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pbx.errors import MessageError
from pbx.sip.fields import Headers
from pbx.sip.grammar import LWS, parse_number

MAX_MESSAGE = 65_536
"""Bytes of the largest message, start line to body."""

MAX_LINE = 8_192
"""Characters of the longest line, unfolded."""

_CONTROLS = bytes(code for code in (*range(32), 127) if code != 9)
_LINE_ENDS_AS_BLANKS = {ord("\r"): " ", ord("\n"): " "}
_BARE_CONTROL = re.compile(r"[\r\n]|(?<!\\)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Head(NamedTuple):
    """What stands before the empty line.

    `content_length` is None where it is not given. `fault` is the first thing that is wrong;
    `framed` tells whether the end of the message is known in spite of it.
    """

    start_line: str
    headers: Headers
    content_length: int | None
    fault: MessageError | None
    framed: bool


def read_head(head: bytes) -> Head:
    """Read start line and header fields: the bytes before the empty line. Never raises."""
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    fault = None
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * (len(lines) - 1):
        fault = _find_bare_control(lines)
        lines = [line.translate(_LINE_ENDS_AS_BLANKS) for line in lines]
    if "\r\n " in text or "\r\n\t" in text:
        lines = _unfold(lines)
    headers = Headers()
    length = None
    framed = len(text) <= MAX_LINE or max(map(len, lines)) <= MAX_LINE
    if not framed:
        fault = fault or MessageError(400, "line_too_long")
        lines[1:] = [line for line in lines[1:] if len(line) <= MAX_LINE]
    try:
        field_fault = headers.parse(lines[1:])
        fault = fault or field_fault
        length = _take_content_length(headers)
    except MessageError as error:
        fault = fault or error
        framed = False
    return Head(lines[0], headers, length, fault, framed)


def _unfold(lines: list[str]) -> list[str]:
    """Join each line that starts with white space to the one before it (§7.3.1)."""
    unfolded: list[list[str]] = []
    for line in lines:
        if line.startswith((" ", "\t")) and unfolded:
            unfolded[-1].append(line.lstrip(LWS))
        else:
            unfolded.append([line])
    return [" ".join(parts) for parts in unfolded]


def _find_bare_control(lines: list[str]) -> MessageError | None:
    """Return a fault if a line holds a line end or a control character that no backslash escapes.

    Half a line end is never taken for one: others on the way might, and read another message.
    """
    for line in lines:
        if match := _BARE_CONTROL.search(line):
            return MessageError(400, "control_character", repr(match[0]))
    return None


def _take_content_length(headers: Headers) -> int | None:
    texts = headers.take("Content-Length")
    if not texts:
        return None
    if len(texts) > 1:
        raise MessageError(400, "several_content_lengths")
    return parse_number(texts[0], maximum=2**31 - 1, slug="bad_content_length")
