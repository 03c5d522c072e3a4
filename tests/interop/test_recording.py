"""Recordings on a real worker and a real server: killed while they go on, many at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pbx.demo.tones import heard
from pbx.media.codecs import ARRAY_CODECS
from pbx.media.protocol import Enter, Record
from pbx.media.repair import repair
from tests.kit.recordings import sides_of
from tests.kit.rtp import RtpPhone, phones
from tests.kit.tones import tone
from tests.media.test_worker import RunningWorker

CALLS = 10
SPOKEN_S = 4.3
LOST_S = 1.0
"""What a kill may cost, at most."""

HZ = 430


@pytest.fixture
def worker() -> Iterator[RunningWorker]:
    worker = RunningWorker("--stock", "32")
    yield worker
    worker.end()


def speak(parties: list[RtpPhone], seconds: float) -> None:
    """Let all say their tone in real time."""
    samples = tone(HZ, 1.0, rate=8000, level_dbfs=-16.0).samples.reshape(50, 160)
    payloads = ARRAY_CODECS["PCMU"].encode(None, samples)
    begun = time.monotonic()
    for n in range(round(seconds * 50)):
        for party in parties:
            party.say(payload=payloads[n % 50])
        time.sleep(max(0.0, begun + (n + 1) * 0.02 - time.monotonic()))


def test_a_worker_killed_during_ten_recordings_costs_each_a_second_at_most(
    worker: RunningWorker, tmp_path: Path
) -> None:
    with phones(*["127.0.0.1"] * CALLS) as parties:
        for number, party in enumerate(parties, 1):
            worker.add(number, party)
            worker.lock(number, party)
        files = [tmp_path / "2026" / "11" / f"call{number}-1.wav" for number in range(CALLS)]
        for number, file in enumerate(files, 1):
            worker.send(Enter(number, number), Record(100 + number, number, str(file), number))
        worker.settle()
        begun = time.monotonic()
        speak(parties, SPOKEN_S)
        worker.process.send_signal(signal.SIGKILL)
        recorded = time.monotonic() - begun
        worker.process.wait(10)
    for file in files:
        mended = repair(file)
        assert mended is not None
        left, right = sides_of(file)
        assert left.seconds == mended.seconds > recorded - LOST_S
        assert heard(left.part(0.5)) == {HZ}
        assert not np.abs(right.samples).max() > 8, "nobody is on the other side"
