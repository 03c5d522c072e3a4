"""Offer/answer: real phones' descriptions, two legs of one call, and what changes on the way."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from pbx.errors import SdpError, UsageError
from pbx.media.codec import CODECS
from pbx.media.formats import Capabilities
from pbx.media.negotiation import NegotiatedMedia, PayloadNumbers
from pbx.media.offer_answer import OfferAnswer
from pbx.media.protocol import PayloadMap, SrtpKeys
from pbx.media.sdes import SUITES, Crypto, Security
from pbx.media.sdp import Direction, SessionDescription

PHONES = Path(__file__).parents[1] / "data" / "sdp"
ANSWERED = sorted(file.name.removesuffix(".answer.sdp") for file in PHONES.glob("*.answer.sdp"))
REFUSED = sorted(file.stem for file in PHONES.glob("*.refused"))

PCMU, PCMA, G722, OPUS = (CODECS[name] for name in ("PCMU", "PCMA", "G722", "opus"))
OWN = Capabilities.named(["opus", "g722", "pcma", "pcmu"])
HERE = ("192.0.2.1", 10_000)
THERE = ("192.0.2.1", 10_002)
EVENTS = "a=rtpmap:101 telephone-event/8000"


def body(*lines: str, version: int = 1, host: str = "10.1.0.9") -> bytes:
    """Return a remote's description: its m= lines and below."""
    family = "IP6" if ":" in host else "IP4"
    head = ["v=0", f"o=- 77 {version} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0"]
    return "\r\n".join([*head, *lines, ""]).encode()


def said(ours: bytes) -> list[str]:
    """Return what a description of ours says from its first m= line on."""
    lines = ours.decode().splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("m=")) :]


def version(ours: bytes | None) -> str:
    assert ours is not None
    return SessionDescription.parse(ours).origin.version


def caller(*lines: str, capabilities: Capabilities = OWN) -> OfferAnswer:
    """Return a leg that called with these lines and was answered."""
    leg = OfferAnswer(1, local=HERE)
    leg.receive_offer(body(*lines))
    leg.answer(capabilities)
    return leg


def agreed(leg: OfferAnswer) -> NegotiatedMedia:
    assert leg.media is not None
    return leg.media


def slug(error: pytest.ExceptionInfo[SdpError]) -> tuple[int, str]:
    return error.value.status, error.value.slug


# Real phones


def offer_of(phone: str) -> bytes:
    return (PHONES / f"{phone}.sdp").read_bytes()


def test_every_phone_has_one_expectation() -> None:
    offers = {file.stem for file in PHONES.glob("*.sdp")} - {f"{name}.answer" for name in ANSWERED}
    assert offers == {*ANSWERED, *REFUSED}
    assert not {*ANSWERED} & {*REFUSED}


@pytest.mark.parametrize("phone", ANSWERED)
def test_a_real_phone_gets_the_expected_answer(phone: str) -> None:
    leg = OfferAnswer(1)
    offer = leg.receive_offer(offer_of(phone))
    leg.local = HERE if offer.family == 4 else ("2001:db8::1", 10_000)
    answer = leg.answer(OWN.shared_by(offer.audio)).decode()
    assert answer.replace("\r\n", "\n") == (PHONES / f"{phone}.answer.sdp").read_text()


@pytest.mark.parametrize("phone", REFUSED)
def test_a_real_phone_that_we_cannot_serve_is_told_why(phone: str) -> None:
    leg = OfferAnswer(1)
    with pytest.raises(SdpError) as caught:
        OWN.shared_by(leg.receive_offer(offer_of(phone)).audio)
    status, reason = slug(caught)
    assert f"{status} {reason}\n" == (PHONES / f"{phone}.refused").read_text()


