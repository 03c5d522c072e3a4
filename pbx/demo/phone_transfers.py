"""The transfer keys of the soft phone: REFER to a number, and to the far end of another call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pjsua2 as pj

if TYPE_CHECKING:
    from pbx.demo.phone import Phone


def refer(phone: Phone, call: int, uri: str) -> None:
    """Hand the other party of a call on to a number, without asking there."""
    phone.calls[call].xfer(uri, pj.CallOpParam())


def refer_to(phone: Phone, call: int, other: int) -> None:
    """Join the other party of a call with that of another call of this phone."""
    phone.calls[call].xferReplaces(phone.calls[other], pj.CallOpParam())
