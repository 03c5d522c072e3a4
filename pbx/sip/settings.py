"""What a user agent is told once, at its making: its name, its timers, what it allows and its
limits.

Values are frozen and passed down; nothing in `pbx.sip` reads a global.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timers:
    """The base values of RFC 3261 §17.1.1.1, in seconds; all other SIP timers follow from them."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def timeout(self) -> float:
        """Return 64·T1: timers B, F, H, J, L and M, and the wait for the ACK to a 2xx."""
        return 64 * self.t1


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The constants of one user agent.

    `allow` lists the methods that reach the layer above or are answered inside; a known method that
    is missing gets 405, an unknown one 501. `supported` are the option tags for Supported and
    Require. `accept` are the content types of session bodies, the first one the default; `events`
    are the packages that can be subscribed to (RFC 6665).
    `session_expires` and `min_se` are in seconds (RFC 4028). `failover_after` is how long a
    destination may stay silent while another is left (seconds), `stream_try` how long a connection
    for a large request may take to open before UDP carries it after all. `max_udp` is the largest
    request in bytes that goes by UDP where a stream can be had (RFC 3261 §18.1.1). The `max_…`
    limits bound the tables; beyond them an INVITE gets 503 with Retry-After.
    """

    name: str = "callpbx"
    timers: Timers = field(default_factory=Timers)
    allow: tuple[str, ...] = (
        "INVITE",
        "ACK",
        "CANCEL",
        "BYE",
        "OPTIONS",
        "UPDATE",
        "INFO",
        "REGISTER",
        "SUBSCRIBE",
        "REFER",
    )
    supported: tuple[str, ...] = ("timer", "replaces", "norefersub")
    accept: tuple[str, ...] = ("application/sdp",)
    events: tuple[str, ...] = ("message-summary",)
    session_expires: int = 1800
    min_se: int = 90
    failover_after: float = 4.0
    stream_try: float = 1.0
    max_udp: int = 1300
    max_transactions: int = 200_000
    max_invites: int = 20_000
    retry_after: int = 5
