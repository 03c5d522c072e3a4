"""When a REGISTER is due, and what the answers mean for the next one."""

from __future__ import annotations

import pytest

from pbx.sip.account import MAX_ANSWERS
from pbx.sip.message import Response
from pbx.sip.register_client import EXPIRES, MAX_EXPIRES, RegisterClient

TOKEN = "00ff00ff"


def answer(status: int, *headers: tuple[str, str], cseq: int = 1) -> Response:
    response = Response(status)
    for name, value in (("CSeq", f"{cseq} REGISTER"), *headers):
        response.headers.add(name, value)
    return response


def contact(expires: int, user: str = TOKEN) -> tuple[str, str]:
    return ("Contact", f"<sip:{user}@192.0.2.1>;expires={expires}")


def due_in(client: RegisterClient, now: float, most: int = 100_000) -> int:
    """Return after how many whole seconds it is due."""
    return next(seconds for seconds in range(most) if client.due(now + seconds))


@pytest.fixture
def client() -> RegisterClient:
    return RegisterClient(TOKEN, "a-call-id")


def test_it_is_due_at_once_and_not_while_it_waits_for_the_answer(client: RegisterClient) -> None:
    assert client.due(0.0)
    asked = client.ask()
    assert (asked.expires, asked.same) == (EXPIRES, ("a-call-id", 1))
    assert not client.due(1_000.0)


@pytest.mark.parametrize(("token", "part"), [("00ff", 0.8), ("ff00", 0.9), ("80aa", 0.85)])
def test_it_is_refreshed_at_80_to_90_percent_by_its_token(token: str, part: float) -> None:
    client = RegisterClient(token, "id")
    client.ask()
    client.answered(answer(200, contact(1000, token)), 0.0)
    assert client.is_registered(999.0)
    assert not client.is_registered(1000.0)
    assert due_in(client, 0.0) == pytest.approx(part * 1000, abs=2)


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ((contact(60), contact(3600, "another")), 60),
        ((contact(3600, "another"), contact(60)), 60),
        ((("Expires", "90"),), 90),
        ((("Contact", f"<sip:{TOKEN}@192.0.2.1>"), ("Expires", "90")), 90),
        ((), EXPIRES),
        ((contact(10**9),), MAX_EXPIRES),
        ((("Contact", "nonsense <<"),), EXPIRES),
    ],
)
def test_the_time_granted_is_that_of_our_contact(
    client: RegisterClient, headers: tuple[tuple[str, str], ...], granted: int
) -> None:
    client.ask()
    client.answered(answer(200, *headers), 0.0)
    assert client.is_registered(granted - 1)
    assert not client.is_registered(granted)


def test_numbers_go_on_from_what_challenges_have_used(client: RegisterClient) -> None:
    client.ask()
    client.answered(answer(200, contact(600), cseq=3), 0.0)
    assert client.ask().same == ("a-call-id", 4)
    client.failed("timeout", 600.0)
    assert client.ask().same[1] > 4 + MAX_ANSWERS


def test_failures_wait_longer_and_longer(client: RegisterClient) -> None:
    now, waits = 0.0, []
    for _ in range(6):
        client.ask()
        client.answered(answer(403), now)
        waits.append(due_in(client, now))
        now += waits[-1]
    assert waits == [30, 60, 120, 240, 300, 300]
    assert (client.failing, client.error) == (True, "403 Forbidden")
    client.ask()
    client.answered(answer(200, contact(600)), now)
    assert (client.failing, client.error) == (False, None)


@pytest.mark.parametrize(
    ("slug", "error"), [("timeout", "no answer"), ("transport", "cannot be reached")]
)
def test_silence_is_a_failure(client: RegisterClient, slug: str, error: str) -> None:
    client.ask()
    client.failed(slug, 0.0)
    assert client.error == error
    assert due_in(client, 0.0) == 30


def test_the_carrier_may_ask_for_patience_but_not_for_ever(client: RegisterClient) -> None:
    client.ask()
    client.answered(answer(503, ("Retry-After", "120 (maintenance);duration=60")), 0.0)
    assert due_in(client, 0.0) == 120
    client.ask()
    client.answered(answer(503, ("Retry-After", "86400")), 0.0)
    assert due_in(client, 0.0) == 300


def test_too_brief_is_asked_again_at_once_and_remembered(client: RegisterClient) -> None:
    client.ask()
    client.answered(answer(423, ("Min-Expires", "1800")), 5.0)
    assert client.due(5.0)
    assert client.ask().expires == 1800
    assert not client.failing


@pytest.mark.parametrize("least", ["", "x", "600", "1"])
def test_too_brief_without_a_longer_time_is_a_failure(client: RegisterClient, least: str) -> None:
    client.ask()
    client.answered(answer(423, ("Min-Expires", least)), 0.0)
    assert client.failing
    assert not client.due(0.0)


def test_a_failed_refresh_leaves_the_binding_its_time(client: RegisterClient) -> None:
    client.ask()
    client.answered(answer(200, contact(600)), 0.0)
    client.ask()
    client.failed("timeout", 510.0)
    assert client.is_registered(599.0)
    assert due_in(client, 510.0) == 30


def test_it_is_tried_at_once_where_the_carrier_is_back(client: RegisterClient) -> None:
    client.ask()
    client.failed("timeout", 0.0)
    client.again(5.0)
    assert client.due(5.0)


def test_what_was_never_registered_is_not_taken_back(client: RegisterClient) -> None:
    assert client.ask_to_forget() is None
    assert not client.due(10_000.0)


def test_what_is_registered_is_taken_back_once(client: RegisterClient) -> None:
    client.ask()
    client.answered(answer(200, contact(600)), 0.0)
    asked = client.ask_to_forget()
    assert asked is not None
    assert asked.expires == 0
    client.answered(answer(200), 1.0)
    assert not client.is_registered(1.0)
    assert not client.due(10_000.0)
    assert client.ask_to_forget() is None


def test_a_name_without_an_address_is_a_failure(client: RegisterClient) -> None:
    client.unresolved(0.0)
    assert client.error == "its name has no address"
    assert due_in(client, 0.0) == 30
