"""Which call an administrator means: its id, the beginning of its id, or the number of a party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pbx.errors import NotFound, Refused

if TYPE_CHECKING:
    from pbx.call.call import Call

SHORTEST_PREFIX = 4
"""Characters of an id that are enough, where they name one call only."""


def find_call(calls: Mapping[str, Call], name: str) -> Call:
    """Return the live call that `name` means.

    Raises NotFound where there is none, Refused where there are several.
    """
    exact = calls.get(name)
    if exact is not None:
        return exact
    found = [call for call in calls.values() if _is_in(call, name)]
    if not found and len(name) >= SHORTEST_PREFIX:
        found = [call for call in calls.values() if call.id.startswith(name)]
    if not found:
        gone = f"{name} is in no call now" if name.isdecimal() else f"there is no call {name}"
        raise NotFound(f"{gone}; callpbx calls lists those that are up")
    if len(found) > 1:
        ids = ", ".join(call.id for call in found)
        raise Refused(f"{name} means {len(found)} calls; name one of them: {ids}")
    return found[0]


def _is_in(call: Call, number: str) -> bool:
    """Tell whether a party of that number is in the call, supervisors aside."""
    return any(
        leg.number == number and leg.ending is None and leg.role != "supervisor"
        for leg in call.legs.values()
    )
