"""Two user agents on a bad wire, driven at random: nothing may raise, leak or be told twice.

The invariants, checked when the wire has healed and everybody has hung up:

- every table and the heap of timers are empty, and nothing waits for an answer;
- an INVITE ends once at most, as an event, and nothing is told about it afterwards;
- a server transaction sends one final response, however often it is asked;
- a dialog that one side holds up is not forgotten by the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pbx.errors import UsageError
from pbx.sip.events import (
    InviteAnswered,
    InviteCancelled,
    InviteEnded,
    InviteFailed,
    InviteId,
    InviteReceived,
    ReinviteAnswered,
    ReinviteFailed,
    ReinviteReceived,
    RequestReceived,
    TransactionId,
)
from pbx.sip.flow import Flow
from pbx.sip.message import Response
from pbx.sip.settings import AgentSettings
from tests.kit.wire import ANSWER, OFFER, Impairment, Party, Sent, Wire

SETTINGS = AgentSettings(session_expires=90, min_se=90)

ENDINGS = (InviteCancelled, InviteEnded, InviteFailed)

parties = st.sampled_from(["alice", "bob"])
MANGLINGS = ["missing", "twice", "empty", "senseless"]

chances = st.sampled_from([0.0, 0.0, 0.1, 0.3])


class Memory:
    """What the layer above a party remembers: what it may say next."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.invites: list[InviteId] = []
        self.ended_by_us: set[InviteId] = set()
        self.unanswered: list[TransactionId] = []
        self.to_ack: list[InviteId] = []
        party.on(InviteReceived, self._received)
        party.on(InviteAnswered, lambda event: self.to_ack.append(event.invite))
        party.on(ReinviteAnswered, lambda event: self.to_ack.append(event.invite))
        party.on(ReinviteReceived, lambda event: self.unanswered.append(event.transaction))
        party.on(RequestReceived, lambda event: self.unanswered.append(event.transaction))

    def _received(self, event: InviteReceived) -> None:
        self.invites.append(event.invite)
        self.unanswered.append(event.transaction)