@pytest.mark.parametrize("calling", ANSWERED)
def test_any_two_phones_agree_or_have_nothing_in_common(calling: str) -> None:
    """The called phone is taken to answer by the rules that we answer by."""
    for called in ANSWERED:
        a, b = OfferAnswer(1), OfferAnswer(2, local=THERE)
        phone = OfferAnswer(3, local=("10.1.0.99", 5000))
        offer = a.receive_offer(offer_of(calling))
        a.local = HERE if offer.family == 4 else ("2001:db8::1", 10_000)
        has = OWN.shared_by(phone.receive_offer(offer_of(called)).audio)
        phone.drop_offer()
        to_b = b.offer(OWN.shared_by(offer.audio))
        phone.receive_offer(to_b)
        if not {*OWN.shared_by(offer.audio).codecs} & {*has.codecs}:
            with pytest.raises(SdpError, match="no_common_codec"):
                phone.answer(has)
            continue
        b.receive_answer(phone.answer(has))
        to_a = a.answer(agreed(b).capabilities)
        assert agreed(a).relays_to(agreed(b))
        assert agreed(a).codec in [entry.codec for entry in offer.audio.formats]
        assert b"10.1.0." not in to_a + to_b


# Two legs of one call


def test_b_is_offered_our_codecs_in_the_order_of_a_and_only_those_a_has() -> None:
    a, b = OfferAnswer(1), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(body("m=audio 4000 RTP/AVP 0 18 9 101", EVENTS, "a=ptime:30"))
    assert said(b.offer(OWN.shared_by(offer.audio))) == [
        "m=audio 10002 RTP/AVP 0 9 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:30",
        "a=sendrecv",
    ]


def test_a_is_answered_with_the_codec_of_b() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(body("m=audio 4000 RTP/AVP 0 8 9 120", EVENTS.replace("101", "120")))
    b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body("m=audio 5000 RTP/AVP 9 0 101", EVENTS, "a=ptime:40"))
    assert said(a.answer(agreed(b).capabilities)) == [
        "m=audio 10000 RTP/AVP 9 120",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:120 telephone-event/8000",
        "a=fmtp:120 0-15",
        "a=ptime:40",
        "a=sendrecv",
    ]
    assert agreed(a).relays_to(agreed(b))


@pytest.mark.parametrize(("a_has", "b_has"), [(True, False), (False, True), (False, False)])
def test_telephone_event_needs_both_legs(a_has: bool, b_has: bool) -> None:
    def lines(port: int, events: bool) -> list[str]:
        number = " 101" if events else ""
        return [f"m=audio {port} RTP/AVP 8{number}", *([EVENTS] if events else [])]

    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(body(*lines(4000, a_has)))
    b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body(*lines(5000, b_has)))
    a.answer(agreed(b).capabilities)
    for leg in (a, b):
        assert agreed(leg).payload.event_send is None
        assert agreed(leg).payload.event_receive is None
        assert agreed(leg).payload.event_clock is None
    assert agreed(a).relays_to(agreed(b))


def test_each_leg_sends_with_the_numbers_of_its_remote_and_receives_with_ours() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(
        body(
            "m=audio 4000 RTP/AVP 111 120",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:120 telephone-event/8000",
        )
    )
    b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body("m=audio 5000 RTP/AVP 96 101", "a=rtpmap:96 opus/48000/2", EVENTS))
    a.answer(agreed(b).capabilities)
    assert agreed(a).payload == PayloadMap("opus", 111, 111, 48000, 20, 120, 120, 8000)
    assert agreed(b).payload == PayloadMap("opus", 96, 111, 48000, 20, 101, 120, 8000)


def test_telephone_event_has_one_clock_on_both_legs() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(offer_of("zoiper"))
    ours = b.offer(OWN.shared_by(offer.audio)).decode()
    assert "a=rtpmap:101 telephone-event/8000" in ours
    assert "a=rtpmap:98 telephone-event/48000" in ours
    b.receive_answer(body("m=audio 5000 RTP/AVP 106 101", "a=rtpmap:106 opus/48000/2", EVENTS))
    a.answer(agreed(b).capabilities)
    assert agreed(a).payload.event_clock == agreed(b).payload.event_clock == 8000
    assert agreed(a).payload.event_send == 101


