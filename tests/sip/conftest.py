"""What the tests of the SIP user agent share: a wire, whose ladder a failing test shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.wire import Party, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Return a wire of 1 ms one way; what passed on it is printed with a failure."""
    made = Wire()
    yield made
    print(made.ladder())


@pytest.fixture
def alice(wire: Wire) -> Party:
    """Return the party that calls."""
    return wire.party("alice", "192.0.2.1")


@pytest.fixture
def bob(wire: Wire) -> Party:
    """Return the party that is called."""
    return wire.party("bob", "192.0.2.2")
