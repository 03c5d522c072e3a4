"""The destination kinds that `call` itself brings: extensions, conference rooms, feature codes."""

from __future__ import annotations

from pbx.call.call import extension
from pbx.call.conference import conference
from pbx.call.features import feature
from pbx.call.routing import Destinations


def standard_destinations() -> Destinations:
    """Return a registry with the kinds of this package; others add theirs to it."""
    destinations = Destinations()
    destinations.register("ext", extension)
    destinations.register("conference", conference)
    destinations.register("feature", feature)
    return destinations
