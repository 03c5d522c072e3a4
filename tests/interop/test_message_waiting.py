"""The lamp of real phones: told unasked or in a subscription, on with a message and off without."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.baresip import Baresip
from tests.kit.phones.pjsua import SoftPhone

OWNER = "102"
BOX = "800"
"""The number that leads straight into the box of 102, whose phone need not be away for it."""

Told = Callable[[], list[str]]
"""Returns the summaries that a phone was told, in order."""


def pjsua(office: TestedOffice, folder: Path, stack: ExitStack, *, subscribe: bool) -> Told:
    """Register a PJSIP phone."""
    phone = stack.enter_context(SoftPhone("lamp", folder, subscribe=subscribe))
    phone.register(office.uri(OWNER), office.passwords[OWNER])
    return lambda: [event["message"] for event in phone.events.all("messages")]


def baresip(office: TestedOffice, folder: Path, stack: ExitStack) -> Told:
    """Register a baresip phone that subscribes."""
    phone = stack.enter_context(Baresip("lamp", folder, number=9, subscribe=True))
    phone.register(office.uri(OWNER), office.passwords[OWNER])
    events = phone.events.everything
    return lambda: [event["param"] for event in events() if event["type"] == "MWI_NOTIFY"]


def leave_message(office: TestedOffice, phones: Phones) -> str:
    """Speak into the box; return the id of the message."""
    call = phones.pjsua(office, "101").dial(office.uri(BOX))
    call.wait("confirmed")
    call.wait_media()
    time.sleep(0.5)
    call.press("1")  # no greeting
    folder = office.folder / "var" / "voicemail"
    eventually(lambda: list(folder.glob("*.wav")), bool)
    call.play(560)
    time.sleep(4.0)  # a message of less than three seconds is none
    call.hang_up()
    (row,) = eventually(lambda: office.ask("voicemail", "list"), bool)
    return str(row["id"])


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("kind", ["pjsua unasked", "pjsua subscribed", "baresip subscribed"])
def test_the_lamp_goes_on_with_a_message_and_off_without(
    make_office: OfficeMaker, phones: Phones, tmp_path: Path, kind: str
) -> None:
    office = make_office(numbers={BOX: f"voicemail:{OWNER}"})
    office.start()
    with ExitStack() as stack:
        if kind.startswith("pjsua"):
            told = pjsua(office, tmp_path, stack, subscribe="subscribed" in kind)
        else:
            told = baresip(office, tmp_path, stack)
        eventually(told, lambda seen: bool(seen) and is_dark(seen[-1]))
        message = leave_message(office, phones)
        eventually(told, lambda seen: "Messages-Waiting: yes" in seen[-1])
        assert "Voice-Message: 1/0 (0/0)" in told()[-1]
        assert f"Message-Account: sip:{OWNER}@127.0.0.1" in told()[-1]
        office.cli("voicemail", "delete", message)
        eventually(told, lambda seen: is_dark(seen[-1]))
        assert "Voice-Message: 0/0 (0/0)" in told()[-1]
        assert ("Subscription-State: active" in told()[-1]) == (kind == "pjsua subscribed")
    assert office.stop() == 0, office.errors()


def is_dark(summary: str) -> bool:
    """Tell whether a phone that is told this has its lamp off."""
    return "Messages-Waiting: no" in summary
