"""The table of bindings: found by number and by flow, expiring, asked evenly whether they live."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pbx.sip.binding import Binding
from pbx.sip.flow import Flow
from pbx.sip.message import Request
from pbx.sip.registrar import QUALIFY_INTERVAL, Registrar, Registration
from pbx.sip.uri import Uri

HOME = ("192.0.2.1", 5060)


def flow(host: str = "198.51.100.7", port: int = 40123, transport: str = "udp") -> Flow:
    return Flow(transport, HOME, (host, port))


def binding(aor: str = "101", host: str = "10.0.0.5", **changes: object) -> Binding:
    made = Binding(aor, Uri.parse(f"sip:{aor}@{host}"), flow(), (), f"{aor}@{host}", 1, 3600.0, 0.0)
    return replace(made, **changes)


def register(
    registrar: Registrar, contact: str, *, cseq: int = 1, now: float = 0.0, aor: str = "101"
) -> Registration:
    request = Request("REGISTER", "sip:h")
    request.headers.add("To", f"<sip:{aor}@h>")
    request.headers.add("Call-ID", "c1")
    request.headers.add("CSeq", f"{cseq} REGISTER")
    request.headers.add("Contact", contact)
    return registrar.register(request, aor, flow(), now)


@pytest.fixture
def registrar() -> Registrar:
    return Registrar()


def test_nothing_changes_before_apply(registrar: Registrar) -> None:
    registration = register(registrar, "<sip:101@10.0.0.5>")
    assert registrar.bindings("101", 0.0) == []
    registrar.apply(registration, 0.0)
    assert registrar.bindings("101", 0.0) == list(registration.upserts)
    assert registrar.snapshot() == {"extensions": 1, "bindings": 1, "flows": 1}


def test_a_refresh_prolongs_and_a_removal_removes(registrar: Registrar) -> None:
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>;expires=60"), 0.0)
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>;expires=60", cseq=2, now=50.0), 50.0)
    assert registrar.expire(100.0) == []
    assert len(registrar.bindings("101", 100.0)) == 1
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>;expires=0", cseq=3, now=101.0), 101.0)
    assert registrar.bindings("101", 101.0) == []
    assert registrar.snapshot() == {"extensions": 0, "bindings": 0, "flows": 0}
    assert registrar.expire(999.0) == []


def test_a_newer_register_stands_when_an_older_one_is_stored_late(registrar: Registrar) -> None:
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>", cseq=1), 0.0)
    older = register(registrar, "<sip:101@10.0.0.5>;expires=100", cseq=2)
    leaving = register(registrar, "<sip:101@10.0.0.5>;expires=0", cseq=3)
    newer = register(registrar, "<sip:101@10.0.0.5>;expires=200", cseq=4)
    registrar.apply(newer, 0.0)
    registrar.apply(older, 0.0)
    registrar.apply(leaving, 0.0)
    assert [b.cseq for b in registrar.bindings("101", 0.0)] == [4]


def test_bindings_are_gone_when_their_time_is_over(registrar: Registrar) -> None:
    registrar.load([binding(expires_at=100.0), binding(host="10.0.0.6", expires_at=50.0)], 0.0)
    assert registrar.next_expiry() == 50.0
    assert len(registrar.bindings("101", 50.0)) == 1
    assert [str(b.contact) for b in registrar.expire(50.0)] == ["sip:101@10.0.0.6"]
    assert registrar.expire(50.0) == []
    assert registrar.next_expiry() == 100.0
    registrar.expire(100.0)
    assert registrar.next_expiry() is None
    assert registrar.all(100.0) == []


def test_a_shorter_expiry_is_kept_too(registrar: Registrar) -> None:
    registrar.load([binding(expires_at=1000.0)], 0.0)
    registrar.load([binding(expires_at=60.0)], 0.0)
    assert len(registrar.expire(60.0)) == 1


def test_load_leaves_out_what_expired_while_the_server_was_down(registrar: Registrar) -> None:
    registrar.load([binding(expires_at=10.0), binding("102")], 10.0)
    assert [b.aor for b in registrar.all(10.0)] == ["102"]


def test_bindings_come_newest_first_and_all_of_them_by_number(registrar: Registrar) -> None:
    registrar.load(
        [
            binding("102"),
            binding("101", "10.0.0.5", registered_at=1.0),
            binding("101", "10.0.0.6", registered_at=2.0),
        ],
        3.0,
    )
    assert [str(b.contact) for b in registrar.all(3.0)] == [
        "sip:101@10.0.0.6",
        "sip:101@10.0.0.5",
        "sip:102@10.0.0.5",
    ]


def test_a_flow_knows_its_extensions(registrar: Registrar) -> None:
    elsewhere = flow("198.51.100.8")
    registrar.load([binding("101"), binding("102"), binding("103", flow=elsewhere)], 0.0)
    assert registrar.on_flow(flow()) == {"101", "102"}
    assert registrar.on_flow(elsewhere) == {"103"}
    assert registrar.on_flow(flow(transport="tcp")) == set()
    registrar.load([binding("102", flow=elsewhere)], 0.0)
    assert registrar.on_flow(flow()) == {"101"}
    registrar.remove("101")
    assert registrar.on_flow(flow()) == set()


def test_a_source_is_known_while_a_phone_is_registered_from_it(registrar: Registrar) -> None:
    six = flow("2001:db8:1:2::99")
    registrar.load([binding(), binding(host="10.0.0.6"), binding("102", flow=six)], 0.0)
    assert registrar.has_source("198.51.100.7")
    assert registrar.has_source("2001:db8:1:2::/64")
    registrar.remove("101")
    assert not registrar.has_source("198.51.100.7")


def test_removing_an_extension_returns_its_bindings(registrar: Registrar) -> None:
    registrar.load([binding(), binding("102")], 0.0)
    assert [b.aor for b in registrar.remove("101")] == ["101"]
    assert registrar.remove("101") == []
    assert [b.aor for b in registrar.all(0.0)] == ["102"]


def test_every_binding_is_asked_once_in_each_interval_and_evenly(registrar: Registrar) -> None:
    registrar.load([binding(str(number)) for number in range(300)], 0.0)
    asked: Counter[str] = Counter()
    bursts = []
    for second in range(1, 61):
        due = registrar.due_for_qualify(float(second))
        bursts.append(len(due))
        for one in due:
            asked[one.aor] += 1
            registrar.qualified(one, 5.0, second + 0.005)
    assert set(asked.values()) == {2}
    assert max(bursts) <= 14


def test_an_answer_gives_the_round_trip_time(registrar: Registrar) -> None:
    registrar.load([binding()], 0.0)
    (due,) = registrar.due_for_qualify(QUALIFY_INTERVAL)
    assert registrar.qualified(due, 12.5, QUALIFY_INTERVAL) is None
    (known,) = registrar.bindings("101", QUALIFY_INTERVAL)
    assert known.round_trip_ms == 12.5
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>", now=31.0), 31.0)
    assert registrar.bindings("101", 31.0)[0].round_trip_ms == 12.5


def test_two_misses_make_a_phone_unreachable_and_an_answer_brings_it_back(
    registrar: Registrar,
) -> None:
    registrar.load([binding()], 0.0)
    (due,) = registrar.due_for_qualify(30.0)
    assert registrar.qualified(due, None, 62.0) is None
    (due,) = registrar.due_for_qualify(62.0)
    lost = registrar.qualified(due, None, 94.0)
    assert lost is not None
    assert not lost.reachable
    assert registrar.bindings("101", 94.0) == [lost]
    (due,) = registrar.due_for_qualify(94.0)
    assert registrar.qualified(due, None, 126.0) is None
    (due,) = registrar.due_for_qualify(126.0)
    back = registrar.qualified(due, 8.0, 126.1)
    assert back is not None
    assert back.reachable
    assert back.round_trip_ms == 8.0


def test_one_miss_between_answers_is_forgiven(registrar: Registrar) -> None:
    registrar.load([binding(expires_at=9999.0)], 0.0)
    now = 30.0
    for outcome in (None, 5.0, None, 5.0, None):
        (due,) = registrar.due_for_qualify(now)
        assert registrar.qualified(due, outcome, now + 1.0) is None
        now += 30.0


def test_a_phone_that_does_not_answer_is_asked_again_at_once(registrar: Registrar) -> None:
    registrar.load([binding(expires_at=9999.0)], 0.0)
    (due,) = registrar.due_for_qualify(30.0)
    assert registrar.due_for_qualify(39.0) == []
    registrar.qualified(due, None, 40.0)
    (due,) = registrar.due_for_qualify(40.0)
    lost = registrar.qualified(due, None, 50.0)
    assert lost is not None
    assert registrar.due_for_qualify(69.0) == []  # and then as rarely as any other
    assert len(registrar.due_for_qualify(70.0)) == 1


def test_whose_phones_came_went_or_fell_silent_is_told_once(registrar: Registrar) -> None:
    told: list[str] = []
    registrar.changed = told.append

    def heard() -> list[str]:
        found = told.copy()
        told.clear()
        return found

    registrar.load([binding("101", expires_at=100.0), binding("102")], 0.0)
    assert heard() == ["101", "102"]
    due = {each.aor: each for each in registrar.due_for_qualify(30.0)}
    registrar.qualified(due["102"], 5.0, 30.0)
    registrar.qualified(due["102"], None, 60.0)
    assert heard() == []
    registrar.qualified(due["102"], None, 70.0)
    registrar.qualified(due["102"], None, 100.0)
    assert heard() == ["102"]
    registrar.expire(101.0)
    assert heard() == ["101"]
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>", now=110.0), 110.0)
    assert heard() == ["101"]
    (bound,) = registrar.bindings("101", 110.0)
    registrar.flow_closed(bound.flow)
    assert heard() == ["101"]
    registrar.remove("101")
    assert heard() == ["101"]
    registrar.remove("101")
    assert heard() == []


def test_a_register_makes_a_phone_reachable_again(registrar: Registrar) -> None:
    registrar.load([binding(reachable=False)], 0.0)
    registrar.apply(register(registrar, "<sip:101@10.0.0.5>", now=40.0), 40.0)
    assert registrar.bindings("101", 40.0)[0].reachable


def test_an_outcome_that_never_came_does_not_end_the_asking(registrar: Registrar) -> None:
    registrar.load([binding()], 0.0)
    assert len(registrar.due_for_qualify(30.0)) == 1
    assert registrar.due_for_qualify(90.0) == []
    assert len(registrar.due_for_qualify(110.0)) == 1


def test_an_outcome_for_a_phone_that_left_is_ignored(registrar: Registrar) -> None:
    registrar.load([binding()], 0.0)
    (due,) = registrar.due_for_qualify(30.0)
    registrar.remove("101")
    assert registrar.qualified(due, 5.0, 31.0) is None
    assert registrar.due_for_qualify(999.0) == []
    assert registrar.next_qualify() is None


def test_a_closed_connection_makes_its_phones_unreachable(registrar: Registrar) -> None:
    stream = flow(transport="tcp")
    registrar.load([binding(flow=stream), binding("102")], 0.0)
    assert [b.aor for b in registrar.flow_closed(stream)] == ["101"]
    assert registrar.flow_closed(stream) == []
    assert [b.reachable for b in registrar.all(0.0)] == [False, True]
