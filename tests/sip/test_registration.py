"""What a REGISTER leads to, rule by rule (RFC 3261 §10.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pbx.sip.binding import Binding
from pbx.sip.flow import Flow
from pbx.sip.message import Request
from pbx.sip.registration import REORDERING, Limits, Registration, register

FLOW = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 40123))
LIMITS = Limits()
INSTANCE = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"'


def request(
    *contacts: str, cseq: int = 1, call_id: str = "c1", to: str = "sip:101@h", **headers: object
) -> Request:
    made = Request("REGISTER", "sip:h")
    made.headers.add("To", f"<{to}>")
    made.headers.add("Call-ID", call_id)
    made.headers.add("CSeq", f"{cseq} REGISTER")
    for contact in contacts:
        made.headers.add("Contact", contact)
    for name, value in headers.items():
        made.headers.add(name.replace("_", "-"), str(value))
    return made


def decide(
    made: Request, known: Sequence[Binding] = (), now: float = 0.0, limits: Limits = LIMITS
) -> Registration:
    return register(made, "101", FLOW, known, limits=limits, now=now)


def bound(*contacts: str, now: float = 0.0, cseq: int = 1, call_id: str = "c1") -> list[Binding]:
    made = decide(request(*contacts, cseq=cseq, call_id=call_id), now=now)
    assert made.status == 200
    return list(made.upserts)


def contacts(registration: Registration) -> list[str]:
    return [value for name, value in registration.headers if name == "Contact"]


def uris(bindings: Sequence[Binding]) -> list[str]:
    return [str(binding.contact) for binding in bindings]


def test_a_contact_becomes_a_binding_on_the_flow_it_came_by() -> None:
    made = decide(
        request("<sip:101@10.0.0.5:5062;ob>", cseq=7, Expires=300, User_Agent="Phone/1"), now=50.0
    )
    (binding,) = made.upserts
    assert made.status == 200
    assert made.removals == ()
    assert str(binding.contact) == "sip:101@10.0.0.5:5062;ob"
    assert binding.flow == FLOW
    assert (binding.aor, binding.call_id, binding.cseq) == ("101", "c1", 7)
    assert (binding.registered_at, binding.expires_at) == (50.0, 350.0)
    assert binding.user_agent == "Phone/1"
    assert binding.reachable
    assert made.headers == (("Contact", "<sip:101@10.0.0.5:5062;ob>;expires=300"),)


@pytest.mark.parametrize(
    ("parameter", "header", "granted"),
    [
        ("", None, 3600),
        ("", "600", 600),
        (";expires=120", "600", 120),
        (";expires=120", None, 120),
        (";expires=junk", "600", 600),
        ("", "junk", 3600),
        ("", "-5", 3600),
        (";expires=99999", None, 7200),
        ("", "4294967296000", 7200),
        (";expires=60", None, 60),
    ],
)
def test_the_contact_says_its_expiry_before_the_header(
    parameter: str, header: str | None, granted: int
) -> None:
    extra = {} if header is None else {"Expires": header}
    made = decide(request(f"<sip:101@10.0.0.5>{parameter}", **extra))
    assert contacts(made) == [f"<sip:101@10.0.0.5>;expires={granted}"]


def test_an_interval_too_brief_is_423_with_what_is_possible() -> None:
    made = decide(request("<sip:101@10.0.0.5>;expires=59"))
    assert made == Registration(423, (("Min-Expires", "60"),), slug="interval_too_brief")


def test_a_register_without_contact_asks_what_is_bound() -> None:
    known = bound("<sip:101@10.0.0.5>", "<sip:101@10.0.0.6>")
    made = decide(request(cseq=2), known, now=600.4)
    assert made.status == 200
    assert made.upserts == made.removals == ()
    assert contacts(made) == ["<sip:101@10.0.0.5>;expires=3000", "<sip:101@10.0.0.6>;expires=3000"]


def test_a_refresh_lists_the_other_phones_too() -> None:
    known = [*bound("<sip:101@10.0.0.6>", call_id="c2"), *bound("<sip:101@10.0.0.5>")]
    made = decide(request("<sip:101@10.0.0.5>", cseq=2), known, now=100.0)
    assert uris(made.upserts) == ["sip:101@10.0.0.5"]
    assert made.removals == ()
    assert contacts(made) == ["<sip:101@10.0.0.5>;expires=3600", "<sip:101@10.0.0.6>;expires=3500"]


def test_equivalent_uris_are_one_phone() -> None:
    known = bound("<sip:%31%301@Host.example;transport=TCP>")
    made = decide(request("<sip:101@host.EXAMPLE;Transport=tcp>", cseq=2), known)
    assert uris(made.upserts) == ["sip:101@host.EXAMPLE;Transport=tcp"]
    assert uris(made.removals) == ["sip:%31%301@Host.example;transport=TCP"]


def test_escaped_nul_keeps_two_contacts_apart() -> None:
    made = decide(request("<sip:a@10.0.0.5>", "<sip:a%00@10.0.0.5>"))
    assert uris(made.upserts) == ["sip:a@10.0.0.5", "sip:a%00@10.0.0.5"]


def test_parameters_outside_the_brackets_are_not_part_of_the_uri() -> None:
    made = decide(request("sip:+19725552222@gw1.example.net;unknownparam"))
    assert uris(made.upserts) == ["sip:+19725552222@gw1.example.net"]
    made = decide(request("<sip:+19725552222@gw1.example.net;unknownparam>"))
    assert uris(made.upserts) == ["sip:+19725552222@gw1.example.net;unknownparam"]


def test_expires_0_removes_the_named_phone_alone() -> None:
    known = bound("<sip:101@10.0.0.5>", "<sip:101@10.0.0.6>")
    made = decide(request("<sip:101@10.0.0.5>;expires=0", cseq=2), known)
    assert uris(made.removals) == ["sip:101@10.0.0.5"]
    assert made.upserts == ()
    assert contacts(made) == ["<sip:101@10.0.0.6>;expires=3600"]


def test_removing_what_is_not_there_is_fine() -> None:
    assert decide(request("<sip:101@10.0.0.5>", Expires=0)) == Registration(200)


def test_a_phone_may_move_in_one_request() -> None:
    known = bound("<sip:101@10.0.0.5>")
    made = decide(
        request("<sip:101@10.0.0.5>;expires=0", "<sip:101@10.9.9.9>;expires=90", cseq=2), known
    )
    assert uris(made.removals) == ["sip:101@10.0.0.5"]
    assert contacts(made) == ["<sip:101@10.9.9.9>;expires=90"]


def test_the_wildcard_removes_all() -> None:
    known = bound("<sip:101@10.0.0.5>", "<sip:101@10.0.0.6>")
    made = decide(request("*", cseq=2, Expires=0), known)
    assert made == Registration(200, removals=tuple(known))


@pytest.mark.parametrize(
    "made",
    [
        request("*"),
        request("*", Expires=1),
        request("*", Expires="0x0"),
        request("*", "<sip:101@10.0.0.5>", Expires=0),
        request("<sip:101@10.0.0.5>, *", Expires=0),
        request("sip:a@10.0.0.5?Route=%3Csip:x%3E"),
        request("<tel:101>"),
        request("<sip:101@10.0.0.5"),
        request("<sip:101@10.0.0.5>", to="isbn:2983792873"),
        request("<sip:101@10.0.0.5>", Path="not a path"),
    ],
)
def test_nonsense_is_400_and_changes_nothing(made: Request) -> None:
    answer = decide(made, bound("<sip:101@10.0.0.5>", call_id="c0"))
    assert answer.status == 400
    assert answer.slug
    assert answer.upserts == answer.removals == answer.headers == ()


@pytest.mark.parametrize("cseq", [6, 7])
@pytest.mark.parametrize("contact", ["<sip:101@10.0.0.5>", "<sip:101@10.0.0.5>;expires=0", "*"])
def test_an_overtaken_register_changes_nothing(cseq: int, contact: str) -> None:
    known = bound("<sip:101@10.0.0.5>", cseq=7)
    extra = {"Expires": 0} if contact == "*" else {}
    late = decide(request(contact, cseq=cseq, **extra), known, now=1.0)
    assert late == Registration(500, slug="out_of_order")


def test_a_smaller_cseq_of_another_call_id_is_no_overtaking() -> None:
    known = bound("<sip:101@10.0.0.5>", cseq=7)
    made = decide(request("<sip:101@10.0.0.5>", cseq=1, call_id="c2"), known, now=1.0)
    assert made.status == 200
    assert made.upserts[0].call_id == "c2"


def test_a_phone_that_starts_anew_with_its_old_call_id_is_let_in() -> None:
    known = bound("<sip:101@10.0.0.5>", cseq=7)
    made = decide(request("<sip:101@10.0.0.5>", cseq=1), known, now=REORDERING)
    assert made.status == 200


def test_the_same_instance_replaces_its_old_binding() -> None:
    known = bound(f"<sip:101@10.0.0.5:40000;transport=tcp>{INSTANCE}", "<sip:101@10.0.0.6>")
    made = decide(request(f"<sip:101@10.0.0.5:40777;transport=tcp>{INSTANCE}", call_id="c2"), known)
    assert uris(made.removals) == ["sip:101@10.0.0.5:40000;transport=tcp"]
    assert contacts(made) == [
        f"<sip:101@10.0.0.5:40777;transport=tcp>;expires=3600{INSTANCE}",
        "<sip:101@10.0.0.6>;expires=3600",
    ]


def test_one_phone_may_name_two_contacts_at_once() -> None:
    made = decide(request(f"<sip:101@10.0.0.5>{INSTANCE}", f"<sip:101@[2001:db8::5]>{INSTANCE}"))
    assert len(made.upserts) == 2


def test_the_phone_that_registered_longest_ago_makes_room() -> None:
    known = [
        binding
        for at in (40.0, 30.0, 20.0, 10.0, 0.0)
        for binding in bound(f"<sip:101@10.0.0.{at:.0f}>", now=at, call_id=f"k{at}")
    ]
    made = decide(request("<sip:101@10.9.9.9>", call_id="new"), known, now=50.0)
    assert uris(made.removals) == ["sip:101@10.0.0.0"]
    assert len(contacts(made)) == 5


def test_a_refresh_of_the_oldest_phone_removes_nobody() -> None:
    known = [
        binding
        for at in (40.0, 30.0, 20.0, 10.0, 0.0)
        for binding in bound(f"<sip:101@10.0.0.{at:.0f}>", now=at, call_id=f"k{at}")
    ]
    made = decide(request("<sip:101@10.0.0.0>", call_id="k0.0", cseq=2), known, now=50.0)
    assert made.removals == ()
    assert len(contacts(made)) == 5


def test_more_contacts_at_once_than_a_number_may_have_are_refused() -> None:
    made = decide(request(*(f"<sip:101@10.0.0.{host}>" for host in range(6))))
    assert made == Registration(403, slug="too_many_contacts")


def test_path_is_kept_and_returned() -> None:
    made = decide(request("<sip:101@10.0.0.5>", Path="<sip:p1.example;lr>, <sip:p2.example;lr>"))
    (binding,) = made.upserts
    assert [str(hop) for hop in binding.path] == ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    assert made.headers[1:] == (
        ("Path", "<sip:p1.example;lr>"),
        ("Path", "<sip:p2.example;lr>"),
    )


def test_what_is_stored_can_be_written_as_text() -> None:
    call_id = b"caf\xe9".decode("utf-8", "surrogateescape")
    made = decide(request("<sip:101@10.0.0.5>", call_id=call_id, User_Agent="x\x1b" + "y" * 999))
    (binding,) = made.upserts
    assert binding.call_id.encode()
    assert binding.user_agent is not None
    assert binding.user_agent.isprintable()
    assert len(binding.user_agent) == 200
    again = decide(request("<sip:101@10.0.0.5>", call_id=call_id), [binding], now=1.0)
    assert again.slug == "out_of_order"


def test_limits_are_the_offices_choice() -> None:
    limits = replace(LIMITS, max_contacts=1, max_expires=100, min_expires=10)
    known = bound("<sip:101@10.0.0.5>")
    made = decide(request("<sip:101@10.0.0.6>", call_id="c2"), known, limits=limits)
    assert uris(made.removals) == ["sip:101@10.0.0.5"]
    assert contacts(made) == ["<sip:101@10.0.0.6>;expires=100"]
