"""Offer/answer of one leg (RFC 3264), ending here: no line of a description crosses to another leg.

How a call with two legs reads, A having called and B being called (architecture §6):

    offer = a.receive_offer(invite.body)                 # SdpError: its status is A's final answer
    a.local = (address, media.take_port(offer.family).port)
    body = b.offer(own.shared_by(offer.audio))           # our codecs in A's order, only those A has
    b.receive_answer(response.body)
    body = a.answer(b.media.capabilities)                # B's codec; telephone-event if B has it

An offer may be answered again (a 183 and then the 200, or another fork): the last answer counts.
Hold, resume and refresh: `receive_offer`, then `keep()` where `keeps_codec` is true; else the other
leg is offered `own.shared_by(offer.audio)` again, and A answered after it. Late offer:
`a.offer(own.preferring(b.media.codec))` into the 200, `a.receive_answer` on the ACK. An offer that
came to nothing, ours or theirs, is dropped with `drop_offer`; what was agreed before stays.

SRTP (RFC 4568): what the leg may do is its `security`. An offer that asks for it gets the first of
its suites that we have, on its own profile. Ours says RTP/SAVP where SRTP is required, and
RTP/AVP with keys beside it where it is optional: a phone that cannot or will not ignores the keys,
one that can takes them, and no phone refuses; two m= lines, the other way, are refused or answered
wrongly by many. A phone that speaks nothing but SAVP wants the policy `required`.

Payload numbers: an answer of ours uses the offer's numbers. In our offers a number, once used on
the leg, stays. We send with the numbers of their description and receive with those of ours.
"""

from __future__ import annotations

import msgspec

from pbx.errors import SdpError, UsageError
from pbx.media.engine import Family
from pbx.media.formats import (
    PROTOCOLS,
    Address,
    AudioDescription,
    Capabilities,
    connection_to,
    read_description,
)
from pbx.media.negotiation import (
    NegotiatedMedia,
    PayloadNumbers,
    accept,
    make_answer,
    make_offer,
)
from pbx.media.sdes import (
    SECURE_PROTOCOLS,
    Crypto,
    OwnKeys,
    RandomBytes,
    Security,
    check_security,
)
from pbx.media.sdp import Direction, MediaDescription, Origin, SessionDescription

__all__ = ["Capabilities", "NegotiatedMedia", "Offer", "OfferAnswer"]


class Offer(msgspec.Struct, frozen=True):
    """An offer that a remote made."""

    audio: AudioDescription
    description: SessionDescription
    unchanged: bool
    """Whether it repeats, origin and all, what this remote said last: a session refresh."""

    @property
    def family(self) -> Family:
        """Return the IP version that our port for this leg must have."""
        return self.audio.family

    @property
    def held(self) -> bool:
        """Tell whether the remote asks us not to send."""
        return not self.audio.direction.receives


def no_keys(octets: int) -> bytes:
    """Stand for the random source of a leg that never speaks SRTP."""
    raise UsageError(f"nobody gave this leg a source of random keys ({octets} octets)")


