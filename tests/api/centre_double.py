"""A call centre in memory: what the routes and the commands are tested against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pbx.api.centre_views import (
    Board,
    QueueAgent,
    QueueDetail,
    QueueRow,
    WaitingCallback,
    WaitingCaller,
)
from pbx.errors import NotFound


@dataclass
class CentreDouble:
    """A running call centre that remembers what it was asked for."""

    shown: list[QueueDetail] = field(default_factory=list)
    staff: list[QueueAgent] = field(default_factory=list)
    done: list[tuple[str, ...]] = field(default_factory=list)
    taken: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    booked: list[WaitingCallback] = field(default_factory=list)

    def board(self) -> Board:
        return Board(
            at="2026-11-21T08:00:02.000Z", queues=tuple(self.queues()), staff=tuple(self.staff)
        )

    def queues(self) -> Sequence[QueueRow]:
        return [
            QueueRow(**{name: getattr(each, name) for name in QueueRow.__struct_fields__})
            for each in self.shown
        ]

    def queue(self, name: str) -> QueueDetail:
        for each in self.shown:
            if each.name == name:
                return each
        raise NotFound(f"there is no queue {name}")

    def switch_queue(self, name: str, on: bool, by: str) -> None:
        self.queue(name)
        self.done.append(("open" if on else "close", name, by))

    def caller(self, name: str) -> WaitingCaller:
        for each in self.shown:
            for caller in each.callers:
                if name in (caller.call, caller.number):
                    return caller
        raise NotFound(f"nobody waits under {name}")

    def places(self) -> Mapping[str, tuple[str, str | None]]:
        return self.taken

    def raise_caller(self, queue: str, call: str, by: str) -> None:
        self.done.append(("raise", queue, call, by))

    def move_caller(self, queue: str, call: str, to: str, by: str) -> None:
        self.queue(to)
        self.done.append(("move", queue, call, to, by))

    def callbacks(self) -> Sequence[WaitingCallback]:
        return self.booked

    def cancel_callback(self, name: str) -> None:
        self.booked.remove(self.hurry_callback(name))

    def hurry_callback(self, name: str) -> WaitingCallback:
        for each in self.booked:
            if name in (each.id, each.number):
                self.done.append(("callback", name))
                return each
        raise NotFound(f"no call-back {name} waits")


def centre_of(*names: str) -> CentreDouble:
    """Return a call centre with these queues: one caller waits in the first and rings at 102."""
    caller = WaitingCaller(
        call="7f3a91c2aa",
        queue=names[0],
        position=1,
        number="13800138000",
        waited_s=80.2,
        priority=5,
        skills={"en": 3},
        offered_to=("102",),
    )
    agent = QueueAgent(
        number="102",
        name="Anna",
        state="ringing",
        since="2026-11-21T07:59:57.000Z",
        seconds=5.0,
        call=caller.call,
        queue=names[0],
        skills={"en": 4},
    )
    shown = [
        QueueDetail(
            name=name,
            waiting=int(name == names[0]),
            longest_wait_s=80.2 if name == names[0] else 0.0,
            agents={"ringing": 1},
            service_level=72.04 if name == names[0] else None,
            service_level_formula="SL(20 s)",
            target=(80, 20.0),
            answered=41,
            abandoned=3,
            callers=(caller,) if name == names[0] else (),
            staff=(agent,),
        )
        for name in names
    ]
    return CentreDouble(shown, [agent])


def booked_callback() -> WaitingCallback:
    """Return somebody who waits for the second try."""
    return WaitingCallback(
        id="c0ffee01",
        queue="sales",
        number="13800138000",
        call="7f3a91c2aa",
        since="2026-11-21T07:50:00.000Z",
        waited_s=602.5,
        doing="resting",
        tries=1,
        most_tries=3,
        next_at="2026-11-21T08:05:00.000Z",
    )
