"""Old places of callers who lost the line, on a clock that stands still."""

from __future__ import annotations

import pytest

from pbx.acd.model import Waiting
from pbx.acd.places import KEPT_FOR, OldPlace, Places, known_as
from tests.kit.clock import VirtualClock
from tests.kit.keeping import Memory


class Office:
    def __init__(self, memory: Memory | None = None, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.memory = memory or Memory()
        self.places = Places(self.memory, self.clock)

    def waits(self, call: str, number: str, *, queue: str = "tech", priority: int = 0) -> float:
        joined = self.clock.monotonic()
        self.places.entered(
            Waiting(call=call, queue=queue, joined_at=joined, number=number, priority=priority)
        )
        return joined

    def old(self, number: str, queue: str = "tech") -> OldPlace | None:
        return self.places.old(number, queue, self.clock.monotonic())

    def restarted(self, *, after: float = 0.0) -> Office:
        """Return the office on the same memory, `after` seconds later, with another monotonic."""
        wall = self.clock.wall() + after
        again = Office(self.memory, VirtualClock(wall=wall, monotonic=17.0))
        again.places.load(self.memory.kept.places)
        return again


def test_who_lost_the_line_gets_the_old_place_once() -> None:
    office = Office()
    joined = office.waits("a", "13800138000", priority=3)
    office.clock.advance(60)
    office.places.left("a", lost_line=True)
    office.clock.advance(120)
    assert office.old("13800138000") == OldPlace(joined, 3)
    assert office.old("13800138000") is None
    assert office.memory.places == {}


@pytest.mark.parametrize(("later", "given"), [(KEPT_FOR, True), (KEPT_FOR + 1, False)])
def test_the_old_place_is_kept_for_five_minutes(later: float, given: bool) -> None:
    office = Office()
    office.waits("a", "13800138000")
    office.places.left("a", lost_line=True)
    office.clock.advance(later)
    assert (office.old("13800138000") is not None) is given
    assert office.memory.places == {}


def test_who_was_served_has_no_old_place() -> None:
    office = Office()
    office.waits("a", "13800138000")
    assert office.memory.places["a"].left_at is None
    office.places.left("a", lost_line=False)
    assert office.old("13800138000") is None
    assert office.memory.places == {}


def test_another_number_or_queue_gets_nothing() -> None:
    office = Office()
    office.waits("a", "13800138000")
    office.places.left("a", lost_line=True)
    assert office.old("13800138001") is None
    assert office.old("13800138000", "sales") is None
    assert office.old("13800138000") is not None


def test_who_still_waits_has_not_lost_anything() -> None:
    office = Office()
    office.waits("a", "13800138000")
    assert office.old("13800138000") is None


@pytest.mark.parametrize("number", ["", "anonymous", "unavailable", "Restricted"])
def test_a_withheld_number_is_nobodys(number: str) -> None:
    office = Office()
    office.waits("a", number)
    office.places.left("a", lost_line=True)
    assert office.old(number) is None
    assert office.memory.places == {}
    assert known_as(number) is None


def test_one_number_written_in_two_ways_is_one_caller() -> None:
    office = Office()
    office.waits("a", "+8613800138000")
    office.places.left("a", lost_line=True)
    assert office.old("008613800138000") is not None


def test_two_behind_one_number_get_one_place_each_the_longest_wait_first() -> None:
    office = Office()
    first = office.waits("a", "66668888")
    office.clock.advance(30)
    second = office.waits("b", "66668888")
    office.places.left("b", lost_line=True)
    office.places.left("a", lost_line=True)
    assert [office.old("66668888"), office.old("66668888")] == [
        OldPlace(first, 0),
        OldPlace(second, 0),
    ]
    assert office.old("66668888") is None


def test_a_restored_place_can_be_lost_and_given_back_again() -> None:
    office = Office()
    joined = office.waits("a", "13800138000")
    office.places.left("a", lost_line=True)
    office.clock.advance(100)
    old = office.old("13800138000")
    assert old is not None
    office.places.entered(
        Waiting(call="b", queue="tech", joined_at=old.joined_at, number="13800138000")
    )
    office.places.left("b", lost_line=True)
    office.clock.advance(290)
    assert office.old("13800138000") == OldPlace(joined, 0)


def test_who_is_moved_to_another_queue_has_the_place_there() -> None:
    office = Office()
    joined = office.waits("a", "13800138000")
    office.places.entered(Waiting(call="a", queue="sales", joined_at=joined, number="13800138000"))
    office.places.left("a", lost_line=True)
    assert office.old("13800138000") is None
    assert office.old("13800138000", "sales") == OldPlace(joined, 0)


def test_who_waited_when_the_server_died_has_the_place_in_the_next_one() -> None:
    office = Office()
    office.waits("a", "13800138000", priority=2)
    office.clock.advance(60)
    again = office.restarted(after=5)
    assert again.memory.places["a"].left_at == again.clock.wall()
    again.clock.advance(KEPT_FOR)
    old = again.old("13800138000")
    assert old is not None
    assert old.priority == 2
    assert again.clock.monotonic() - old.joined_at == pytest.approx(60 + 5 + KEPT_FOR)


def test_a_line_lost_before_the_restart_is_kept_for_what_is_left_of_its_time() -> None:
    office = Office()
    office.waits("a", "13800138000")
    office.waits("b", "13800138001")
    office.places.left("a", lost_line=True)
    office.clock.advance(200)
    office.places.left("b", lost_line=True)
    again = office.restarted(after=150)
    assert again.old("13800138000") is None
    assert again.old("13800138001") is not None
    assert again.memory.places == {}


def test_places_of_yesterday_are_forgotten() -> None:
    office = Office()
    office.waits("a", "13800138000")
    again = office.restarted(after=12 * 3600)
    assert again.old("13800138000") is None
    assert again.memory.places == {}


def test_a_wall_clock_that_goes_back_gives_no_place_in_the_future() -> None:
    office = Office()
    office.waits("a", "13800138000")
    office.places.left("a", lost_line=True)
    office.clock.set_wall(office.clock.wall() - 100)
    old = office.old("13800138000")
    assert old is not None
    assert old.joined_at == office.clock.monotonic()


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
def test_a_wall_clock_that_is_set_amid_the_wait_makes_it_no_longer_and_no_shorter(
    jump: float,
) -> None:
    office = Office()
    joined = office.waits("a", "13800138000")
    office.clock.advance(60)
    office.clock.set_wall(office.clock.wall() + jump)
    office.places.left("a", lost_line=True)
    office.clock.advance(60)
    assert office.old("13800138000") == OldPlace(joined, 0)


def test_leaving_twice_or_without_a_place_changes_nothing() -> None:
    office = Office()
    office.places.left("a", lost_line=True)
    office.waits("a", "13800138000")
    office.places.left("a", lost_line=False)
    office.places.left("a", lost_line=True)
    assert office.old("13800138000") is None


def test_who_waits_to_be_called_back_has_that_place_or_the_older_one() -> None:
    office = Office()
    booked: list[OldPlace] = []
    office.places.booked = lambda _number, _queue: booked.pop() if booked else None
    booked.append(OldPlace(900.0, 1))
    assert office.old("13800138000") == OldPlace(900.0, 1)
    assert office.old("13800138000") is None
    joined = office.waits("a", "13800138000")
    office.places.left("a", lost_line=True)
    booked.append(OldPlace(joined - 50, 0))
    assert office.old("13800138000") == OldPlace(joined - 50, 0)
    booked.append(OldPlace(1.0, 0))
    assert office.old("anonymous") is None
