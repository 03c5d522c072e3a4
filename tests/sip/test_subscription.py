"""A subscription from its SUBSCRIBE to its last NOTIFY, as the subscriber sees it (RFC 6665)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.sip.events import RequestReceived, SubscriptionEnded, SubscriptionId
from pbx.sip.flow import Flow
from pbx.sip.message import Request, Response
from pbx.sip.subscription import GONE, Package
from tests.kit.wire import Party, Wire, kind_of

PHONE = Flow("udp", ("192.0.2.2", 5060), ("192.0.2.77", 5060))
PACKAGE = Package("message-summary", "application/simple-message-summary")
BODY = b"Messages-Waiting: no\r\n"
Fields = tuple[str, str]


class Subscriber:
    """A phone that subscribes at bob's, and answers each NOTIFY with `answers`, 0 for silence."""

    def __init__(self, wire: Wire, bob: Party) -> None:
        self.wire = wire
        self.bob = bob
        self.flow = PHONE
        self.answers = 200
        self.tag = ""
        self.cseq = 0
        self.ids: list[SubscriptionId | None] = []
        self._seen = 0
        bob.on(RequestReceived, self._accept)

    def _accept(self, event: RequestReceived) -> None:
        made = self.bob.ua.accept_subscription(
            event.transaction, PACKAGE, body=BODY, now=self.wire.now
        )
        self.ids.append(made)

    def ask(
        self, *fields: Fields, expires: int | None = 600, method: str = "SUBSCRIBE"
    ) -> Response:
        """Send a request, in the dialog where there is one; return its answer."""
        self.cseq += 1
        tag = f";tag={self.tag}" if self.tag else ""
        request = Request(
            method,
            "sip:101@192.0.2.2",
            [
                ("Via", f"SIP/2.0/UDP 192.0.2.77:5060;rport;branch=z9hG4bK{self.cseq}x"),
                ("From", "<sip:101@example.com>;tag=phone"),
                ("To", f"<sip:101@example.com>{tag}"),
                ("Call-ID", "lamp"),
                ("CSeq", f"{self.cseq} {method}"),
                ("Contact", "<sip:101@10.9.9.9:7777>"),
                ("Event", "message-summary"),
                ("Max-Forwards", "70"),
            ],
        )
        if expires is not None:
            request.headers.set("Expires", str(expires))
        for name, value in fields:
            request.headers.remove(name)
            if value != "-":
                request.headers.add(name, value)
        self.bob.ua.receive(bytes(request), self.flow, self.wire.now)
        self.wire.run(0.01)
        answers = (s.message for s in self.wire.log if s.kind.endswith(f" {method}"))
        answer = next(each for each in answers if each.cseq.number == self.cseq)
        assert isinstance(answer, Response)
        if answer.status == 200:
            self.tag = answer.to_tag or ""
        return answer

    def told(self) -> list[Request]:
        """Answer the NOTIFYs that came since the last time, and those that follow; return all."""
        came: list[Request] = []
        while fresh := [s for s in self.wire.log[self._seen :] if s.kind == "NOTIFY"]:
            self._seen = len(self.wire.log)
            for sent in fresh:
                notify = sent.message
                assert isinstance(notify, Request)
                came.append(notify)
                if self.answers:
                    answer = Response.answering(notify, self.answers)
                    self.bob.ua.receive(bytes(answer), self.flow, self.wire.now)
            self.wire.run(0.01)
        return came

    def states(self) -> list[str]:
        """Return the Subscription-State of the NOTIFYs that came since the last time."""
        return [each.headers.get("Subscription-State") or "" for each in self.told()]

    def endings(self) -> list[tuple[str, int]]:
        """Return how subscriptions ended, as bob was told."""
        return [(each.slug, each.status) for each in self.bob.told(SubscriptionEnded)]


@pytest.fixture
def phone(wire: Wire, bob: Party) -> Subscriber:
    return Subscriber(wire, bob)


def is_idle(phone: Subscriber) -> bool:
    """Tell whether nothing is left once all transactions have had their time."""
    phone.wire.run(40)
    return phone.bob.is_idle and phone.bob.ua.snapshot()["subscriptions"] == 0


def test_a_subscription_is_granted_and_told_the_state_at_once(phone: Subscriber) -> None:
    answer = phone.ask()
    assert (answer.status, answer.expires) == (200, 600)
    assert answer.to_tag
    assert str(answer.contacts[0].uri) == "sip:101@192.0.2.2:5060"
    (notify,) = phone.told()
    assert notify.headers.get("Subscription-State") == "active;expires=600"
    assert notify.headers.get("Event") == "message-summary"
    assert notify.headers.get("Content-Type") == "application/simple-message-summary"
    assert notify.body == BODY
    assert notify.call_id == "lamp"
    assert (notify.from_tag, notify.to_tag) == (phone.tag, "phone")
    assert notify.uri_text == "sip:101@10.9.9.9:7777"
    assert notify.contacts


