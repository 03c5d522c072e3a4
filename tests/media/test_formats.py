"""What a description says about audio, and what of it another leg may be told."""

from __future__ import annotations

import pytest

from pbx.errors import SdpError
from pbx.media.codec import CODECS
from pbx.media.formats import AudioDescription, Capabilities, read_audio
from pbx.media.sdp import Direction, SessionDescription

PCMU, PCMA, G722, OPUS = (CODECS[name] for name in ("PCMU", "PCMA", "G722", "opus"))
OWN = Capabilities.named(["opus", "g722", "pcma", "pcmu"])


def described(*lines: str, connection: str = "c=IN IP4 192.0.2.9") -> SessionDescription:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", connection]
    return SessionDescription.parse("\n".join([*head, *lines]).encode())


def audio(*lines: str, connection: str = "c=IN IP4 192.0.2.9") -> AudioDescription:
    return read_audio(described(*lines, connection=connection))


def refused(*lines: str, connection: str = "c=IN IP4 192.0.2.9") -> tuple[int, str]:
    with pytest.raises(SdpError) as caught:
        audio(*lines, connection=connection)
    return caught.value.status, caught.value.slug


def test_static_payload_types_need_no_rtpmap() -> None:
    heard = audio("m=audio 4000 RTP/AVP 9 8 0 18")
    assert [entry.codec for entry in heard.formats] == [G722, PCMA, PCMU]


def test_a_codec_may_have_any_number_and_any_case() -> None:
    heard = audio("m=audio 4000 RTP/AVP 97 0", "a=rtpmap:97 pcmu/8000", "a=rtpmap:0 OPUS/48000/2")
    assert [(entry.codec, entry.payload) for entry in heard.formats] == [(PCMU, 97), (OPUS, 0)]


def test_a_codec_listed_twice_counts_once() -> None:
    heard = audio(
        "m=audio 4000 RTP/AVP 96 111", "a=rtpmap:96 opus/48000/2", "a=rtpmap:111 opus/48000/2"
    )
    assert [entry.payload for entry in heard.formats] == [96]


@pytest.mark.parametrize("number", ["128", "-1", "4294967296", "x", "97"])
def test_formats_that_mean_nothing_are_passed_over(number: str) -> None:
    heard = audio(f"m=audio 4000 RTP/AVP {number} 8", f"a=rtpmap:{number} speex/8000")
    assert [entry.codec for entry in heard.formats] == [PCMA]


@pytest.mark.parametrize("rtpmap", ["opus/48000", "opus/48000/1", "opus/16000/2", "opus", "/"])
def test_a_codec_with_another_clock_is_another_codec(rtpmap: str) -> None:
    assert audio("m=audio 4000 RTP/AVP 96", f"a=rtpmap:96 {rtpmap}").formats == ()


def test_g722_with_its_audio_rate_for_clock_is_taken_for_what_is_meant() -> None:
    heard = audio("m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/16000")
    assert [entry.codec for entry in heard.formats] == [G722]


def test_telephone_event_is_known_by_its_clock() -> None:
    heard = audio(
        "m=audio 4000 RTP/AVP 0 120 121 122 126",
        "a=rtpmap:120 telephone-event/8000",
        "a=rtpmap:121 telephone-event/16000",
        "a=rtpmap:122 Telephone-Event/48000",
        "a=rtpmap:126 telephone-event/8000",
    )
    assert heard.events == {8000: 120, 48000: 122}


@pytest.mark.parametrize(
    ("lines", "direction"),
    [
        ([], Direction.SENDRECV),
        (["a=recvonly"], Direction.RECVONLY),
        (["a=sendonly:x"], Direction.SENDRECV),
        (["a=inactive", "a=sendrecv"], Direction.INACTIVE),
    ],
)
def test_direction_is_both_ways_unless_said(lines: list[str], direction: Direction) -> None:
    assert audio("m=audio 4000 RTP/AVP 0", *lines).direction is direction


def test_the_direction_of_the_session_holds_where_the_stream_says_none() -> None:
    assert audio("a=inactive", "m=audio 4000 RTP/AVP 0").direction is Direction.INACTIVE
    lines = ("a=inactive", "m=audio 4000 RTP/AVP 0", "a=sendrecv")
    assert audio(*lines).direction is Direction.SENDRECV


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sendrecv", Direction.SENDONLY),
        ("recvonly", Direction.INACTIVE),
        ("sendonly", Direction.SENDONLY),
    ],
)
@pytest.mark.parametrize("nowhere", ["IP4 0.0.0.0", "IP6 ::"])
def test_an_address_of_zeros_is_a_writer_who_does_not_listen(
    said: str, meant: Direction, nowhere: str
) -> None:
    heard = audio("m=audio 4000 RTP/AVP 0", f"c=IN {nowhere}", f"a={said}")
    assert (heard.direction, heard.address, heard.rtcp) == (meant, None, None)
    above = audio("m=audio 4000 RTP/AVP 0", f"a={said}", connection=f"c=IN {nowhere}")
    assert above.direction is meant
    assert above.family == (4 if "IP4" in nowhere else 6)