def test_no_wide_telephone_event_is_offered_beside_narrow_codecs() -> None:
    assert "48000" not in OfferAnswer(1, local=HERE).offer(OWN.only(PCMA)).decode()


def test_wishes_for_opus_pass_both_ways_and_nothing_else_does() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    opus = "a=rtpmap:96 opus/48000/2"
    offer = a.receive_offer(
        body("m=audio 4000 RTP/AVP 96", opus, "a=fmtp:96 maxplaybackrate=16000;x=10.1.0.9")
    )
    to_b = b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body("m=audio 5000 RTP/AVP 96", opus, "a=fmtp:96 useinbandfec=1"))
    to_a = a.answer(agreed(b).capabilities)
    assert "a=fmtp:96 maxplaybackrate=16000" in said(to_b)
    assert "a=fmtp:96 useinbandfec=1" in said(to_a)
    assert agreed(a).relays_to(agreed(b))


def test_two_codecs_do_not_relay() -> None:
    one = caller("m=audio 4000 RTP/AVP 8", capabilities=OWN)
    other = caller("m=audio 4000 RTP/AVP 0", capabilities=OWN)
    assert not agreed(one).relays_to(agreed(other))
    with_events = caller("m=audio 4000 RTP/AVP 8 101", EVENTS)
    assert not agreed(one).relays_to(agreed(with_events))


def test_a_leg_answered_earlier_keeps_its_codec_and_b_is_offered_that_first() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    a.receive_offer(body("m=audio 4000 RTP/AVP 9 0 8 101", EVENTS))
    a.answer(OWN.only(PCMA))
    assert agreed(a).codec is PCMA
    heard = a.heard
    assert heard is not None
    shared = OWN.shared_by(heard).preferring(agreed(a).codec)
    assert said(b.offer(shared))[0] == "m=audio 10002 RTP/AVP 8 9 0 101"


def test_a_late_offer_puts_the_codec_of_b_first() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    b.offer(OWN)
    b.receive_answer(body("m=audio 5000 RTP/AVP 8 101", EVENTS))
    offer = a.offer(OWN.preferring(agreed(b).codec))
    assert said(offer)[0] == "m=audio 10000 RTP/AVP 8 96 9 0 101 102"
    a.receive_answer(body("m=audio 4000 RTP/AVP 8 101", EVENTS))
    assert agreed(a).relays_to(agreed(b))


def test_what_a_worker_is_told() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8", "a=sendonly")
    update = agreed(leg).update(7, also_from="203.0.113.5", relearn=True)
    assert (update.leg, update.remote, update.remote_rtcp) == (
        7,
        ("10.1.0.9", 4000),
        ("10.1.0.9", 4001),
    )
    assert (update.direction, update.also_from, update.relearn) == ("recvonly", "203.0.113.5", True)
    assert update.payload == PayloadMap("PCMA", 8, 8, 8000, 20)


# Hold, resume, refresh


@pytest.mark.parametrize(
    ("lines", "answered", "held"),
    [
        (["a=sendonly"], Direction.RECVONLY, True),
        (["a=inactive"], Direction.INACTIVE, True),
        (["c=IN IP4 0.0.0.0"], Direction.RECVONLY, True),
        (["c=IN IP4 0.0.0.0", "a=inactive"], Direction.INACTIVE, True),
        (["a=recvonly"], Direction.SENDONLY, False),
        (["a=sendrecv"], Direction.SENDRECV, False),
    ],
)
def test_hold_is_answered_with_what_is_in_use(
    lines: list[str], answered: Direction, held: bool
) -> None:
    leg = caller("m=audio 4000 RTP/AVP 8 101", EVENTS)
    before = agreed(leg)
    offer = leg.receive_offer(body("m=audio 4000 RTP/AVP 0 8 101", EVENTS, *lines, version=2))
    assert offer.held is held
    assert leg.keeps_codec
    answer = leg.keep()
    assert f"a={answered.value}" in said(answer)
    assert (leg.on_hold, agreed(leg).direction) == (held, answered)
    assert agreed(leg).payload == before.payload
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8 101", EVENTS, version=3))
    leg.keep()
    assert not leg.on_hold
    assert agreed(leg) == before