class TwoAgents(RuleBasedStateMachine):
    """Calls, answers, hang-ups, re-INVITEs, losses, copies and broken connections in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire(seed=7)
        self.corrupted = False
        self.sides = {
            name: Memory(self.wire.party(name, host, settings=SETTINGS))
            for name, host in (("alice", "192.0.2.1"), ("bob", "192.0.2.2"))
        }

    @rule(name=parties, offer=st.booleans(), stream=st.booleans())
    def invite(self, name: str, *, offer: bool, stream: bool) -> None:
        """Call the other side."""
        side = self.sides[name]
        other = self.sides["bob" if name == "alice" else "alice"].party
        flows = [side.party.flow_to(other, "tcp" if stream else "udp")]
        body = OFFER if offer else None
        side.invites.append(side.party.invite(other, body=body, destinations=flows))

    @rule(
        name=parties,
        which=st.integers(0, 20),
        status=st.sampled_from([180, 183, 200, 200, 200, 302, 486, 491, 500]),
    )
    def respond(self, name: str, which: int, status: int) -> None:
        """Answer something that waits."""
        side = self.sides[name]
        if side.unanswered:
            transaction = side.unanswered[which % len(side.unanswered)]
            side.party.respond(transaction, status, body=ANSWER if status < 300 else None)
            if status >= 200:
                side.unanswered.remove(transaction)

    @rule(name=parties)
    def ack(self, name: str) -> None:
        """Acknowledge what was answered."""
        side = self.sides[name]
        if side.to_ack:
            side.party.ack(side.to_ack.pop(0), body=ANSWER)

    @rule(name=parties, which=st.integers(0, 20))
    def end(self, name: str, which: int) -> None:
        """Hang up, cancel or turn down."""
        side = self.sides[name]
        if side.invites:
            invite = side.invites[which % len(side.invites)]
            side.party.end(invite)
            side.ended_by_us.add(invite)

    @rule(name=parties, which=st.integers(0, 20), offer=st.booleans())
    def reinvite(self, name: str, which: int, *, offer: bool) -> None:
        """Send a re-INVITE where that is allowed."""
        side = self.sides[name]
        if side.invites:
            try:
                invite = side.invites[which % len(side.invites)]
                side.party.reinvite(invite, body=OFFER if offer else None)
            except UsageError:
                return

    @rule(
        name=parties,
        which=st.integers(0, 20),
        method=st.sampled_from(["INFO", "OPTIONS", "UPDATE"]),
    )
    def request(self, name: str, which: int, method: str) -> None:
        """Send another request within a dialog."""
        side = self.sides[name]
        if side.invites:
            body, content_type = (OFFER, "application/sdp") if method == "UPDATE" else (None, None)
            side.party.ua.request(
                side.invites[which % len(side.invites)],
                method,
                body=body,
                content_type=content_type,
                now=self.wire.now,
            )

    @rule(loss=chances, doubles=chances, jitter=st.sampled_from([0.0, 0.01, 0.7]))
    def impair(self, loss: float, doubles: float, jitter: float) -> None:
        """Make the wire better or worse."""
        self.wire.impairment = Impairment(loss=loss, doubles=doubles, jitter=jitter)

    @rule(which=st.integers(0, 200))
    def replay(self, which: int) -> None:
        """Let a datagram come again within T4, the longest that the RFC lets one live."""
        oldest = self.wire.now - SETTINGS.timers.t4
        recent = [s for s in self.wire.log if s.transport == "udp" and s.at > oldest]
        if recent:
            sent = recent[which % len(recent)]
            self._deliver(sent, sent.octets)

    @rule(which=st.integers(0, 200), at=st.integers(0, 1500), octet=st.integers(0, 255))
    def corrupt(self, which: int, at: int, octet: int) -> None:
        """Let something arrive with a wrong octet; only one, so that much of it is still read."""
        recent = [sent for sent in self.wire.log if sent.transport == "udp"]
        if recent:
            sent = recent[which % len(recent)]
            at %= len(sent.octets)
            octets = sent.octets[:at] + bytes([octet]) + sent.octets[at + 1 :]
            self._deliver(sent, octets)
            self.corrupted = True

    @rule(which=st.integers(0, 200), line=st.integers(1, 12), how=st.sampled_from(MANGLINGS))
    def mangle(self, which: int, line: int, how: str) -> None:
        """Let something arrive with a header field missing, twice, empty or senseless."""
        recent = [sent for sent in self.wire.log if sent.transport == "udp"]
        if recent:
            sent = recent[which % len(recent)]
            head, end, body = sent.octets.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            at = line % len(lines)
            name = lines[at].partition(b":")[0]
            lines[at : at + 1] = {
                "missing": [],
                "twice": [lines[at], lines[at]],
                "empty": [name + b":"],
                "senseless": [name + b': <;,"='],
            }[how]
            self._deliver(sent, b"\r\n".join(lines) + end + body)
            self.corrupted = True

    def _deliver(self, sent: Sent, octets: bytes) -> None:
        target = next(s.party for s in self.sides.values() if s.party.address == sent.target)
        source = self.sides[sent.source].party.address
        target.ua.receive(octets, Flow("udp", target.address, source), self.wire.now)

    @rule()
    def break_streams(self) -> None:
        """Let every connection close."""
        self.wire.close_streams()

    @rule(seconds=st.sampled_from([0.001, 0.002, 0.01, 0.5, 3.0, 20.0, 40.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.wire.run(seconds)

    @invariant()
    def nobody_is_told_after_the_end(self) -> None:
        """An INVITE ends once, and that is the last that is heard of it."""
        for side in self.sides.values():
            side.party.flush()
            ended: set[InviteId] = set()
            for event in side.party.events:
                invite = getattr(event, "invite", None)
                assert invite is None or invite not in ended, f"{event} after the end"
                if isinstance(event, ENDINGS):
                    ended.add(event.invite)

    def teardown(self) -> None:
        """Heal the wire, hang up everywhere, and look whether anything is left."""
        self.wire.impairment = Impairment()
        self.wire.run(2)
        for side in self.sides.values():
            for invite in side.invites:
                side.party.end(invite)
        self.wire.run(5)
        for side in self.sides.values():
            for transaction in side.unanswered:
                side.party.respond(transaction, 500)
        self.wire.run(200)
        for side in self.sides.values():
            assert side.party.is_idle, f"{side.party.ua.snapshot()}\n{self.wire.ladder()}"
            assert side.party.ua.next_timer() is None, "a timer is left"
            self._check_outcomes(side)
        if not self.corrupted:
            self._check_final_responses()

    def _check_outcomes(self, side: Memory) -> None:
        events = side.party.events
        reinvites = Counter(
            event.invite for event in events if isinstance(event, ReinviteAnswered | ReinviteFailed)
        )
        asked = Counter(sent.kind for sent in self.wire.log if sent.source == side.party.name)
        assert sum(reinvites.values()) <= asked["INVITE"]

    def _check_final_responses(self) -> None:
        finals: defaultdict[tuple[str, str | None, str], set[int]] = defaultdict(set)
        for sent in self.wire.log:
            message = sent.message
            if isinstance(message, Response) and message.status >= 200:
                key = (sent.source, message.via.branch, message.cseq.method)
                finals[key].add(message.status)
        several = {key: statuses for key, statuses in finals.items() if len(statuses) > 1}
        assert not several, f"{several}\n{self.wire.ladder()}"


TwoAgents.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

test_two_agents = TwoAgents.TestCase
