"""Text in columns of a terminal: CJK characters are two cells wide, control characters are none.

Names, numbers and User-Agents come from outside. Whatever could move the cursor or colour the
screen is replaced before it is printed (`visible`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

ELLIPSIS = "…"
GAP = "  "


def visible(text: str) -> str:
    """Return `text` with control and formatting characters replaced by `·`, on one line."""
    return "".join("·" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def width(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def clip(text: str, cells: int) -> str:
    """Return `text` in at most `cells` cells; what is cut off is marked with `…`."""
    if width(text) <= cells:
        return text
    kept, used = "", 0
    for character in text:
        if used + _cells(character) > cells - 1:
            break
        kept += character
        used += _cells(character)
    return kept + ELLIPSIS if cells > 0 else ""


def wrap(text: str, cells: int) -> list[str]:
    """Return `text` in lines of at most `cells` cells, broken at spaces.

    Longer words are clipped.
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if width(longer) <= cells:
            lines[-1] = longer
        elif lines[-1]:
            lines.append(clip(word, cells))
        else:
            lines[-1] = clip(word, cells)
    return lines


def pad(text: str, cells: int) -> str:
    """Return `text` followed by spaces up to `cells` cells."""
    return text + " " * max(0, cells - width(text))


def pad_left(text: str, cells: int) -> str:
    """Return `text` with spaces before it, up to `cells` cells; for figures."""
    return " " * max(0, cells - width(text)) + text


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> str:
    """Return a plain table: one line per row, two spaces between columns, no borders.

    `right` are the columns, from 0, that hold figures.
    """
    lines = [header, *rows]
    widths = [max(width(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        GAP.join(
            pad_left(cell, widths[index]) if index in right else pad(cell, widths[index])
            for index, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def fitted(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns that together take `room` cells at most, as far as they can.

    The widest gives first, and none less than its `least` while another has more than that.
    """
    widths = list(natural)
    for floors in (least, [1] * len(widths)):
        while sum(widths) > room:
            spare = [index for index, cells in enumerate(widths) if cells > floors[index]]
            if not spare:
                break
            widths[max(spare, key=widths.__getitem__)] -= 1
    return widths


def plural(count: int, noun: str) -> str:
    """Return `1 call`, `2 calls`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
