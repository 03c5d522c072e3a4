"""The transaction machines against RFC 3261 §17 and RFC 6026, on a hand-turned clock."""

from __future__ import annotations

import pytest

from pbx.sip.deadlines import NEVER, Deadlines
from pbx.sip.flow import Flow
from pbx.sip.machine import ClientTransaction, ServerTransaction
from pbx.sip.message import Request, Response
from pbx.sip.settings import Timers
from pbx.sip.transaction import MACHINES, TIMER_LENGTHS, Input, State, Tell
from pbx.sip.transaction_layer import TransactionLayer, response_flow
from pbx.sip.writing import RequestHead

UDP = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
TCP = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))

REPEATED = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
"""When an INVITE that nobody answers is sent: timer A."""

REPEATED_TO_T2 = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
"""When another request, or a failure without ACK, is sent: timers E and G."""


class Bench:
    """A transaction layer, a clock, and a user that writes down what it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[tuple[float, str]] = []
        self.told: list[object] = []
        self.deadlines = Deadlines()
        self.outbox: list[tuple[bytes, Flow]] = []
        self.layer = TransactionLayer(Timers(), self.deadlines, self.outbox)

    def client(self, method: str, flow: Flow = UDP) -> ClientTransaction:
        head = RequestHead(
            method,
            "sip:bob@example.com",
            lead="Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\n",
            to="<sip:bob@example.com>",
            call_id="c",
            number=1,
        )
        via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"
        transaction = self.layer.start_client(
            head,
            method,
            via=via,
            branch="z9hG4bK1",
            message=head.write(method, via),
            flow=flow,
            user=self,
            now=self.now,
        )
        self.drain()
        return transaction

    def server(self, method: str, flow: Flow = UDP) -> ServerTransaction:
        transaction = self.layer.start_server(self.request(method), flow, self.now)
        transaction.user = self
        return transaction

    local_tag = "b"

    @staticmethod
    def request(method: str, branch: str = "z9hG4bK2") -> Request:
        return Request(
            method,
            "sip:alice@192.0.2.1",
            [
                ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;rport=5060;branch={branch}"),
                ("From", "<sip:bob@example.com>;tag=b"),
                ("To", "<sip:alice@example.com>"),
                ("Call-ID", "c"),
                ("CSeq", f"7 {method}"),
            ],
        )

    def response(self, status: int, method: str) -> bool:
        response = Response(
            status,
            None,
            [
                ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
                ("From", "<sip:alice@example.com>;tag=a"),
                ("To", "<sip:bob@example.com>;tag=b"),
                ("Call-ID", "c"),
                ("CSeq", f"1 {method}"),
            ],
        )
        matched = self.layer.receive_response(response, self.now)
        self.drain()
        return matched

    def advance(self, until: float) -> None:
        while (at := self.deadlines.next_at()) is not None and at <= until:
            self.now = max(self.now, at)
            self.deadlines.advance(self.now)
            self.drain()
        self.now = until

    def drain(self) -> None:
        for message, _flow in self.outbox:
            self.sent.append((round(self.now, 3), message.decode().split("\r\n")[0].split()[0]))
        self.outbox.clear()

    def times(self, word: str) -> list[float]:
        return [at for at, sent in self.sent if sent == word]

    # What the user is told.

    def response_received(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> None:
        self.told.append(response.status)

    def transaction_failed(self, transaction: ClientTransaction, tell: Tell, now: float) -> None:
        self.told.append(tell)

    def request_cancelled(
        self, transaction: ServerTransaction, cancel: Request, now: float
    ) -> None:
        self.told.append("cancelled")

    def response_failed(self, transaction: ServerTransaction, tell: Tell, now: float) -> None:
        self.told.append(tell)


# The tables as such.


@pytest.mark.parametrize("name", MACHINES)
def test_no_state_has_two_rows_for_one_input(name: str) -> None:
    keys = [(row.state, row.on) for row in MACHINES[name]]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_that_is_entered_has_rows_and_an_end(name: str) -> None:
    rows = MACHINES[name]
    entered = {rows[0].state} | {row.next for row in rows}
    assert entered - {State.TERMINATED} == {row.state for row in rows}
    reaches_end = {State.TERMINATED}
    for _ in rows:
        reaches_end |= {row.state for row in rows if row.next in reaches_end}
    assert entered <= reaches_end


def test_every_timer_has_a_length_and_a_row() -> None:
    timers = {given for given in Input if given.name.startswith("TIMER_")}
    assert timers == set(TIMER_LENGTHS)
    assert timers == {row.on for rows in MACHINES.values() for row in rows} & timers


# INVITE client (§17.1.1, RFC 6026 §7.2).


def test_invite_is_repeated_until_timer_b() -> None:
    bench = Bench()
    bench.client("INVITE")
    bench.advance(100)
    assert bench.times("INVITE") == REPEATED
    assert bench.told == [Tell.TIMEOUT]
    assert len(bench.layer) == 0


def test_a_provisional_response_stops_the_repeats_for_ever() -> None:
    bench = Bench()
    transaction = bench.client("INVITE")
    bench.advance(0.6)
    assert bench.response(180, "INVITE")
    bench.advance(500)
    assert bench.times("INVITE") == [0, 0.5]
    assert transaction.state is State.PROCEEDING
    assert bench.told == [180]


def test_invite_over_a_stream_is_sent_once() -> None:
    bench = Bench()
    bench.client("INVITE", TCP)
    bench.advance(31.9)
    assert bench.times("INVITE") == [0]
    bench.advance(32)
    assert bench.told == [Tell.TIMEOUT]


def test_each_copy_of_a_failure_is_acked_and_told_once() -> None:
    bench = Bench()
    bench.client("INVITE")
    for _ in range(3):
        assert bench.response(486, "INVITE")
    assert len(bench.times("ACK")) == 3
    assert bench.told == [486]
    bench.advance(32.1)
    assert not bench.response(486, "INVITE")


def test_ack_to_a_failure_has_the_tag_of_the_failure_and_the_branch_of_the_invite() -> None:
    bench = Bench()
    transaction = bench.client("INVITE")
    bench.response(404, "INVITE")
    ack = transaction.last.decode()
    assert ack.startswith("ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=")
    assert "To: <sip:bob@example.com>;tag=b\r\n" in ack
    assert "CSeq: 1 ACK\r\n" in ack
    assert "branch=z9hG4bK1\r\n" in ack


def test_accepted_passes_every_2xx_for_timer_m_and_ignores_the_rest() -> None:
    bench = Bench()
    bench.client("INVITE")
    for status in (200, 180, 486, 200):
        bench.response(status, "INVITE")
    assert bench.told == [200, 200]
    assert bench.times("ACK") == []
    bench.advance(31.9)
    assert bench.response(200, "INVITE")
    bench.advance(32.1)
    assert not bench.response(200, "INVITE")


def test_a_failure_over_a_stream_ends_the_transaction_at_once() -> None:
    bench = Bench()
    bench.client("INVITE", TCP)
    bench.response(486, "INVITE")
    assert len(bench.times("ACK")) == 1
    assert len(bench.layer) == 0


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_transport_error_fails_an_unanswered_request(method: str) -> None:
    bench = Bench()
    bench.client(method)
    bench.layer.flow_failed(UDP, bench.now)
    assert bench.told == [Tell.TRANSPORT]
    assert len(bench.layer) == 0


def test_a_transport_error_after_a_provisional_response_changes_nothing_for_invite() -> None:
    bench = Bench()
    transaction = bench.client("INVITE")
    bench.response(180, "INVITE")
    bench.layer.flow_failed(UDP, bench.now)
    assert transaction.state is State.PROCEEDING
    assert bench.told == [180]


# Non-INVITE client (§17.1.2).


def test_a_request_is_repeated_up_to_t2_until_timer_f() -> None:
    bench = Bench()
    bench.client("OPTIONS")
    bench.advance(100)
    assert bench.times("OPTIONS") == REPEATED_TO_T2
    assert bench.told == [Tell.TIMEOUT]


def test_after_a_provisional_response_a_request_is_repeated_every_t2() -> None:
    bench = Bench()
    bench.client("OPTIONS")
    bench.advance(0.4)
    bench.response(100, "OPTIONS")
    bench.advance(31.9)
    assert bench.times("OPTIONS") == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert bench.told == [100]
    bench.advance(32)
    assert bench.told == [100, Tell.TIMEOUT]  # timer F ran on


def test_copies_of_a_final_response_are_absorbed_for_timer_k() -> None:
    bench = Bench()
    bench.client("OPTIONS")
    bench.response(200, "OPTIONS")
    bench.advance(4.9)
    assert bench.response(200, "OPTIONS")
    assert bench.told == [200]
    bench.advance(5.1)
    assert not bench.response(200, "OPTIONS")
    assert bench.times("OPTIONS") == [0]


def test_a_response_of_another_method_matches_nothing() -> None:
    bench = Bench()
    bench.client("INVITE")
    assert not bench.response(200, "CANCEL")


# INVITE server (§17.2.1, RFC 6026 §7.1).


def test_a_repeated_invite_gets_the_last_provisional_response_again() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    transaction.respond(100, b"100", 0)
    transaction.step(Input.REQUEST, 0)
    transaction.respond(180, b"180", 0)
    transaction.step(Input.REQUEST, 0)
    assert [message for message, _ in bench.outbox] == [b"100", b"100", b"180", b"180"]


def test_a_failure_is_repeated_until_timer_h() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    transaction.respond(486, b"486 x", 0)
    bench.drain()
    bench.advance(100)
    assert bench.times("486") == REPEATED_TO_T2
    assert bench.told == [Tell.TIMEOUT]
    assert len(bench.layer) == 0


def test_ack_stops_the_failure_and_its_copies_are_absorbed() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    transaction.respond(486, b"486 x", 0)
    bench.drain()
    bench.advance(0.7)
    for _ in range(2):
        assert transaction.step(Input.ACK, bench.now) is None
    assert transaction.state is State.CONFIRMED
    bench.advance(60)
    assert bench.times("486") == [0, 0.5]
    assert len(bench.layer) == 0


def test_accepted_absorbs_repeated_invites_and_leaves_the_2xx_to_its_user() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    transaction.respond(200, b"200 x", 0)
    bench.drain()
    transaction.step(Input.REQUEST, 1)
    bench.advance(31.9)
    assert bench.times("200") == [0]
    assert transaction.state is State.ACCEPTED
    assert transaction.step(Input.ACK, bench.now) is Tell.MESSAGE
    bench.advance(32.1)
    assert len(bench.layer) == 0


def test_only_the_first_final_response_counts() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    assert transaction.respond(486, b"486", 0)
    assert not transaction.respond(200, b"200", 0)
    assert not transaction.respond(180, b"180", 0)


def test_a_failed_stream_ends_an_unanswered_invite() -> None:
    bench = Bench()
    bench.server("INVITE", TCP)
    bench.layer.flow_failed(TCP, 0)
    assert bench.told == [Tell.TRANSPORT]
    assert len(bench.layer) == 0


# Non-INVITE server (§17.2.2).


def test_copies_of_a_request_are_absorbed_then_answered_alike_for_timer_j() -> None:
    bench = Bench()
    transaction = bench.server("OPTIONS")
    transaction.step(Input.REQUEST, 0)
    assert bench.outbox == []
    transaction.respond(200, b"200 x", 0)
    transaction.step(Input.REQUEST, 0)
    assert len(bench.outbox) == 2
    bench.advance(31.9)
    assert len(bench.layer) == 1
    bench.advance(32.1)
    assert len(bench.layer) == 0


def test_over_a_stream_the_final_response_ends_the_transaction() -> None:
    bench = Bench()
    transaction = bench.server("OPTIONS", TCP)
    transaction.respond(100, b"100", 0)
    transaction.respond(200, b"200", 0)
    assert len(bench.outbox) == 2
    assert len(bench.layer) == 0
    assert not transaction.respond(200, b"200", 0)


# Matching (§17.2.3) and the ways back (§18.2.2, RFC 3581).


def test_ack_and_cancel_find_their_invite_by_branch_and_sent_by() -> None:
    bench = Bench()
    transaction = bench.server("INVITE")
    for method in ("ACK", "CANCEL"):
        assert bench.layer.find_server(bench.request(method), "INVITE") is transaction
        other = bench.request(method, branch="z9hG4bKother")
        assert bench.layer.find_server(other, "INVITE") is None


@pytest.mark.parametrize("branch", ["z9hG4bK", "1"])
def test_without_a_trustworthy_branch_the_rules_of_rfc_2543_match(branch: str) -> None:
    bench = Bench()
    transaction = bench.layer.start_server(bench.request("INVITE", branch), UDP, 0)
    again, other = (bench.request("INVITE", branch) for _ in range(2))
    other.headers.set("Call-ID", "another")
    assert bench.layer.find_server(again, "INVITE") is transaction
    assert bench.layer.find_server(other, "INVITE") is None


@pytest.mark.parametrize(
    ("via", "answered_at"),
    [
        ("192.0.2.2:7000;branch=z9hG4bK1", ("192.0.2.2", 7000)),  # sends and listens apart
        ("192.0.2.2;branch=z9hG4bK1", ("192.0.2.2", 5060)),
        ("192.0.2.2:7000;rport;branch=z9hG4bK1", ("192.0.2.2", 6000)),
        ("10.0.0.5:7000;branch=z9hG4bK1", ("192.0.2.2", 6000)),  # behind a NAT
        ("phone.example.com;branch=z9hG4bK1", ("192.0.2.2", 6000)),
        ("192.0.2.2:7000;maddr=192.0.2.9;branch=z9hG4bK1", ("192.0.2.2", 7000)),
    ],
)
def test_udp_responses_go_where_the_via_and_the_source_say(
    via: str, answered_at: tuple[str, int]
) -> None:
    flow = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 6000))
    request = Bench.request("OPTIONS")
    request.headers.set("Via", f"SIP/2.0/UDP {via}")
    request.stamp_source(*flow.remote)
    assert response_flow(request.via, flow).remote == answered_at


def test_when_the_stream_of_a_request_has_closed_its_response_opens_one_to_sent_by() -> None:
    bench = Bench()
    came_on = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 40001))
    transaction = bench.server("INVITE", came_on)
    bench.layer.flow_closed(came_on, 0)
    transaction.respond(180, b"180", 0)
    assert bench.outbox == [(b"180", came_on._replace(remote=("192.0.2.2", 5060)))]
    bench.layer.flow_failed(transaction.flow, 0)
    assert bench.told == [Tell.TRANSPORT]


# The heap.


class Sleeper:
    """Something that notes when it was woken."""

    def __init__(self, at: float) -> None:
        self.armed_at = NEVER
        self.at = at
        self.woken: list[float] = []

    def wakes_at(self) -> float:
        return self.at

    def wake(self, now: float) -> None:
        self.woken.append(now)
        self.at = NEVER


def test_a_later_deadline_needs_no_second_entry_and_an_earlier_one_is_kept() -> None:
    deadlines = Deadlines()
    sleeper = Sleeper(1.0)
    deadlines.arm(sleeper, 1.0)
    sleeper.at = 3.0
    deadlines.arm(sleeper, 3.0)
    assert len(deadlines) == 1
    deadlines.advance(2.0)
    assert sleeper.woken == []
    assert deadlines.next_at() == 3.0
    sleeper.at = 2.5
    deadlines.arm(sleeper, 2.5)
    deadlines.advance(2.5)
    assert sleeper.woken == [2.5]
    deadlines.advance(4.0)
    assert sleeper.woken == [2.5]
    assert deadlines.next_at() is None


def test_beyond_the_horizon_a_deadline_is_asked_for_again_and_kept_to_the_moment() -> None:
    deadlines = Deadlines(horizon=33.0)
    sleeper = Sleeper(1000.0)
    deadlines.arm(sleeper, 1000.0)
    last = 0.0
    while (at := deadlines.next_at()) is not None:
        assert at <= last + 33.0
        deadlines.advance(at)
        assert len(deadlines) <= 1
        last = at
    assert sleeper.woken == [1000.0]


def test_deadlines_of_all_lengths_come_in_their_order() -> None:
    deadlines = Deadlines()
    woken: list[float] = []

    class Noting(Sleeper):
        def wake(self, now: float) -> None:
            woken.append(self.at)
            super().wake(now)

    for step in range(40):
        for length in (0.1, 0.5, 5.0, 7.3, 11.0, 20.0, 28.0, 32.0):
            due = step * 0.3 + length
            deadlines.arm(Noting(due), due)
    while (at := deadlines.next_at()) is not None:
        deadlines.advance(at)
    assert woken == sorted(woken)
    assert len(woken) == 320
    assert len(deadlines) == 0