def test_a_phone_that_drops_keys_while_holding_has_them_again_after_it() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8 101", EVENTS)
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8", "a=sendonly", version=2))
    leg.keep()
    assert agreed(leg).payload.event_send is None
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8 101", EVENTS, version=3))
    leg.keep()
    assert agreed(leg).payload.event_send == 101


def test_both_sides_may_hold() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(body("m=audio 4000 RTP/AVP 8"))
    b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body("m=audio 5000 RTP/AVP 8"))
    a.answer(agreed(b).capabilities)
    for leg in (a, b):
        leg.receive_offer(body("m=audio 6000 RTP/AVP 8", "a=sendonly", version=2))
        leg.keep()
    assert (a.on_hold, b.on_hold) == (True, True)
    a.receive_offer(body("m=audio 6000 RTP/AVP 8", version=3))
    a.keep()
    assert (a.on_hold, b.on_hold) == (False, True)


def test_a_refresh_gets_the_same_answer_version_and_all() -> None:
    a = OfferAnswer(1, local=HERE)
    refresh = body("m=audio 4000 RTP/AVP 8 0 101", EVENTS)
    assert not a.receive_offer(refresh).unchanged
    first = a.answer(OWN.only(PCMU))
    for _ in range(3):
        assert a.receive_offer(refresh).unchanged
        assert a.keep() == first
    assert a.body == first


def test_a_refresh_by_the_called_phone_says_nothing_new_either() -> None:
    b = OfferAnswer(2, local=THERE)
    b.offer(OWN)
    answer = body("m=audio 5000 RTP/AVP 8 101", EVENTS)
    b.receive_answer(answer)
    assert b.receive_offer(answer).unchanged
    first = b.keep()
    assert agreed(b).codec is PCMA
    b.receive_offer(answer)
    assert b.keep() == first


def test_the_version_grows_when_and_only_when_something_changes() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8")
    assert version(leg.body) == "1"
    leg.receive_offer(body("m=audio 4444 RTP/AVP 8", version=2))
    assert version(leg.keep()) == "1"
    leg.receive_offer(body("m=audio 4444 RTP/AVP 8", "a=sendonly", version=3))
    assert version(leg.keep()) == "2"
    leg.receive_offer(body("m=audio 4444 RTP/AVP 8", version=4))
    assert version(leg.keep()) == "3"
    leg.local = ("192.0.2.2", 10_000)
    leg.receive_offer(body("m=audio 4444 RTP/AVP 8", version=5))
    assert version(leg.keep()) == "4"


def test_our_origin_is_ours_and_stays() -> None:
    leg = OfferAnswer(4711, local=("2001:db8::1", 10_000))
    origin = SessionDescription.parse(leg.offer(OWN)).origin
    assert str(origin) == "- 4711 1 IN IP6 2001:db8::1"


# A codec is lost, a codec is found


def test_a_codec_that_is_lost_is_seen_and_both_legs_find_another() -> None:
    a, b = OfferAnswer(1, local=HERE), OfferAnswer(2, local=THERE)
    offer = a.receive_offer(body("m=audio 4000 RTP/AVP 8 0"))
    b.offer(OWN.shared_by(offer.audio))
    b.receive_answer(body("m=audio 5000 RTP/AVP 8 0"))
    a.answer(agreed(b).capabilities)

    offer = a.receive_offer(body("m=audio 4000 RTP/AVP 9 0", version=2))
    assert not a.keeps_codec
    with pytest.raises(SdpError, match="no_common_codec"):
        a.keep()
    assert a.offer_received is offer
    assert said(b.offer(OWN.shared_by(offer.audio)))[0] == "m=audio 10002 RTP/AVP 9 0"
    b.receive_answer(body("m=audio 5000 RTP/AVP 0", version=2))
    a.answer(agreed(b).capabilities)
    assert agreed(a).codec is agreed(b).codec is PCMU
    assert agreed(a).relays_to(agreed(b))