def test_a_notify_goes_where_the_subscribe_came_from(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    assert {sent.target for sent in wire.log if sent.kind == "NOTIFY"} == {PHONE.remote}
    phone.told()
    phone.flow = replace_remote(PHONE, 5061)
    phone.ask()
    assert [sent.target[1] for sent in wire.log if sent.kind == "NOTIFY"] == [5060, 5061]


def replace_remote(flow: Flow, port: int) -> Flow:
    """Return the flow from another port, as a NAT gives one."""
    return flow._replace(remote=(flow.remote[0], port))


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, 3600), (60, 60), (99_999, 7200), (4_294_967_296, 7200)]
)
def test_how_long_a_subscription_lives(phone: Subscriber, asked: int | None, granted: int) -> None:
    assert phone.ask(expires=asked).expires == granted
    assert phone.states() == [f"active;expires={granted}"]


@pytest.mark.parametrize(
    ("field", "status", "says"),
    [
        (("Event", "dialog"), 489, ("Allow-Events", "message-summary")),
        (("Event", "-"), 489, ("Allow-Events", "message-summary")),
        (("Event", "message-summary.x"), 489, ("Allow-Events", "message-summary")),
        (("Accept", "text/plain"), 406, ("Accept", "application/simple-message-summary")),
        (("Accept", "no type"), 400, ("Accept", None)),
        (("Expires", "59"), 423, ("Min-Expires", "60")),
        (("Contact", "-"), 400, ("Contact", None)),
        (("Contact", "<tel:101>"), 400, ("Contact", None)),
    ],
)
def test_what_is_refused_and_what_would_do(
    phone: Subscriber, field: Fields, status: int, says: tuple[str, str | None]
) -> None:
    answer = phone.ask(field)
    assert (answer.status, answer.headers.get(says[0])) == (status, says[1])
    assert phone.ids == [None]
    assert phone.told() == []
    assert is_idle(phone)


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/simple-message-summary"])
def test_any_accept_that_covers_the_body_will_do(phone: Subscriber, accept: str) -> None:
    assert phone.ask(("Accept", accept)).status == 200


@pytest.mark.parametrize(
    ("event", "echoed"),
    [
        ("Message-Summary;id=7", "message-summary;id=7"),
        ('message-summary;id="a b"', "message-summary"),
        ("message-summary;;=", "message-summary"),
    ],
)
def test_the_phones_id_for_the_event_comes_back(phone: Subscriber, event: str, echoed: str) -> None:
    phone.ask(("Event", event))
    (notify,) = phone.told()
    assert notify.headers.get("Event") == echoed


