"""Alarms: each sentence once, repeats counted, memory bounded."""

from __future__ import annotations

import logging

import pytest

from pbx.alarms import KEPT, Alarms


def test_a_repeat_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([1.0, 2.0])
    alarms = Alarms(lambda: next(times))
    with caplog.at_level(logging.WARNING):
        alarms.raise_("disk is full; free some space")
        alarms.raise_("disk is full; free some space")
    (alarm,) = alarms.newest()
    assert (alarm.count, alarm.at) == (2, 2.0)
    assert len(caplog.records) == 1


def test_the_newest_come_first_and_the_oldest_go() -> None:
    alarms = Alarms(lambda: 0.0)
    for number in range(KEPT + 5):
        alarms.raise_(f"alarm {number}")
    sentences = [alarm.sentence for alarm in alarms.newest()]
    assert sentences[0] == f"alarm {KEPT + 4}"
    assert len(sentences) == KEPT
    assert "alarm 0" not in sentences
