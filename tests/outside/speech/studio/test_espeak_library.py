"""The library of the wheel `espeakng-loader`, run as the program is."""

from __future__ import annotations

import subprocess
import sys
import wave
from importlib.util import find_spec
from io import BytesIO

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason='pip install "callpbx[speech]"'
)


def ran(text: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run it with a text on its standard input."""
    program = [sys.executable, "-m", "pbx.outside.speech.studio.espeak_library"]
    options = ("-s", "160", "-b", "1", "--stdin")
    return subprocess.run(
        [*program, *options, *words], input=text.encode(), capture_output=True, check=False
    )


def test_it_speaks() -> None:
    with wave.open(BytesIO(ran("您好", "-v", "cmn-latn-pinyin", "--stdout").stdout)) as file:
        assert file.getframerate() == 22050
        assert file.getnframes() > 5000


def test_it_tells_phonemes_as_the_program_does() -> None:
    said = ran("Hello, world.", "-v", "en-us", "-q", "--ipa", "--tie=^").stdout.decode()
    assert "o^ʊ" in said
    assert "w" in said.splitlines()[1]


def test_a_voice_that_there_is_not_is_told() -> None:
    failed = ran("Hello", "-v", "nobody", "--stdout")
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert b"there is no voice nobody" in failed.stderr
