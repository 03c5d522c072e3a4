"""Letters that nobody waits for: tried, tried again on virtual time, given up with an alarm."""

from __future__ import annotations

import asyncio

import pytest

from pbx.errors import Refused
from pbx.outside import outbox
from pbx.outside.breaker import Unavailable
from pbx.outside.outbox import AT_ONCE, MAX_WAITING, Outbox
from tests.kit.loop import run


class Postman:
    """Delivers with the errors it is given, one after the other; notes when."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = list(errors)
        self.times: list[float] = []

    async def __call__(self) -> None:
        self.times.append(asyncio.get_running_loop().time() - 1000.0)
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error


def posted(postman: Postman) -> list[str]:
    alarms: list[str] = []

    async def main() -> None:
        box = Outbox(alarms.append)
        box.post("mail to a@b.example", postman)
        await box.idle()
        await box.close()

    run(main())
    return alarms


def test_a_letter_goes_out_at_once() -> None:
    postman = Postman()
    assert posted(postman) == []
    assert postman.times == [0.0]


def test_a_letter_is_tried_again_after_1_5_and_30_minutes() -> None:
    postman = Postman(*(Unavailable("no answer") for _ in range(3)))
    assert posted(postman) == []
    assert postman.times == [0.0, 60.0, 360.0, 2160.0]


def test_a_letter_that_never_goes_out_is_an_alarm() -> None:
    postman = Postman(*(Unavailable("no answer") for _ in range(9)))
    assert posted(postman) == ["mail to a@b.example was not sent: no answer"]
    assert len(postman.times) == 4


def test_what_is_refused_is_not_tried_again() -> None:
    postman = Postman(Refused("550 never"))
    assert posted(postman) == ["mail to a@b.example was not sent: 550 never"]
    assert postman.times == [0.0]


def test_a_defect_costs_its_own_letter_only(caplog: pytest.LogCaptureFixture) -> None:
    alarms = posted(Postman(KeyError("x")))
    assert alarms == ["mail to a@b.example was not sent: callpbx failed; its log says where"]
    assert "could not be sent" in caplog.text


def test_there_is_an_end_to_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_WAITING == 1_000
    monkeypatch.setattr(outbox, "MAX_WAITING", 3)

    async def main() -> None:
        box = Outbox(lambda _: None)
        for _ in range(3):
            box.post("mail", Postman())
        with pytest.raises(Refused, match="wait to be sent already"):
            box.post("mail", Postman())
        await box.idle()
        box.post("mail", Postman())
        await box.close()

    run(main())


def test_few_are_under_way_at_a_time() -> None:
    most = under_way = 0

    async def slow() -> None:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(5.0)
        under_way -= 1

    async def main() -> None:
        box = Outbox(lambda _: None)
        for _ in range(20):
            box.post("mail", slow)
        await box.idle()
        await box.close()

    run(main())
    assert most == AT_ONCE


def test_what_waits_at_the_end_is_told_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        box = Outbox(lambda _: None)
        box.post("mail", Postman(Unavailable("no answer")))
        await asyncio.sleep(1.0)
        await box.close()
        assert len(box) == 0

    run(main())
    assert "1 mails and webhooks were not sent before the end" in caplog.text