def test_an_offer_that_is_refused_changes_nothing() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8")
    before, spoken = agreed(leg), leg.body
    leg.receive_offer(body("m=audio 4000 RTP/AVP 18", version=2))
    with pytest.raises(SdpError) as caught:
        leg.answer(OWN)
    assert slug(caught) == (488, "no_common_codec")
    leg.drop_offer()
    assert (leg.media, leg.body) == (before, spoken)
    assert leg.offer_received is None
    assert not leg.keeps_codec


def test_an_offer_of_ours_that_is_refused_changes_nothing_but_uses_up_a_version() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8")
    before = agreed(leg)
    assert version(leg.offer(OWN.only(PCMU))) == "2"
    was_open = leg.offer_sent
    leg.drop_offer()
    assert (was_open, leg.offer_sent) == (True, False)
    assert leg.media is before
    with pytest.raises(UsageError):
        leg.receive_answer(body("m=audio 4000 RTP/AVP 0"))
    assert version(leg.offer(OWN.only(G722))) == "3"


# Answers to our offers


def test_an_answer_may_come_twice_and_another_fork_may_answer_too() -> None:
    leg = OfferAnswer(2, local=THERE)
    leg.offer(OWN)
    early = body("m=audio 5000 RTP/AVP 8")
    first = leg.receive_answer(early)
    assert leg.receive_answer(early) is first
    fork = leg.receive_answer(body("m=audio 6000 RTP/AVP 0", host="10.1.0.10"))
    assert (fork.codec, fork.remote) == (PCMU, ("10.1.0.10", 6000))
    assert leg.media is fork


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["m=audio 5000 RTP/AVP 18"], "no_common_codec"),
        (["m=audio 0 RTP/AVP 8"], "no_audio"),
        (["m=video 0 RTP/AVP 97", "m=audio 5000 RTP/AVP 8"], "answer_media"),
        (["m=audio 5000 RTP/AVP 8", "c=IN IP6 2001:db8::9"], "address_family"),
        (["m=audio 5000 RTP/AVP 0"], "no_common_codec"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(lines: list[str], reason: str) -> None:
    leg = OfferAnswer(2, local=THERE)
    leg.offer(OWN.only(PCMA))
    with pytest.raises(SdpError) as caught:
        leg.receive_answer(body(*lines))
    assert slug(caught) == (488, reason)
    assert leg.offer_sent
    assert leg.media is None


def test_an_answer_in_the_other_ip_version_is_no_matter_while_on_hold() -> None:
    leg = OfferAnswer(2, local=("2001:db8::1", 10_000))
    leg.offer(OWN)
    leg.receive_answer(body("m=audio 5000 RTP/AVP 8", "c=IN IP4 0.0.0.0"))
    assert leg.on_hold
    assert agreed(leg).remote is None


@pytest.mark.parametrize("answered", list(Direction))
@pytest.mark.parametrize("offered", list(Direction))
def test_media_flows_where_both_sides_let_it(offered: Direction, answered: Direction) -> None:
    leg = OfferAnswer(2, local=THERE)
    leg.offer(OWN, direction=offered)
    media = leg.receive_answer(body("m=audio 5000 RTP/AVP 8", f"a={answered.value}"))
    assert media.direction.sends == (offered.sends and answered.receives)
    assert media.direction.receives == (offered.receives and answered.sends)


@pytest.mark.parametrize("offered", list(Direction))
@pytest.mark.parametrize("wished", list(Direction))
def test_our_answer_wants_no_more_than_was_offered(offered: Direction, wished: Direction) -> None:
    leg = OfferAnswer(1, local=HERE)
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8", f"a={offered.value}"))
    leg.answer(OWN, direction=wished)
    assert agreed(leg).direction.sends == (wished.sends and offered.receives)
    assert agreed(leg).direction.receives == (wished.receives and offered.sends)


# Our later offers


def test_numbers_stay_over_our_offers() -> None:
    leg = OfferAnswer(2, local=THERE)
    assert said(leg.offer(OWN))[0] == "m=audio 10002 RTP/AVP 96 9 8 0 101 102"
    leg.receive_answer(body("m=audio 5000 RTP/AVP 97 100", "a=rtpmap:97 opus/48000/2"))
    assert said(leg.offer(OWN.preferring(PCMA)))[0] == "m=audio 10002 RTP/AVP 8 96 9 0 101 102"


def test_the_numbers_of_an_offer_that_we_answered_are_ours_too() -> None:
    leg = caller(
        "m=audio 4000 RTP/AVP 8 111 96",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:96 telephone-event/8000",
    )
    assert said(leg.offer(OWN))[0] == "m=audio 10000 RTP/AVP 111 9 8 0 96 102"


def test_a_number_that_is_taken_is_not_given_again() -> None:
    numbers = PayloadNumbers()
    assert numbers.number("opus/48000/2", 101, 96) == 101
    assert numbers.number("telephone-event/8000", None, 101) == 96
    assert numbers.number("telephone-event/48000", 8, 200) == 97
    assert numbers.number("opus/48000/2", 110) == 101


def test_refused_streams_stay_in_our_offers() -> None:
    leg = caller("m=video 4002 RTP/AVP 97", "m=audio 4000 rtp/avp 8", "m=image 5 udptl t38")
    assert [line for line in said(leg.offer(OWN.only(PCMA))) if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 97",
        "m=audio 10000 rtp/avp 8 101",
        "m=image 0 udptl t38",
    ]
    leg.receive_answer(
        body("m=video 0 RTP/AVP 97", "m=audio 4000 RTP/AVP 8", "m=image 0 udptl t38", version=2)
    )
    assert agreed(leg).codec is PCMA


def test_audio_may_move_to_another_line() -> None:
    leg = caller("m=audio 4000 RTP/AVP 8")
    leg.receive_offer(body("m=audio 0 RTP/AVP 8", "m=audio 4002 RTP/AVP 8", version=2))
    assert [line for line in said(leg.keep()) if line.startswith("m=")] == [
        "m=audio 0 RTP/AVP 8",
        "m=audio 10000 RTP/AVP 8",
    ]


def test_nothing_can_be_offered_without_a_codec() -> None:
    with pytest.raises(SdpError) as caught:
        OfferAnswer(1, local=HERE).offer(OWN.only(PCMA).only(PCMU))
    assert slug(caught) == (488, "no_common_codec")


# Offers that cross, and mistakes of our own


def test_an_offer_while_ours_is_open_is_491_and_a_second_one_500() -> None:
    leg = OfferAnswer(1, local=HERE)
    leg.offer(OWN)
    with pytest.raises(SdpError) as caught:
        leg.receive_offer(body("m=audio 4000 RTP/AVP 8"))
    assert slug(caught) == (491, "offer_open")
    leg.drop_offer()
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8"))
    with pytest.raises(SdpError) as caught:
        leg.receive_offer(body("m=audio 4000 RTP/AVP 8"))
    assert slug(caught) == (500, "offer_unanswered")
    with pytest.raises(UsageError):
        leg.offer(OWN)


def test_a_description_that_is_refused_leaves_no_offer_behind() -> None:
    leg = OfferAnswer(1, local=HERE)
    for bad in (b"nonsense", body("m=audio 0 RTP/AVP 8")):
        with pytest.raises(SdpError):
            leg.receive_offer(bad)
        assert leg.offer_received is None
    assert leg.heard is None


def test_an_offer_that_our_address_cannot_reach_waits_for_another_try() -> None:
    leg = OfferAnswer(1, local=HERE)
    offer = leg.receive_offer(body("m=audio 4000 RTP/AVP 8", host="2001:db8::9"))
    with pytest.raises(SdpError) as caught:
        leg.answer(OWN)
    assert slug(caught) == (488, "address_family")
    assert leg.offer_received is offer
    leg.local = ("2001:db8::1", 10_000)
    assert b"c=IN IP6 2001:db8::1" in leg.answer(OWN)


def test_verbs_out_of_place_are_mistakes_of_ours() -> None:
    with pytest.raises(UsageError, match="no media address"):
        OfferAnswer(1).offer(OWN)
    leg = OfferAnswer(1, local=HERE)
    with pytest.raises(UsageError):
        leg.answer(OWN)
    with pytest.raises(UsageError):
        leg.keep()
    with pytest.raises(UsageError):
        leg.receive_answer(body("m=audio 4000 RTP/AVP 8"))
    assert not leg.on_hold


# SRTP

COMMON = "AES_CM_128_HMAC_SHA1_80"
GCM = "AEAD_AES_128_GCM"


def line(tag: int, suite: str = COMMON, seed: int = 0x77) -> str:
    """Return an a=crypto line of a phone."""
    return f"a={Crypto(tag, suite, bytes((seed,)) * SUITES[suite]).attribute}"


def secured(security: Security) -> OfferAnswer:
    """Return a leg whose n-th key has n in each octet."""
    numbers = count(1)
    return OfferAnswer(
        1, local=HERE, security=security, random_bytes=lambda size: bytes((next(numbers),)) * size
    )


@pytest.mark.parametrize("profile", ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"])
@pytest.mark.parametrize("security", [Security.OPTIONAL, Security.REQUIRED])
def test_an_offer_of_keys_is_answered_on_its_profile(profile: str, security: Security) -> None:
    leg = secured(security)
    unknown = line(1).replace(COMMON, "AES_256_CM_HMAC_SHA1_80")
    leg.receive_offer(body(f"m=audio 4000 {profile} 8", unknown, line(3, GCM), line(4)))
    answer = said(leg.answer(OWN))
    assert answer[0] == f"m=audio 10000 {profile} 8"
    assert [text for text in answer if "crypto" in text] == [line(3, GCM, 1)]
    assert agreed(leg).keys == SrtpKeys(GCM, b"\x01" * 28, b"\x77" * 28)
    update = agreed(leg).update(7, also_from=None)
    assert update.keys == agreed(leg).keys


@pytest.mark.parametrize(
    ("security", "lines", "slug"),
    [
        (Security.OFF, ["m=audio 4000 RTP/SAVP 8", line(1)], "secure_media"),
        (Security.REQUIRED, ["m=audio 4000 RTP/AVP 8"], "plain_media"),
        (Security.REQUIRED, ["m=audio 4000 RTP/AVP 8", "a=crypto:1 X inline:AA"], "plain_media"),
        (Security.OPTIONAL, ["m=audio 4000 RTP/SAVP 8"], "crypto_suite"),
        (Security.REQUIRED, ["m=audio 4000 RTP/SAVP 8", "a=crypto:1 X inline:AA"], "crypto_suite"),
        (Security.IMPOSSIBLE, ["m=audio 4000 RTP/SAVP 8", line(1)], "srtp_needs_tls"),
        (Security.IMPOSSIBLE, ["m=audio 4000 RTP/AVP 8"], "srtp_needs_tls"),
        (Security.OPTIONAL, ["m=audio 4000 UDP/TLS/RTP/SAVPF 8", line(1)], "secure_media"),
        (Security.REQUIRED, ["m=audio 0 RTP/SAVP 8", line(1)], "no_audio"),
    ],
)
def test_an_offer_against_the_policy_is_refused(
    security: Security, lines: list[str], slug: str
) -> None:
    with pytest.raises(SdpError) as caught:
        secured(security).receive_offer(body(*lines))
    assert (caught.value.status, caught.value.slug) == (488, slug)


def test_keys_beside_a_plain_profile_are_ignored_where_srtp_is_off() -> None:
    leg = secured(Security.OFF)
    leg.receive_offer(body("m=audio 4000 RTP/AVP 8", line(1)))
    assert b"crypto" not in leg.answer(OWN)
    assert agreed(leg).keys is None


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_plain_and_a_secure_line_the_secure_one_is_taken(first: int) -> None:
    lines = [["m=audio 4000 RTP/AVP 8"], ["m=audio 4002 RTP/SAVP 8", line(1)]]
    leg = secured(Security.OPTIONAL)
    leg.receive_offer(body(*lines[first], *lines[1 - first]))
    answer = [text for text in said(leg.answer(OWN)) if text.startswith("m=")]
    assert answer[1 - first] == "m=audio 10000 RTP/SAVP 8"
    assert answer[first] == "m=audio 0 RTP/AVP 8"
    assert agreed(leg).remote == ("10.1.0.9", 4002)


def test_what_is_optional_is_offered_beside_the_plain_profile() -> None:
    leg = secured(Security.OPTIONAL)
    ours = said(leg.offer(OWN))
    assert ours[0].startswith("m=audio 10000 RTP/AVP ")
    assert [text for text in ours if "crypto" in text] == [
        line(tag, suite, tag) for tag, suite in enumerate(SUITES, 1)
    ]
    leg.receive_answer(body("m=audio 5000 RTP/AVP 8"))
    assert agreed(leg).keys is None
    assert not [text for text in said(leg.offer(OWN)) if "crypto" in text]


@pytest.mark.parametrize(
    ("security", "profile"), [(Security.OPTIONAL, "RTP/AVP"), (Security.REQUIRED, "RTP/SAVP")]
)
def test_an_answer_with_a_key_makes_it_srtp(security: Security, profile: str) -> None:
    leg = secured(security)
    assert said(leg.offer(OWN))[0].startswith(f"m=audio 10000 {profile} ")
    leg.receive_answer(body(f"m=audio 5000 {profile} 8", line(1)))
    assert agreed(leg).keys == SrtpKeys(COMMON, b"\x01" * 30, b"\x77" * 30)
    again = said(leg.offer(OWN))
    assert again[0].startswith(f"m=audio 10000 {profile} ")
    assert line(1, COMMON, 1) in again


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        (["m=audio 5000 RTP/AVP 8"], "plain_media"),
        (["m=audio 5000 RTP/SAVP 8"], "crypto_suite"),
        (["m=audio 5000 RTP/SAVP 8", line(9).replace("128", "256")], "crypto_suite"),
    ],
)
def test_an_answer_without_a_key_is_refused_where_one_is_required(
    lines: list[str], slug: str
) -> None:
    leg = secured(Security.REQUIRED)
    leg.offer(OWN)
    with pytest.raises(SdpError, match=slug):
        leg.receive_answer(body(*lines))
    assert leg.media is None


