"""Presence: whose phone can be rung, and who goes on where the server stopped."""

from __future__ import annotations

from dataclasses import dataclass, field

from pbx.acd.inputs import AnyInput, LoggedIn, PauseAsked, PhoneReachable, PhoneUnreachable
from pbx.acd.keeping import Duty
from pbx.acd.presence import NOT_REGISTERED, Presence, restore
from tests.kit.clock import VirtualClock


@dataclass
class Phone:
    reachable: bool = True


@dataclass
class Entry:
    contact: str | None = None


@dataclass
class Office:
    """Phones by number, extensions, and what the floor was told."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    phones: dict[str, list[Phone]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    told: list[AnyInput] = field(default_factory=list)

    def tell(self, event: AnyInput) -> None:
        self.told.append(event)

    def bindings(self, aor: str, now: float) -> list[Phone]:
        assert now == self.clock.monotonic()
        return self.phones.get(aor, [])

    def extension(self, number: str) -> Entry | None:
        return self.entries.get(number)

    def presence(self, *agents: str, timezone: str = "UTC") -> Presence:
        presence = Presence(self, self, self, timezone=lambda: timezone)
        presence.directory_changed(agents)
        return presence

    def heard(self) -> list[AnyInput]:
        """Return what was told since the last time."""
        told, self.told = self.told, []
        return told


def silent_at(office: Office, timezone: str) -> str:
    office.phones = {"102": [Phone(reachable=False)]}
    office.presence("102", timezone=timezone)
    (told,) = office.heard()
    assert isinstance(told, PhoneUnreachable)
    return told.cause


def test_all_agents_are_told_of_once() -> None:
    office = Office(phones={"101": [Phone()]}, entries={"103": Entry("sip:door@192.0.2.7")})
    presence = office.presence("101", "102", "103")
    assert office.heard() == [
        PhoneReachable("101"),
        PhoneUnreachable("102", NOT_REGISTERED),
        PhoneReachable("103"),
    ]
    presence.directory_changed(["101", "102", "103"])
    for number in ("101", "102", "103"):
        presence.changed(number)
    assert office.heard() == []


def test_a_phone_that_comes_and_goes_is_told_at_once() -> None:
    office = Office()
    presence = office.presence("102")
    office.heard()
    office.phones["102"] = [Phone()]
    presence.changed("102")
    assert office.heard() == [PhoneReachable("102")]
    del office.phones["102"]
    presence.changed("102")
    assert office.heard() == [PhoneUnreachable("102", NOT_REGISTERED)]


def test_one_phone_of_several_that_answers_is_enough() -> None:
    office = Office(phones={"102": [Phone(reachable=False), Phone()]})
    office.presence("102")
    assert office.heard() == [PhoneReachable("102")]


def test_a_silent_phone_is_told_with_the_time_on_the_offices_clock() -> None:
    assert silent_at(Office(), "UTC") == "phone does not answer since 08:00"
    assert silent_at(Office(), "Asia/Shanghai") == "phone does not answer since 16:00"


def test_the_time_of_silence_stays_whatever_is_told_again() -> None:
    office = Office(phones={"102": [Phone(reachable=False)]})
    presence = office.presence("102")
    office.heard()
    office.clock.advance(3600)
    presence.changed("102")
    assert office.heard() == []
    office.phones["102"] = [Phone()]
    presence.changed("102")
    office.phones["102"] = [Phone(reachable=False)]
    presence.changed("102")
    assert office.heard() == [
        PhoneReachable("102"),
        PhoneUnreachable("102", "phone does not answer since 09:00"),
    ]


def test_who_is_no_agent_is_of_no_interest() -> None:
    office = Office(phones={"101": [Phone()], "102": [Phone()]})
    presence = office.presence("101")
    office.heard()
    presence.changed("102")
    assert office.heard() == []
    presence.directory_changed(["102"])
    presence.changed("101")
    assert office.heard() == [PhoneReachable("102")]
    presence.directory_changed(["101", "102"])  # an agent again: the floor knows nothing of it
    assert office.heard() == [PhoneReachable("101")]


def duty(agent: str, office: Office, pause: str | None = None, **more: float) -> Duty:
    fields = {"since": office.clock.wall() - 60.0, **more}
    return Duty(agent=agent, logged_in=True, pause=pause, **fields)


def test_agents_go_on_where_the_server_stopped() -> None:
    office = Office()
    now = office.clock.wall()
    restore(
        office,
        [
            Duty(agent="101", logged_in=False, pause=None, since=now),
            duty("102", office),
            duty("103", office, "lunch"),
            duty("104", office, "lunch", until=now + 30.0),
            duty("105", office, "lunch", until=now - 1.0),
        ],
    )
    assert office.heard() == [
        LoggedIn("102"),
        *(LoggedIn("103"), PauseAsked("103", "lunch", None)),
        *(LoggedIn("104"), PauseAsked("104", "lunch", 30.0)),
        LoggedIn("105"),
    ]
