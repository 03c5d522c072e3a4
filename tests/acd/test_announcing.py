"""What a waiting caller is told of its place: only what is better than what it knows."""

from __future__ import annotations

import math

from pbx.acd.announcing import SHORTEST_GAP, Due, Told, gap
from pbx.acd.model import Estimate
from pbx.plan.model import Queue


def news(known: Told, ahead: int, low: float = 0, high: float = 0) -> list[str]:
    estimate = Estimate(low * 60, high * 60) if high else None
    return [saying.words for saying in known.news(ahead, estimate, "en")]


def test_only_what_is_better_is_told() -> None:
    known = Told()
    assert news(known, 3) == ["You are number four in the queue."]
    assert news(known, 3) == []
    assert news(known, 5) == []
    assert news(known, 2) == ["You are number three in the queue."]
    assert news(known, 0) == ["You are next."]


def test_a_wait_is_a_range_and_told_when_it_is_shorter_than_was_said() -> None:
    known = Told()
    first = news(known, 3, 2.5, 4.2)
    assert first[1:] == ["We expect to answer you in two to five minutes."]
    assert news(known, 3, 3, 6) == []
    assert news(known, 2, 3, 6) == ["You are number three in the queue."]
    assert news(known, 2, 1, 3)[1:] == ["We expect to answer you in one to three minutes."]
    assert news(known, 4, 0, 1) == []
    assert news(known, 1, 0, 0.5)[1:] == ["We expect to answer you within one minute."]


def test_what_is_due_follows_from_the_queue() -> None:
    queue = Queue("tech", position_every_s=60, announce="hold", announce_every_s=40)
    due = Due.of(queue, 100.0)
    assert (due.place, due.prompt, due.offer) == (100.0, 140.0, math.inf)
    assert due.next == 100.0
    assert Due.of(Queue("tech"), 100.0).next == math.inf
    offering = Queue("tech", offer_after_s=30, offer_menu="offer")
    assert Due.of(offering, 100.0).next == 130.0


def test_the_place_is_not_told_too_often() -> None:
    assert gap(Queue("tech", position_every_s=60)) == 60
    assert gap(Queue("tech", position_every_s=3)) == SHORTEST_GAP