def test_nothing_is_offered_where_keys_could_be_read_on_the_way() -> None:
    with pytest.raises(SdpError, match="srtp_needs_tls"):
        secured(Security.IMPOSSIBLE).offer(OWN)


def test_hold_and_refresh_keep_our_key_and_take_a_new_one_of_theirs() -> None:
    leg = secured(Security.OPTIONAL)
    leg.receive_offer(body("m=audio 4000 RTP/SAVP 8", line(1)))
    first = leg.answer(OWN)
    leg.receive_offer(body("m=audio 4000 RTP/SAVP 8", line(1)))
    assert leg.keep() == first
    before = agreed(leg).keys
    leg.receive_offer(body("m=audio 4000 RTP/SAVP 8", line(1, seed=0x55), "a=sendonly", version=2))
    leg.keep()
    after = agreed(leg).keys
    assert before is not None
    assert after == SrtpKeys(COMMON, before.send, b"\x55" * 30)


def test_a_key_is_not_used_again_after_plain_speech() -> None:
    leg = secured(Security.OPTIONAL)
    for n, lines in enumerate([[line(1)], [], [line(1)]]):
        leg.receive_offer(body("m=audio 4000 RTP/AVP 8", *lines, version=n))
        leg.answer(OWN)
    assert agreed(leg).keys == SrtpKeys(COMMON, b"\x02" * 30, b"\x77" * 30)


def test_a_leg_without_a_source_of_keys_is_a_defect() -> None:
    with pytest.raises(UsageError):
        OfferAnswer(1, local=HERE, security=Security.OPTIONAL).offer(OWN)
