"""Keys that a party presses, and how a script asks for some: `digits = await collect(leg, …)`.

However a key came — telephone-event, tones, INFO — it is one key here. What is pressed before
somebody asks is kept (type-ahead), at most `MAX_AHEAD` keys; who asks for a secret clears it first.
A leg may have one listener besides, who gets the keys instead: a supervisor's 1, 2 and 3.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbx.media.keys.codes import CodeMatcher, Completed

if TYPE_CHECKING:
    from pbx.call.leg import Leg

MAX_AHEAD = 32
"""Keys remembered that nobody has asked for yet; the oldest go first."""

OnKey = Callable[[str], None]


MASK = "?"
"""What stands for a key of a secret wherever keys are told, stored or shown."""


def on_codes(codes: Mapping[str, Callable[[], None]]) -> OnKey:
    """Return a listener that does what a code means; however slowly its keys come."""
    matcher = CodeMatcher(codes)

    def press(key: str) -> None:
        for verdict in matcher.key(key, 0.0):
            if isinstance(verdict, Completed):
                codes[verdict.code]()

    return press


class Keys:
    """The keys of one leg, in order."""

    def __init__(self) -> None:
        self.listener: OnKey | None = None
        self.secret = False
        """Whether what is pressed now is nobody's business: a PIN."""
        self._pressed: deque[str] = deque(maxlen=MAX_AHEAD)
        self._arrived = asyncio.Event()

    def press(self, key: str) -> None:
        """Take a key that was pressed."""
        if self.listener is not None:
            self.listener(key)
            return
        self._pressed.append(key)
        self._arrived.set()

    @contextmanager
    def masked(self) -> Iterator[None]:
        """Tell nobody within the block which keys are pressed."""
        self.secret, before = True, self.secret
        try:
            yield
        finally:
            self.secret = before

    def clear(self) -> None:
        """Forget what was pressed before now."""
        self._pressed.clear()
        self._arrived.clear()

    @property
    def waiting(self) -> bool:
        """Tell whether a key was pressed that nobody has asked for."""
        return bool(self._pressed)

    @property
    def first(self) -> str | None:
        """Return the key that waits longest; it waits on. None where none does."""
        return self._pressed[0] if self._pressed else None

    async def next(self, seconds: float) -> str | None:
        """Return the next key; None when there is none within `seconds`."""
        return self._pressed.popleft() if await self.arrives(seconds) else None

    async def arrives(self, seconds: float) -> bool:
        """Wait for a key, which waits on; False when there is none within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not self._pressed:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many digits are asked for, and how long each may take.

    `end_key` ends early and is no part of the answer; "" for none. `first_s` and `between_s` are
    seconds until the first digit, counted from the end of the prompt, and between two.
    """

    least: int = 1
    most: int = 1
    end_key: str = "#"
    first_s: float = 5.0
    between_s: float = 2.0


async def collect(
    leg: Leg, wanted: Wanted, *, prompt: tuple[str, ...] = (), secret: bool = False
) -> str | None:
    """Play `prompt`, which any key ends, and return the digits that the party keys.

    None when there were none, or too few, in time. A `secret` is not taken from keys pressed ahead,
    its keys are masked in all that is told of them, and recordings are silent meanwhile.
    """
    keys = leg.keys
    with ExitStack() as stack:
        if secret:
            keys.clear()
            stack.enter_context(keys.masked())
            stack.enter_context(leg.call.exchange.recordings.hushed(leg.bridge))
        stack.callback(leg.media.watch, keys=False)
        leg.media.watch(keys=True)
        if prompt and not keys.waiting:
            await leg.play(*prompt, stop_on_key=True)
        return await _keyed(keys, wanted)


async def _keyed(keys: Keys, wanted: Wanted) -> str | None:
    digits = ""
    while len(digits) < wanted.most:
        key = await keys.next(wanted.between_s if digits else wanted.first_s)
        if key is None or (key == wanted.end_key and wanted.end_key):
            break
        digits += key
    return digits if len(digits) >= wanted.least else None