def test_a_refresh_lengthens_it_and_tells_the_state_anew(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    phone.told()
    wire.run(500)
    answer = phone.ask(expires=300)
    assert (answer.status, answer.expires) == (200, 300)
    assert phone.states() == ["active;expires=300"]
    wire.run(200)
    assert phone.states() == []
    assert len(phone.ids) == 1
    wire.run(100.2)
    assert phone.states() == ["terminated;reason=timeout"]


@pytest.mark.parametrize(
    ("field", "status"),
    [(("Expires", "10"), 423), (("Event", "dialog"), 489), (("Accept", "text/plain"), 406)],
)
def test_a_refused_refresh_changes_nothing(phone: Subscriber, field: Fields, status: int) -> None:
    phone.ask()
    phone.told()
    tag = phone.tag
    assert phone.ask(field).status == status
    assert phone.told() == []
    assert phone.endings() == []
    phone.tag = tag
    assert phone.ask().status == 200


def test_expires_0_ends_it_with_a_last_notify(phone: Subscriber) -> None:
    phone.ask()
    phone.told()
    assert phone.ask(expires=0).expires == 0
    (last,) = phone.told()
    assert last.headers.get("Subscription-State") == "terminated;reason=timeout"
    assert last.body == BODY
    assert phone.endings() == [("unsubscribed", 0)]
    assert phone.ask().status == 481
    assert is_idle(phone)


def test_a_single_question_is_answered_and_leaves_nothing(phone: Subscriber) -> None:
    assert phone.ask(expires=0).status == 200
    (only,) = phone.told()
    assert only.headers.get("Subscription-State") == "terminated;reason=timeout"
    assert phone.endings() == [("unsubscribed", 0)]
    assert is_idle(phone)


def test_what_is_not_refreshed_ends(phone: Subscriber, wire: Wire) -> None:
    phone.ask(expires=60)
    phone.told()
    wire.run(59)
    assert phone.states() == []
    wire.run(1.2)
    assert phone.states() == ["terminated;reason=timeout"]
    assert phone.endings() == [("expired", 0)]
    assert is_idle(phone)


def test_a_change_is_told(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    phone.told()
    wire.run(100)
    (subscription,) = phone.ids
    assert subscription is not None
    phone.bob.ua.notify(subscription, b"1", now=wire.now)
    wire.run(0.01)
    (notify,) = phone.told()
    assert notify.body == b"1"
    assert notify.headers.get("Subscription-State") == "active;expires=500"


def test_changes_during_a_notify_become_one(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    (subscription,) = phone.ids
    assert subscription is not None
    for body in (b"1", b"2", b"3"):
        phone.bob.ua.notify(subscription, body, now=wire.now)
    wire.run(0.3)
    assert [notify.body for notify in phone.told()] == [BODY, b"3"]


def test_an_end_during_a_notify_waits_for_it(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    phone.ask(expires=0)
    assert phone.states() == ["active;expires=600", "terminated;reason=timeout"]
    assert is_idle(phone)


@pytest.mark.parametrize("status", sorted(GONE))
def test_a_phone_that_knows_nothing_of_it_ends_it(phone: Subscriber, status: int) -> None:
    phone.answers = status
    phone.ask()
    phone.told()
    assert phone.endings() == [("dialog_gone", status)]
    assert is_idle(phone)


@pytest.mark.parametrize("status", [400, 401, 486, 500, 503])
def test_a_notify_that_only_fails_ends_nothing(phone: Subscriber, wire: Wire, status: int) -> None:
    phone.answers = status
    phone.ask()
    phone.told()
    assert phone.endings() == []
    phone.answers = 200
    phone.ask()
    assert len(phone.told()) == 1


def test_silence_ends_it(phone: Subscriber, wire: Wire) -> None:
    phone.answers = 0
    phone.ask()
    wire.run(33)
    assert phone.endings() == [("dialog_gone", 408)]
    assert is_idle(phone)


def test_a_closed_connection_ends_it(wire: Wire, bob: Party) -> None:
    phone = Subscriber(wire, bob)
    phone.flow = PHONE._replace(transport="tcp")
    bob.ua.flow_opened(phone.flow, wire.now)
    phone.ask()
    bob.ua.flow_closed(phone.flow, wire.now)
    wire.run(1)
    assert [slug for slug, _ in phone.endings()] == ["transport"]
    assert is_idle(phone)


def test_we_may_end_it_ourselves(phone: Subscriber, wire: Wire) -> None:
    phone.ask()
    phone.told()
    (subscription,) = phone.ids
    assert subscription is not None
    phone.bob.ua.end_subscription(subscription, now=wire.now)
    phone.bob.ua.end_subscription(subscription, now=wire.now)
    phone.bob.ua.notify(subscription, b"late", now=wire.now)
    wire.run(0.01)
    assert phone.states() == ["terminated;reason=noresource"]
    assert phone.endings() == []
    assert is_idle(phone)
    phone.bob.ua.end_subscription(subscription, now=wire.now)
    phone.bob.ua.notify(subscription, b"late", now=wire.now)


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("NOTIFY", 405), ("REFER", 481), ("BYE", 481), ("INVITE", 481)],
)
def test_other_requests_within_it(phone: Subscriber, method: str, status: int) -> None:
    phone.ask()
    phone.told()
    tag = phone.tag
    assert phone.ask(method=method).status == status
    phone.tag = tag
    assert phone.ask().status == 200


def test_an_overtaken_refresh_is_refused(phone: Subscriber) -> None:
    phone.ask()
    phone.told()
    phone.cseq = -1
    assert phone.ask().status == 500


def test_a_tag_of_another_call_is_481(phone: Subscriber) -> None:
    phone.ask()
    assert phone.ask(("Call-ID", "other")).status == 481
    phone.tag = "nobody"
    assert phone.ask().status == 481


def test_a_repeated_subscribe_is_answered_alike_and_told_once(
    phone: Subscriber, wire: Wire, bob: Party
) -> None:
    phone.ask()
    phone.tag = ""
    phone.cseq -= 1
    phone.ask()
    answers = wire.sent(bob, "200 SUBSCRIBE")
    assert answers[0].octets == answers[1].octets
    assert len(phone.told()) == 1
    assert len(phone.ids) == 1


def test_its_route_is_that_of_the_subscribe(phone: Subscriber, wire: Wire, bob: Party) -> None:
    answer = phone.ask(("Record-Route", "<sip:proxy.example;lr>"))
    assert answer.headers.get("Record-Route") == "<sip:proxy.example;lr>"
    (notify,) = phone.told()
    assert [str(route) for route in notify.routes] == ["<sip:proxy.example;lr>"]


def test_what_can_be_subscribed_to_is_said_to_who_asks(phone: Subscriber) -> None:
    answer = phone.ask(method="OPTIONS")
    assert answer.headers.get("Allow-Events") == "message-summary"
    assert "SUBSCRIBE" in answer.allow
    assert "NOTIFY" not in answer.allow


def test_an_answered_subscribe_cannot_be_taken_again(phone: Subscriber) -> None:
    phone.ask()
    event = phone.bob.last(RequestReceived)
    again = phone.bob.ua.accept_subscription(
        event.transaction, replace(PACKAGE), body=BODY, now=phone.wire.now
    )
    assert again is None
    assert kind_of(phone.wire.log[-1].octets) == "NOTIFY"