@pytest.mark.parametrize(
    ("line", "rtcp"),
    [
        ("a=x", ("192.0.2.9", 4001)),
        ("a=rtcp:5009", ("192.0.2.9", 5009)),
        ("a=rtcp:5009 IN IP4 192.0.2.77", ("192.0.2.77", 5009)),
        ("a=rtcp:5009 IN IP4 0.0.0.0", ("192.0.2.9", 4001)),
        ("a=rtcp:5009 IN IP4 a.example", ("192.0.2.9", 4001)),
        ("a=rtcp:4000", ("192.0.2.9", 4001)),
        ("a=rtcp:", ("192.0.2.9", 4001)),
        ("a=rtcp:70000", ("192.0.2.9", 4001)),
    ],
)
def test_rtcp_goes_to_the_next_port_unless_said(line: str, rtcp: tuple[str, int]) -> None:
    assert audio("m=audio 4000 RTP/AVP 0", line).rtcp == rtcp


@pytest.mark.parametrize(
    ("lines", "packet_time"),
    [
        ([], 20),
        (["a=ptime:30"], 30),
        (["a=ptime:20.0", "a=ptime:40"], 20),
        (["a=ptime:0"], 20),
        (["a=ptime:15"], 20),
        (["a=ptime:1000"], 20),
        (["a=ptime:99999"], 20),
        (["a=ptime:60", "a=maxptime:40"], 40),
        (["a=maxptime:10"], 10),
        (["a=maxptime:150"], 20),
        (["a=ptime"], 20),
    ],
)
def test_packet_time_is_what_the_writer_likes_and_a_worker_can_make(
    lines: list[str], packet_time: int
) -> None:
    assert audio("m=audio 4000 RTP/AVP 0", *lines).packet_time == packet_time


def test_the_first_usable_stream_counts() -> None:
    heard = audio(
        "m=video 4000 RTP/AVP 97",
        "m=audio 0 RTP/AVP 0",
        "m=audio 4002 RTP/SAVP 0",
        "m=audio 4004 rtp/avp 8",
        "m=audio 4006 RTP/AVP 0",
    )
    assert (heard.index, heard.address) == (3, ("192.0.2.9", 4004))


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        ([], "no_audio"),
        (["m=audio 0 RTP/AVP 0"], "no_audio"),
        (["m=video 4000 RTP/AVP 97"], "no_audio"),
        (["m=audio 4000 RTP/SAVP 0"], "secure_media"),
        (["m=audio 4000 UDP/TLS/RTP/SAVPF 0"], "secure_media"),
        (["m=audio 4000 TCP/RTP/AVP 0"], "media_protocol"),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example"], "sdp_address"),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"], "sdp_address"),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP4 255.255.255.255"], "sdp_address"),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP6 ff02::1"], "sdp_address"),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP6 fe80::1%eth0"], "sdp_address"),
    ],
)
def test_what_cannot_be_spoken_to_is_refused_by_name(lines: list[str], slug: str) -> None:
    assert refused(*lines) == (488, slug)


def test_a_stream_without_any_address_is_refused() -> None:
    assert refused("m=audio 4000 RTP/AVP 0", connection="s=-") == (400, "no_connection")


def test_addresses_are_read_in_one_form() -> None:
    lines = ("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:DB8:0::5")
    assert audio(*lines).address == ("2001:db8::5", 4000)
    mapped = audio("m=audio 4000 RTP/AVP 0", "c=IN IP6 ::ffff:192.0.2.5")
    assert (mapped.address, mapped.family) == (("192.0.2.5", 4000), 4)


def test_capabilities_are_named_as_users_name_them() -> None:
    assert Capabilities.named(["G722", "pcmu", "gsm"]).codecs == (G722, PCMU)


def test_capabilities_are_ordered_and_narrowed() -> None:
    assert OWN.preferring(PCMA).codecs == (PCMA, OPUS, G722, PCMU)
    assert OWN.only(PCMA).codecs == (PCMA,)
    assert OWN.only(PCMA).only(PCMU).codecs == ()
    assert set(OWN.playable().codecs) == {codec for codec in OWN.codecs if codec.playable}


def test_shared_capabilities_have_the_writers_order_and_no_address() -> None:
    heard = audio(
        "m=audio 4000 RTP/AVP 0 111 18 100",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 useinbandfec=1;x-address=192.0.2.9",
        "a=rtpmap:100 telephone-event/8000",
        "a=ptime:30",
        "a=maxptime:60",
    )
    shared = OWN.shared_by(heard)
    assert shared.codecs == (PCMU, OPUS)
    assert shared.events == (8000,)
    assert (shared.ptime, shared.maxptime) == (30, 60)
    assert shared.wishes == {"opus": {"useinbandfec": "1"}}
    assert shared.payloads == {
        "PCMU/8000": 0,
        "opus/48000/2": 111,
        "telephone-event/8000": 100,
    }
    assert "192.0.2.9" not in repr(shared)


def test_nothing_in_common_is_488() -> None:
    with pytest.raises(SdpError) as caught:
        OWN.shared_by(audio("m=audio 4000 RTP/AVP 18 101"))
    assert (caught.value.status, caught.value.slug) == (488, "no_common_codec")
