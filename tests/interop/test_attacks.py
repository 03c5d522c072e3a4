"""Attackers find nothing: no number, no password, no open audio port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.interop.test_kill import workers_of
from tests.kit.office import MUSIC_HZ, OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipvicious import crack_password, enumerate_numbers
from tests.kit.phones.talker import Talker, talk, wait_for
from tests.kit.strangers import Stranger, memory_of, udp_ports
from tests.kit.tones import Sound, heard

STRANGER = "127.0.0.66"
ROOM = "7001"
PACKETS = 100_000
EARLY = 10_000
"""Packets that come before the calls, and again before it is measured what strangers cost."""

WINDOW_S = 0.5
MOST_CHANGE_DB = 2.0
MOST_MEMORY = 4_000_000
MOST_LINES = 20
MOST_KEPT = 1_000_000


@pytest.mark.interop("svwar")
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
def test_nobody_learns_which_numbers_exist(
    office: TestedOffice, tmp_path: Path, method: str
) -> None:
    assert enumerate_numbers(tmp_path, port=5060, numbers="100-150", method=method) == []


@pytest.mark.interop("svcrack")
def test_guessing_passwords_ends_before_the_fiftieth_guess(
    make_office: OfficeMaker, tmp_path: Path
) -> None:
    office = make_office()
    office.start()
    office.add_extension("110", "guess-0049-right")
    words = tmp_path / "words"
    words.write_text(
        "".join(f"guess-{n:04}-{'right' if n == 49 else 'wrong'}\n" for n in range(1, 70))
    )
    assert crack_password(tmp_path, port=5060, user="110", words=words) == []
    bans = office.ask("status")["server"]["bans"]
    assert "127.0.0.1" in str(bans)
    office.cli("unban", "127.0.0.1")
    assert "127.0.0.1" not in str(office.ask("status")["server"]["bans"])
    assert office.stop() == 0
    assert "Traceback" not in office.errors()


@dataclass(frozen=True)
class Shape:
    """A call that is up, and whom each party must go on hearing."""

    name: str
    ears: dict[Talker, set[Talker | int]]


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[TestedOffice]:
    """Return an office with a room and encryption, whose log is read."""
    with TestedOffice(
        tmp_path / "office", rooms={ROOM: "mix_only_talkers: no, tones: no"}, srtp_over_plain=True
    ) as office:
        office.start()
        office.add_extensions((str(n), f"phone-{n}-secret") for n in range(105, 111))
        office.cli("extension", "set", "110", "--srtp", "required")
        yield office
        assert_stopped_properly(office)


def calls_of_all_shapes(office: TestedOffice, phones: Phones) -> list[Shape]:
    """Set up a call that is relayed, one mixed in a room, one held with music, one recorded and one
    encrypted."""
    codecs = {"103": "PCMU", "104": "PCMA"}
    started = phones.at_once(
        *(
            lambda n=n: phones.pjsua(
                office,
                n,
                codecs=codecs.get(n, "PCMU,PCMA"),
                srtp="required" if n in ("109", "110") else "off",
            )
            for n in map(str, range(101, 111))
        )
    )
    relayed = talk(office, started[0], started[1], "102", (430, 560))
    in_room = []
    for phone, hz in zip(started[2:4], (690, 820), strict=True):
        call = phone.dial(office.uri(ROOM))
        call.wait("confirmed")
        in_room.append(Talker(call, hz))
    holder, waiting = talk(office, started[4], started[5], "106", (430, 690))
    holder.call.hold()
    recorded = talk(office, started[6], started[7], "108", (950, 1080))
    recorded[0].call.press("*1")
    eventually(lambda: office.ask("recording", "list"), bool)
    encrypted = talk(office, started[8], started[9], "110", (560, 820))
    pairs = {"relayed": relayed, "mixed": in_room, "recorded": recorded, "encrypted": encrypted}
    shapes = [Shape(name, {a: {b}, b: {a}}) for name, (a, b) in pairs.items()]
    return [*shapes, Shape("held", {holder: set(), waiting: {MUSIC_HZ}})]


@pytest.mark.load
@pytest.mark.interop("pjsua2")
@pytest.mark.timeout(120)
def test_a_hundred_thousand_packets_of_strangers_change_nothing(
    busy: TestedOffice, phones: Phones
) -> None:
    processes = [busy.pid, *workers_of(busy)]
    with Stranger(STRANGER, seed=66) as stranger, Stranger("127.0.0.67", seed=67) as another:
        stranger.spray(udp_ports(processes), EARLY)
        shapes = calls_of_all_shapes(busy, phones)
        ears = {talker: whom for shape in shapes for talker, whom in shape.ears.items()}
        wait_for(ears, seconds=1.0, timeout=10)
        ports = udp_ports(processes)
        assert 5060 in ports
        assert len(ports) > 2 * len(ears), "two for each leg, and those for legs to come"
        marks = {talker: talker.mark() for talker in ears}
        stranger.spray(ports, EARLY)
        memory, log, kept = memory_of(processes), busy.errors(), size_of(busy)
        stranger.spray(ports, PACKETS // 2)
        another.spray(ports, PACKETS - PACKETS // 2)
        wait_for(ears, seconds=1.0)
        assert stranger.answers() == another.answers() == []
    assert memory_of(processes) - memory < MOST_MEMORY
    assert busy.errors()[len(log) :].count("\n") < MOST_LINES
    assert size_of(busy) - kept < MOST_KEPT
    for shape in shapes:
        for talker, whom in shape.ears.items():
            assert_unchanged(shape.name, talker, marks[talker], whom)
    hang_up(shapes)
    for record in busy.records(6):
        for row in record["quality"]:
            assert row["packets"] < 51 * record["talk_s"] + 51 * record["hold_s"] + 25


def hang_up(shapes: list[Shape]) -> None:
    """End all calls; a room ends with its last member."""
    for shape in shapes:
        one, other = shape.ears
        one.call.hang_up()
        if shape.name == "mixed":
            other.call.hang_up()


def assert_unchanged(name: str, talker: Talker, mark: float, whom: set[Talker | int]) -> None:
    """Check half a second by half a second that a party has heard the same as before `mark`."""
    tones = {hz if isinstance(hz, int) else hz.hz for hz in whom}
    before = loudness(talker.since(mark - 1.0).part(0, 1.0))
    sound = talker.since(mark)
    assert sound.seconds > 5
    for n in range(int(sound.seconds / WINDOW_S)):
        part = sound.part(n * WINDOW_S, (n + 1) * WINDOW_S)
        about = f"{name}: {talker} after {n * WINDOW_S:g} s"
        assert heard(part) == tones, about
        assert abs(loudness(part) - before) < MOST_CHANGE_DB, about


def loudness(sound: Sound) -> float:
    """Return the level of a sound, dB of full scale; silence is −90.

    Phones skip or stretch a frame on a busy machine, which moves a tone's phase, but not its level.
    """
    mean = float(np.mean(sound.samples.astype(float) ** 2)) / 32768**2
    return 10 * np.log10(max(mean, 1e-9))


def size_of(office: TestedOffice) -> int:
    """Return the octets of all files of an office but for its recordings, and for its sounds, which
    are still being made when it begins to serve."""
    files = (
        file for file in office.folder.rglob("*") if not {"recordings", "sounds"} & {*file.parts}
    )
    return sum(file.stat().st_size for file in files if file.is_file())
