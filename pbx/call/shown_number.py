"""Which number a carrier is told that a call comes from, and how (RFC 3261 §8.1.1.3, RFC 3325).

Only a number that the carrier gave us may be shown: others' numbers are not ours to send, and most
carriers refuse the call. So whoever wants to show one (the extension, then the queue or flow, then
the rule of the dialplan) is asked in this order, and the line's first number stands in where none
of them is the line's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbx.call.line import Line
from pbx.sip.headers import NameAddr, Uri, escape_user

ANONYMOUS = NameAddr(None, Uri("sip", "anonymous", host="anonymous.invalid"))
"""Who calls whose number is not told (RFC 3323 §4.1)."""

WITHHELD = (("Privacy", "id"),)


def number_shown(
    line: Line,
    wanted: Iterable[str | None],
    *,
    by_rule: str | None,
    spelled: Callable[[str], str],
) -> str | None:
    """Return the number that is shown on a line; None where there is none to show.

    `wanted` are those of the extension, and of the queue or flow. A line without numbers of its own
    shows the rule's, or the user that it registers.
    """
    own = {spelled(number): number for number in line.entry.numbers}
    if not own:
        return by_rule or line.entry.username
    for number in (*wanted, by_rule):
        if number is not None and spelled(number) in own:
            return own[spelled(number)]
    return line.entry.numbers[0]


def identified(number: str | None, host: str) -> tuple[NameAddr, tuple[tuple[str, str], ...]]:
    """Return From and the further headers of an INVITE that shows `number` at `host`."""
    if number is None:
        return ANONYMOUS, WITHHELD
    address = NameAddr(None, Uri("sip", escape_user(number), host=host))
    return address, (("P-Asserted-Identity", str(address)),)
