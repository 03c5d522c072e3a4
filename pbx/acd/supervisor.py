"""What a supervisor does to queues and those who wait: close, open, raise, move.

Each deed is checked, said on the bus with the name of who wanted it (`by`: a token, or `socket`),
and told to the floor. Listening to calls and releasing them is `pbx/call/supervision.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pbx.acd import inputs
from pbx.acd.floor import Floor
from pbx.acd.model import QueueView, Waiting
from pbx.errors import NotFound, Refused
from pbx.events import CallerMoved, QueueSwitched

SHORTEST_PREFIX = 4
"""Characters of an id that are enough, where they name one caller only."""


def find_queue(floor: Floor, name: str) -> QueueView:
    """Return a queue as it is now; NotFound where there is none."""
    views = {view.name: view for view in floor.engine.queues(floor.clock.monotonic())}
    if name not in views:
        known = ", ".join(views) or "none in the dialplan in force"
        raise NotFound(f"there is no queue {name}; there is {known}")
    return views[name]


def find_caller(floor: Floor, name: str) -> Waiting:
    """Return who waits under this id of a call, its beginning, or the caller's number.

    Raises NotFound where nobody does, Refused where several do.
    """
    everybody = list(_everybody(floor))
    found = [waiting for waiting in everybody if name in (waiting.call, waiting.number)]
    if not found and len(name) >= SHORTEST_PREFIX:
        found = [waiting for waiting in everybody if waiting.call.startswith(name)]
    if not found:
        raise NotFound(f"nobody waits under {name}; callpbx queues show NAME lists who does")
    if len(found) > 1:
        ids = ", ".join(waiting.call for waiting in found)
        raise Refused(f"{name} means {len(found)} callers; name one of them: {ids}")
    return found[0]


def switch(floor: Floor, name: str, on: bool, by: str) -> None:
    """Open a queue to new callers, or close it; without effect where it is so already."""
    if find_queue(floor, name).open != on:
        floor.tell(inputs.QueueOpened(name, on))
        floor.bus.emit(QueueSwitched(queue=name, open=on, by=by))


def put_first(floor: Floor, queue: str, call: str, by: str) -> None:
    """Put a caller before all others of its queue; NotFound where it does not wait there."""
    _check_waits(floor, queue, call)
    floor.bus.emit(CallerMoved(call=call, queue=queue, by=by))
    floor.tell(inputs.CallerMoved(call))


def move(floor: Floor, queue: str, call: str, to: str, by: str) -> None:
    """Let a caller go on waiting in another queue; what it waited counts there.

    Raises NotFound where it does not wait in `queue` or `to` is none, Refused where `to` is closed.
    """
    _check_waits(floor, queue, call)
    if to == queue:
        raise Refused(f"call {call} waits in queue {to} already")
    if not find_queue(floor, to).open:
        raise Refused(f"queue {to} is closed; callpbx queues open {to} opens it")
    floor.bus.emit(CallerMoved(call=call, queue=queue, to=to, by=by))
    floor.tell(inputs.CallerMoved(call, to))


def _everybody(floor: Floor) -> Iterable[Waiting]:
    for view in floor.engine.queues(floor.clock.monotonic()):
        for call in view.waiting:
            waiting = floor.engine.waiting(call)
            if waiting is not None:
                yield waiting


def _check_waits(floor: Floor, queue: str, call: str) -> None:
    find_queue(floor, queue)
    waiting = floor.engine.waiting(call)
    if waiting is None or waiting.queue != queue:
        raise NotFound(f"no caller {call} waits in queue {queue}")
