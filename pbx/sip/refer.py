"""What handing a call on adds to SIP: Refer-To (RFC 3515), Replaces (RFC 3891) and the fragment of
a message by which a NOTIFY tells what became of it (message/sipfrag, RFC 3420).

Values and their grammar only; `parse` raises `MessageError` 400 with a slug. Who may refer whom,
and what is done about it, is decided above this layer. We give no REFER of our own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.grammar import LWS, unescape
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.message import Request
from pbx.sip.parameters import Parameters
from pbx.sip.reasons import REASON_PHRASES

SIPFRAG = "message/sipfrag;version=2.0"
"""The content type of the body of such a NOTIFY (RFC 3515 §2.4.5)."""

_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: |\r?\n|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog that is to be replaced, as its own party knows it (RFC 3891 §6.1).

    `to_tag` is the tag of whoever gets this header, `from_tag` that of the far end.
    """

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read the value of a header."""
        call_id, semicolon, rest = text.partition(";")
        parameters = Parameters.parse(semicolon + rest)
        to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
        call_id = call_id.strip(LWS)
        if not call_id or to_tag is None or from_tag is None:
            raise MessageError(400, "bad_replaces", text[:40])
        return cls(call_id, to_tag, from_tag, "early-only" in parameters)

    @classmethod
    def of(cls, request: Request) -> Replaces | None:
        """Return what an INVITE wants to replace, None where it wants nothing of the kind."""
        texts = request.headers.get_all("Replaces")
        if not texts:
            return None
        if len(texts) > 1:
            raise MessageError(400, "two_replaces")  # §3
        return cls.parse(texts[0])

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Where a party is referred to: a number, or the dialog that it shall take over."""

    uri: Uri
    replaces: Replaces | None = None
    method: str = "INVITE"

    @classmethod
    def of(cls, request: Request) -> ReferTo:
        """Return what a REFER asks for; there must be just one Refer-To (RFC 3515 §2.4.2)."""
        texts = request.headers.get_all("Refer-To")
        if len(texts) != 1:
            raise MessageError(400, "refer_to_missing" if not texts else "two_refer_tos")
        uri = NameAddr.parse(texts[0]).uri
        if not uri.is_sip and uri.scheme != "tel":
            raise MessageError(416, "bad_refer_to_scheme", texts[0][:40])
        wanted = _header_of(uri, "replaces")
        method = uri.parameters.get("method") or "INVITE"
        return cls(uri, None if wanted is None else Replaces.parse(wanted), method.upper())

    @property
    def number(self) -> str:
        """Return the number that the party is to call; "" where there is none."""
        return self.uri.number


def wants_no_notice(request: Request) -> bool:
    """Tell whether whoever sends a REFER wants to hear nothing more of it (RFC 4488)."""
    wish = request.headers.get("Refer-Sub") or ""
    return wish.partition(";")[0].strip(LWS).lower() == "false"


def sipfrag(status: int) -> bytes:
    """Return the body that tells of a response with `status`."""
    reason = REASON_PHRASES.get(status, "")
    return f"SIP/2.0 {status} {reason}".rstrip().encode() + b"\r\n"


def read_sipfrag(body: bytes) -> int | None:
    """Return the status that a body tells of; None where it tells of none."""
    match = _STATUS_LINE.match(body)
    return None if match is None else int(match[1])


def _header_of(uri: Uri, name: str) -> str | None:
    """Return the header field of that name in a URI (RFC 3261 §19.1.1), decoded."""
    for field in uri.headers.split("&"):
        key, equals, value = field.partition("=")
        if equals and unescape(key).lower() == name:
            return unescape(value)
    return None
