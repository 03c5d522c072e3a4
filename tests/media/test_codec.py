"""Descriptions of the codecs, and the parameters of a=fmtp."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pbx.media.codec import (
    CODECS,
    EVENT_CLOCKS,
    EVENT_PAYLOADS,
    STATIC_PAYLOADS,
    Codec,
    codec_mapped,
    codec_named,
    format_fmtp,
    parse_fmtp,
    usable,
)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_codec_is_found_by_its_name_and_its_rtpmap(codec: Codec) -> None:
    assert codec_named(codec.name.swapcase()) is codec
    assert codec_mapped(codec.name.lower(), codec.clock, codec.channels) is codec
    assert codec_mapped(codec.name, codec.clock + 1, codec.channels) is None
    assert codec_mapped(codec.name, codec.clock, codec.channels + 1) is None


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_codec_has_a_usable_payload_type(codec: Codec) -> None:
    if codec.static_payload is None:
        assert codec.payload in range(96, 128)
    else:
        assert codec.payload == codec.static_payload < 96
        assert STATIC_PAYLOADS[codec.payload] is codec
    assert codec.compatible({}, {})


def test_preferred_dynamic_numbers_do_not_collide() -> None:
    numbers = [codec.payload for codec in CODECS.values()] + list(EVENT_PAYLOADS.values())
    assert len(set(numbers)) == len(numbers)
    assert set(EVENT_PAYLOADS) == set(EVENT_CLOCKS)


def test_g722_keeps_the_clock_of_rfc_3551() -> None:
    assert (CODECS["G722"].clock, CODECS["G722"].audio_rate) == (8000, 16000)


def test_opus_is_always_written_with_two_channels() -> None:
    assert CODECS["opus"].rtpmap == "opus/48000/2"
    assert CODECS["PCMA"].rtpmap == "PCMA/8000"


def test_an_unknown_name_is_no_codec() -> None:
    assert codec_named("AMR-WB") is None
    assert codec_mapped("speex", 16000, 1) is None


def test_only_known_wishes_with_values_in_range_pass_to_the_other_leg() -> None:
    fmtp = parse_fmtp(
        "maxplaybackrate=16000; useinbandfec=1;stereo=2; cbr=yes;maxaveragebitrate=99999999999;"
        "x-secret=10.1.2.3;minptime=²"
    )
    assert CODECS["opus"].wished(fmtp) == {"maxplaybackrate": "16000", "useinbandfec": "1"}
    assert CODECS["PCMU"].wished(fmtp) == {}


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        (";;=;", {}),
        ("0-15", {"0-15": ""}),
        ("mode=20", {"mode": "20"}),
        (" MinPTime = 10 ;useinbandfec=1; ", {"minptime": "10", "useinbandfec": "1"}),
        ("a=1;a=2", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_fmtp_is_read(text: str, parameters: dict[str, str]) -> None:
    assert parse_fmtp(text) == parameters


def test_fmtp_is_written_as_it_was_read() -> None:
    assert format_fmtp(parse_fmtp("a=1; b; c=3")) == "a=1;b;c=3"


def test_a_codec_whose_library_is_not_installed_is_not_spoken() -> None:
    there = Codec("X", 8000, 8000, needs="json")
    missing = Codec("Y", 8000, 8000, needs="no_such_library")
    ours = Codec("Z", 8000, 8000)
    assert usable((there, missing, ours)) == (there, ours)


def test_looking_for_libraries_imports_none_of_them() -> None:
    script = (
        "import sys; from pbx.media.codec import CODECS\n"
        "libraries = {'numpy', *(codec.needs for codec in CODECS.values())}\n"
        "print(*libraries & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.split() == []


def test_linear_samples_have_a_dynamic_number_and_the_clock_of_the_sound() -> None:
    assert CODECS["L16"].rtpmap == "L16/16000"
    assert CODECS["L16"].static_payload is None
