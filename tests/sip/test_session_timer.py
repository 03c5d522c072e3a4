"""Session timers: the negotiation of RFC 4028 as tables, then refreshes and expiry on the wire."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.events import (
    InviteEnded,
    InviteReceived,
    ReinviteAnswered,
    ReinviteFailed,
    ReinviteReceived,
)
from pbx.sip.message import Request, Response
from pbx.sip.session_timer import (
    SessionExpires,
    SessionInterval,
    SessionTimer,
    grant,
    granted,
    is_too_small,
)
from pbx.sip.settings import AgentSettings
from tests.kit.dialogs import talk
from tests.kit.wire import Party, Wire


def asking(**fields: str) -> Request:
    return Request(
        "INVITE",
        "sip:bob@example.com",
        [(name.replace("_", "-"), value) for name, value in fields.items()],
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1800", SessionExpires(1800)),
        ("1800;refresher=uac", SessionExpires(1800, "uac")),
        ("90 ;refresher=UAS", SessionExpires(90, "uas")),
        ("90;refresher=me", SessionExpires(90)),
        ("99999999999", SessionExpires(2**32 - 1)),
    ],
)
def test_session_expires_is_read(text: str, value: SessionExpires) -> None:
    assert SessionExpires.parse(text) == value


@pytest.mark.parametrize("text", ["", "soon", "-5", "1800;refresher=uac;refresher=uas"])
def test_session_expires_that_is_none_is_400(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        SessionExpires.parse(text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("fields", "ours", "said"),
    [
        # RFC 4028 §9, Table 2: who supports timers, whom the request names, who refreshes.
        ({}, None, None),
        ({"Session_Expires": "600"}, True, "600;refresher=uas"),
        ({"Supported": "timer"}, False, "1800;refresher=uac"),
        ({"Supported": "timer", "Session_Expires": "600"}, False, "600;refresher=uac"),
        (
            {"Supported": "timer", "Session_Expires": "600;refresher=uac"},
            False,
            "600;refresher=uac",
        ),
        (
            {"Supported": "timer", "Session_Expires": "600;refresher=uas"},
            True,
            "600;refresher=uas",
        ),
        ({"Supported": "timer", "Session_Expires": "7200"}, False, "1800;refresher=uac"),
        (
            {"Supported": "timer", "Session_Expires": "7200", "Min_SE": "3600"},
            False,
            "3600;refresher=uac",
        ),
        ({"Session_Expires": "30"}, True, "90;refresher=uas"),
    ],
)
def test_the_phone_refreshes_if_it_can(
    fields: dict[str, str], ours: bool | None, said: str | None
) -> None:
    interval, headers = grant(asking(**fields), seconds=1800, min_se=90)
    assert (interval.ours if interval else None) == ours
    assert dict(headers).get("Session-Expires") == said
    assert ("Require" in dict(headers)) == (said is not None and said.endswith("uac"))


@pytest.mark.parametrize(
    ("fields", "too_small"),
    [
        ({"Supported": "timer", "Session_Expires": "89"}, True),
        ({"Supported": "timer", "Session_Expires": "90"}, False),
        ({"Session_Expires": "30"}, False),  # could not act on a 422
        ({"Supported": "timer"}, False),
    ],
)
def test_too_short_an_interval_is_refused(fields: dict[str, str], *, too_small: bool) -> None:
    assert is_too_small(asking(**fields), 90) is too_small


@pytest.mark.parametrize(
    ("header", "interval"),
    [
        (None, None),
        ("1800;refresher=uac", SessionInterval(1800, ours=True)),
        ("1800;refresher=uas", SessionInterval(1800, ours=False)),
        ("1800", SessionInterval(1800, ours=True)),
        ("10;refresher=uas", SessionInterval(90, ours=False)),
    ],
)
def test_what_a_200_grants(header: str | None, interval: SessionInterval | None) -> None:
    response = Response(200, None, [("Session-Expires", header)] if header else [])
    assert granted(response) == interval


@pytest.mark.parametrize(
    ("seconds", "refresh", "expires"), [(1800, 900, 1768), (90, 45, 60), (96, 48, 64)]
)
def test_refresh_at_half_and_bye_before_the_end(
    seconds: int, refresh: float, expires: float
) -> None:
    interval = SessionInterval(seconds, ours=True)
    assert (interval.refresh_after, interval.expires_after) == (refresh, expires)


def test_roles_are_kept_when_we_ask_again() -> None:
    timer = SessionTimer(1800, 90)
    assert timer.ask() == ()
    assert dict(timer.ask_first())["Session-Expires"] == "1800;refresher=uas"
    timer.granted(Response(200, None, [("Session-Expires", "600;refresher=uas")]), 0)
    assert dict(timer.ask())["Session-Expires"] == "600;refresher=uas"
    timer.longer(1000)
    assert dict(timer.ask()) == {"Session-Expires": "1800;refresher=uas", "Min-SE": "1000"}


# On the wire.

SHORT = AgentSettings(session_expires=120, min_se=90)


def keep_up(*parties: Party) -> None:
    for party in parties:
        party.answer_offers()
        party.on(ReinviteAnswered, lambda event, party=party: party.ack(event.invite))


def test_the_called_phone_refreshes_with_update_at_half_the_interval(wire: Wire) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    bob = wire.party("bob", "192.0.2.2", settings=SHORT)
    talk(alice, bob)
    keep_up(alice, bob)
    wire.run(300)
    refreshes = wire.times(bob, "UPDATE")
    assert [round(at) for at in refreshes] == [60, 120, 180, 240, 300]
    assert "UPDATE" not in alice.kinds
    assert not alice.told(InviteEnded)
    assert alice.told(ReinviteReceived)
    update = wire.sent(bob, "UPDATE")[0].message
    assert update.headers.get("Session-Expires") == "120;refresher=uac"
    assert not update.body


def test_a_phone_without_update_is_refreshed_by_the_last_description(wire: Wire) -> None:
    deaf = AgentSettings(session_expires=120, allow=("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"))
    alice = wire.party("alice", "192.0.2.1", settings=deaf)
    bob = wire.party("bob", "192.0.2.2", settings=SHORT)
    talk(alice, bob)
    keep_up(alice, bob)
    wire.run(130)
    assert [round(at) for at in wire.times(bob, "INVITE")] == [60, 120]
    bodies = {sent.message.body for sent in wire.sent(bob, "INVITE")}
    assert bodies == {wire.sent(bob, "200 INVITE")[0].message.body}
    assert not bob.told(ReinviteAnswered)  # nobody asked for it
    assert len(wire.times(bob, "ACK")) == 2


def test_a_session_that_nobody_refreshes_ends_before_its_interval(wire: Wire, bob: Party) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    talk(alice, bob)
    bob.forget_all()
    wire.impairment.drop = lambda sent: sent.source == "bob"
    wire.run(100)
    assert alice.last(InviteEnded).slug == "session_expired"
    assert round(wire.times(alice, "BYE")[0], 1) == 88.0


def test_a_refresh_that_finds_no_dialog_ends_the_call(wire: Wire) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    bob = wire.party("bob", "192.0.2.2", settings=SHORT)
    talk(alice, bob)
    alice.forget_all()
    wire.run(61)
    assert (bob.last(InviteEnded).slug, bob.last(InviteEnded).status) == ("dialog_gone", 481)


def test_a_refresh_that_fails_otherwise_is_tried_again(wire: Wire) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    bob = wire.party("bob", "192.0.2.2", settings=SHORT)
    talk(alice, bob)
    alice.on(
        ReinviteReceived,
        lambda event: alice.respond(event.transaction, 500 if wire.now < 65 else 200),
    )
    wire.run(100)
    assert [round(at) for at in wire.times(bob, "UPDATE")] == [60, 70]
    assert not bob.told(InviteEnded)


def test_a_reinvite_refreshes_as_well(wire: Wire) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    bob = wire.party("bob", "192.0.2.2", settings=SHORT)
    call = talk(alice, bob)
    keep_up(alice, bob)
    wire.run(50)
    alice.reinvite(call.caller)
    wire.run(55)
    assert wire.sent(alice, "INVITE")[-1].message.headers.get(
        "Session-Expires",
    ) == ("120;refresher=uas")
    assert "UPDATE" not in bob.kinds
    wire.run(6)
    assert [round(at) for at in wire.times(bob, "UPDATE")] == [110]


def test_422_is_answered_with_a_longer_interval(wire: Wire) -> None:
    alice = wire.party("alice", "192.0.2.1", settings=SHORT)
    patient = AgentSettings(session_expires=1800, min_se=600)
    bob = wire.party("bob", "192.0.2.2", settings=patient)
    talk_after_422 = alice.invite(bob)
    wire.run(0.2)
    assert bob.kinds == ["422 INVITE", "100 INVITE"]
    first, second = (sent.message for sent in wire.sent(alice, "INVITE"))
    assert second.headers.get("Session-Expires") == "600;refresher=uas"
    assert second.headers.get("Min-SE") == "600"
    assert second.call_id == first.call_id
    assert second.from_tag == first.from_tag
    assert second.cseq.number == first.cseq.number + 1
    assert bob.last(InviteReceived).request.cseq.number == 2
    alice.end(talk_after_422)
    wire.run(40)
    assert alice.is_idle


def test_422_without_end_fails_the_call(wire: Wire, alice: Party, bob: Party) -> None:
    bob.on(
        InviteReceived,
        lambda event: bob.respond(event.transaction, 422, headers=(("Min-SE", "4000"),)),
    )
    alice.invite(bob)
    wire.run(0.1)
    assert len(wire.times(alice, "INVITE")) == 3


def test_no_session_timer_without_a_phone_that_knows_it(wire: Wire, alice: Party) -> None:
    bob = wire.party("bob", "192.0.2.2", settings=AgentSettings(supported=()))
    call = talk(bob, alice)
    alice.end(call.callee)
    answer = wire.sent(alice, "200 INVITE")[0].message
    invite = wire.sent(bob, "INVITE")[0].message
    assert invite.headers.get("Session-Expires")  # our own bob asks all the same, as a proxy may
    assert answer.headers.get("Session-Expires") == "1800;refresher=uas"
    assert not alice.told(ReinviteFailed)
