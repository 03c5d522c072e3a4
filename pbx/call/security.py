"""Whether the speech of a leg is encrypted: what its phone's or line's entry says, and the way
there.

Keys of SRTP stand in descriptions (RFC 4568 §7), so they are for signalling that nobody on the way
can read, or for an office that said `media: srtp_over_plain: yes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.media.sdes import Security
from pbx.sip.flow import Flow

if TYPE_CHECKING:
    from pbx.call.call import Call


def security_of(call: Call, *, number: str, flow: Flow, trunk: str | None) -> Security:
    """Return what a leg does about SRTP; a party that is in no directory may have it."""
    exchange = call.exchange
    if trunk is not None:
        line = exchange.lines.get(trunk)
        policy = line.entry.srtp if line is not None else "optional"
    else:
        extension = exchange.directory.extension(number)
        policy = extension.srtp if extension is not None else "optional"
    private = flow.transport == "tls" or exchange.settings.srtp_over_plain
    return Security.of(policy, private=private)