class OfferAnswer:
    """The offer/answer state of one leg; its use is told at the top of this file.

    `session_id` (a random number) names our side in o= for the leg's whole life; the version beside
    it grows when, and only when, what we say changes. `local` is our RTP address for this leg, set
    before the first description of ours is made. `random_bytes` makes our keys of SRTP.
    """

    def __init__(
        self,
        session_id: int,
        *,
        local: Address | None = None,
        security: Security = Security.OFF,
        random_bytes: RandomBytes = no_keys,
    ) -> None:
        self.local = local
        self.media: NegotiatedMedia | None = None
        """What was agreed last, None before the first answer."""
        self.body: bytes | None = None
        """Our last description as it was sent, for a 200 that repeats a 183's."""
        self._session_id = session_id
        self._version = 0
        self._numbers = PayloadNumbers()
        self._said: tuple[str, tuple[MediaDescription, ...]] | None = None
        self._spoken: Capabilities | None = None  # what we were willing to speak, last time
        self._heard: SessionDescription | None = None  # their last description that we took
        self._heard_audio: AudioDescription | None = None
        self._received: Offer | None = None  # waits for our answer
        self._sent: AudioDescription | None = None  # ours, that an answer would be to
        self._sent_capabilities: Capabilities | None = None
        self._open = False  # whether `_sent` has no answer yet
        self._security = security
        self._keys = OwnKeys(random_bytes)
        self._protocol = SECURE_PROTOCOLS[0] if security.must else PROTOCOLS[0]
        self._index = 0  # of audio among the m= lines

    @property
    def heard(self) -> AudioDescription | None:
        """Return what the remote said of its audio last, in the offer that waits or as agreed."""
        return self._received.audio if self._received is not None else self._heard_audio

    @property
    def on_hold(self) -> bool:
        """Tell whether the remote holds us."""
        return self.media is not None and self.media.held

    @property
    def offer_received(self) -> Offer | None:
        """Return the remote's offer that waits for our answer."""
        return self._received

    @property
    def offer_sent(self) -> bool:
        """Tell whether our offer waits for its first answer."""
        return self._open

    @property
    def keeps_codec(self) -> bool:
        """Tell whether the offer that waits still has the codec in use."""
        if self._received is None or self.media is None:
            return False
        return self._received.audio.format_of(self.media.codec) is not None

    def receive_offer(self, body: bytes) -> Offer:
        """Take a remote's offer; it waits for `answer`, `keep` or `drop_offer`.

        Raises SdpError: 400 or 488 for what the description says, 491 while our own offer is open,
        500 while an earlier one of theirs is.
        """
        if self._open:
            raise SdpError(491, "offer_open")
        if self._received is not None:
            raise SdpError(500, "offer_unanswered")
        description, audio = read_description(body, self._security)
        offer = Offer(audio, description, description == self._heard)
        self._received = offer
        return offer

    def answer(
        self, capabilities: Capabilities, *, direction: Direction = Direction.SENDRECV
    ) -> bytes:
        """Answer the offer that waits with the first of `capabilities` it has; return the body.

        Raises SdpError(488); the offer then still waits, for another try or for `drop_offer`.
        """
        offer = self._received
        if offer is None:
            raise UsageError("there is no offer to answer")
        local = self._local()
        crypto = tuple(
            Crypto(line.tag, line.suite, self._keys.key(line.suite))
            for line in offer.audio.crypto[:1]
        )
        ours = make_answer(
            offer.audio, capabilities, local=local, direction=direction, crypto=crypto
        )
        self._agree(accept(ours, offer.audio))
        self._received, self._sent = None, None
        self._heard, self._heard_audio = offer.description, offer.audio
        self._spoken = capabilities
        self._numbers.learn(offer.audio)
        self._protocol, self._index = ours.protocol, ours.index
        return self._say(ours, local)

    def keep(self, *, direction: Direction = Direction.SENDRECV) -> bytes:
        """Answer the offer that waits with what is in use already; return the body.

        It is for hold, resume and refresh: an offer that says the same gets the same body, version
        and all. Raises SdpError(488, "no_common_codec") when the offer lost the codec.
        """
        if self.media is None or self._spoken is None:
            raise UsageError("nothing is in use yet")
        spoken = self._spoken
        body = self.answer(spoken.only(self.media.codec), direction=direction)
        self._spoken = spoken
        return body

    def offer(
        self, capabilities: Capabilities, *, direction: Direction = Direction.SENDRECV
    ) -> bytes:
        """Make our offer, the first or a new one, and return the body.

        Raises SdpError(488) when there is no codec to offer ("no_common_codec"), or SRTP that must
        not be ("srtp_needs_tls"), UsageError while a remote's offer waits.
        """
        if self._received is not None:
            raise UsageError("the remote's offer waits for an answer")
        check_security(self._security, secure=True)
        local = self._local()
        ours = make_offer(
            capabilities,
            local=local,
            numbers=self._numbers,
            direction=direction,
            protocol=self._protocol,
            index=self._index,
            crypto=self._keys.offer() if self._offers_keys() else (),
        )
        self._sent, self._sent_capabilities, self._open = ours, capabilities, True
        return self._say(ours, local)

    def receive_answer(self, body: bytes) -> NegotiatedMedia:
        """Take the answer to our last offer, the first or a later one, and return what holds now.

        Raises SdpError; what was agreed before then stays, and our offer is still open.
        """
        if self._sent is None:
            raise UsageError("there is no offer of ours to answer")
        description, theirs = read_description(body, self._security)
        media = self.media
        if self._open or media is None or description != self._heard:
            if theirs.index != self._index:
                raise SdpError(488, "answer_media")
            media = accept(self._sent, theirs)
            self._agree(media)
            self._heard, self._heard_audio = description, theirs
            self._spoken, self._open = self._sent_capabilities, False
        return media

    def drop_offer(self) -> None:
        """Forget an offer that came to nothing: theirs that we refused, ours that they did."""
        self._received = None
        if self._open:
            self._sent, self._open = None, False

    def _offers_keys(self) -> bool:
        """Tell whether our offer has keys: the first where it may, a later one as agreed before."""
        return self._security.may if self.media is None else self.media.keys is not None

    def _agree(self, media: NegotiatedMedia) -> None:
        check_security(self._security, secure=media.keys is not None)
        self._keys.agree_on(media.keys.suite if media.keys is not None else None)
        self.media = media

    def _local(self) -> Address:
        if self.local is None:
            raise UsageError("the leg has no media address yet")
        return self.local

    def _say(self, ours: AudioDescription, local: Address) -> bytes:
        """Return our whole description, with a new version only when it says something new."""
        said = (local[0], self._streams(ours))
        if self.body is None or said != self._said:
            self._version += 1
            connection = connection_to(local[0])
            origin = Origin("-", str(self._session_id), str(self._version), *connection)
            self.body = bytes(SessionDescription(origin, connection, said[1]))
            self._said = said
        return self.body

    def _streams(self, ours: AudioDescription) -> tuple[MediaDescription, ...]:
        """Return as many m= lines as were spoken of before, all but `ours` refused (§6, §8)."""
        layout = self._heard.media if self._heard is not None else ()
        streams = [_refused(media) for media in layout]
        streams[ours.index : ours.index + 1] = [ours.media()]
        return tuple(streams)


def _refused(media: MediaDescription) -> MediaDescription:
    return MediaDescription(media.kind, 0, media.protocol, media.formats[:1] or ("0",))
