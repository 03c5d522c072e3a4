"""Two legs that hear each other.

Answering the caller after the called party, joining both on the media engine, and waiting until
one leaves. One codec on both sides takes the relay row; a caller who already speaks another codec
than the called party chose is re-invited with the codec in use (architecture §6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.call import renegotiation
from pbx.call.outcome import Outcome, answered

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg


def connect(call: Call, called: Leg) -> None:
    """Answer the caller with what `called` speaks and let the two hear each other.

    Raises SdpError and NoResource when the caller cannot be answered.
    """
    caller = call.caller
    caller.answer(called.speaks())
    caller.join(called)
    renegotiation.match_codecs(called)
    call.connected()
    call.bridged(caller, called)


async def talk(called: Leg) -> Outcome:
    """Wait until the called leg ends. (The caller's own end cancels this coroutine.)"""
    return answered(await called.ended)
