"""What `call` itself brings: the destination kinds and the features of this package."""

from __future__ import annotations

from pbx.call.clock_codes import tell_number, tell_time
from pbx.call.conference import conference
from pbx.call.extension import extension
from pbx.call.features import UNKNOWN_CODE, Features, echo, unknown_code
from pbx.call.outside import outside
from pbx.call.ring_group import ring
from pbx.call.routing import Destinations


def standard_features() -> Features:
    """Return a registry with the features of this package; others add theirs to it."""
    features = Features()
    features.register("echo", "*43", echo)
    features.register("time", "*60", tell_time)
    features.register("own_number", "*65", tell_number)
    features.register(UNKNOWN_CODE, "", unknown_code)
    return features


def standard_destinations(features: Features) -> Destinations:
    """Return a registry with the kinds of this package; others add theirs to it."""
    destinations = Destinations()
    destinations.register("ext", extension)
    destinations.register("ring", ring)
    destinations.register("number", outside)
    destinations.register("conference", conference)
    destinations.register("feature", features.go)
    return destinations
