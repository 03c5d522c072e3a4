"""A whole exchange in memory: the real calls and SIP core, a fake media engine, scripted phones.

    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        ...
    flow(scenario)        # runs it in virtual time; afterwards nothing may be left over

What happened is in `house.events`, one folded record per call in `house.records`; when a scenario
fails, the ladder of everything that passed is part of the error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from pbx.acd import inputs
from pbx.acd.callback import CallbackKind
from pbx.acd.callback_life import Means
from pbx.acd.callbacks import Callbacks
from pbx.acd.engine import Engine
from pbx.acd.floor import Floor
from pbx.acd.model import Profile
from pbx.acd.places import Places
from pbx.acd.queue import Queues
from pbx.call.admission import Admission
from pbx.call.exchange import Exchange
from pbx.call.lines import Lines
from pbx.call.out_of_call import OutOfCall
from pbx.call.recording import Recordings
from pbx.call.settings import CallSettings
from pbx.call.standard import standard_destinations, standard_features
from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold
from pbx.cdr.open_call import OpenCall
from pbx.cdr.record import CallRecord
from pbx.events import (
    AgentStateChanged,
    AnyEvent,
    CallbackEnded,
    CallerMoved,
    Event,
    OfferDecided,
    PastCall,
    RecordingEvent,
    WrapUpEnded,
)
from pbx.events.bus import Bus, Stamped
from pbx.ivr.live import Ivr
from pbx.ivr.world import Answer, Letter, Nothing
from pbx.media.formats import Capabilities
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup, Plan
from pbx.sip.auth import DigestAuthenticator
from pbx.sip.digest import make_ha1
from pbx.sip.flow import Address, Flow
from pbx.sip.guard import Guard
from pbx.sip.headers import Uri
from pbx.sip.registrar import Binding, Registrar
from pbx.sip.settings import AgentSettings
from pbx.sip.user_agent import UserAgent
from tests.kit.clock import VirtualClock
from tests.kit.keeping import Memory
from tests.kit.loop import run
from tests.kit.media import FakeMediaEngine
from tests.kit.network import Network, Node
from tests.kit.softphone import Softphone, Tokens

AROUND = (AgentStateChanged, OfferDecided, CallerMoved, WrapUpEnded, CallbackEnded)
"""Events that may name a call that is over, or is not made yet."""

EXCHANGE: Address = ("192.0.2.1", 5060)
REALM = "callpbx"


@dataclass
class Extension:
    """A row of the directory."""

    number: str
    name: str | None
    ha1_md5: str
    ha1_sha256: str
    no_answer_s: float = 20.0
    contact: str | None = None
    voicemail: bool = True
    srtp: str = "optional"
    caller_id: str | None = None


@dataclass(frozen=True)
class Trunk:
    """A line to a carrier, known by its address, and by its token where it registers."""

    name: str
    host: str
    max_calls: int | None = None
    srtp: str = "optional"
    username: str | None = None
    password: str | None = None
    register: bool = False
    numbers: tuple[str, ...] = ()
    per_minute: int | None = None

    @property
    def server(self) -> str:
        """Return the carrier's URI."""
        return f"sip:{self.host}"

    @property
    def token(self) -> str:
        """Return the user part of our Contact: hexadecimal, one for each line."""
        return f"7a0c{self.name.encode().hex()}"


@dataclass
class RoomPins:
    """The PINs of a conference room, as they are."""

    member: str
    moderator: str

    def is_members(self, pin: str) -> bool:
        """Tell whether it is the members' PIN."""
        return pin == self.member

    def is_moderators(self, pin: str) -> bool:
        """Tell whether it is the moderators' PIN."""
        return pin == self.moderator


@dataclass
class Directory:
    """The directory's look-ups on two dictionaries."""

    extensions: dict[str, Extension] = field(default_factory=dict)
    lines: dict[str, Trunk] = field(default_factory=dict)
    pins: dict[str, RoomPins] = field(default_factory=dict)

    def conference_pins(self, room: str) -> RoomPins | None:
        """Return the PINs of a room."""
        return self.pins.get(room)

    def extension(self, number: str) -> Extension | None:
        """Return the extension of that number."""
        return self.extensions.get(number)

    def trunks(self) -> list[Trunk]:
        """Return all trunks."""
        return list(self.lines.values())

    def trunk_for(self, address: Address) -> Trunk | None:
        """Return the trunk that calls from there."""
        return next((line for line in self.lines.values() if line.host == address[0]), None)

    def trunk_of_token(self, token: str) -> Trunk | None:
        """Return the trunk that registers with this Contact."""
        found = (line for line in self.lines.values() if line.register and line.token == token)
        return next(found, None)


class Keeper:
    """Keeps bindings in a list, one commit after `delay` seconds of nothing."""

    def __init__(self) -> None:
        self.saved: list[Binding] = []
        self.removed: list[Binding] = []

    async def save(self, upserts: Sequence[Binding], removals: Sequence[Binding]) -> None:
        """Note both."""
        self.saved.extend(upserts)
        self.removed.extend(removals)


class Index:
    """Keeps what happened to recordings, in order."""

    def __init__(self) -> None:
        self.entries: list[RecordingEvent] = []

    def take(self, event: RecordingEvent, at: float) -> None:
        """Note it."""
        self.entries.append(event)


class Enquiries:
    """The outside: answers that the scenario gives, after `delay` seconds."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.delay = 0.0
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent: list[Letter] = []

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Answer as the scenario says; nothing where it does not."""
        self.asked.append((lookup.name, dict(values)))
        await asyncio.sleep(self.delay)
        return self.answers.get(lookup.name, Nothing())

    def send(self, letter: Letter) -> None:
        """Note it."""
        self.sent.append(letter)


class Past:
    """Earlier calls that the scenario makes up, told after `delay` seconds."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[PastCall, ...]] = {}
        self.delay = 0.0

    async def of(self, number: str) -> Sequence[PastCall]:
        """Return those of a number."""
        await asyncio.sleep(self.delay)
        return self.calls.get(number, ())


class Switches:
    """Day/night switches that the scenario sets."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    def state(self, schedule: Schedule, at: datetime) -> State | None:
        """Return what the scenario says."""
        return self.states.get(schedule.name)


class House:
    """An exchange with a directory, on a network, with a record of all that happened."""

    def __init__(self, clock: VirtualClock, *, codecs: Sequence[str] = ("PCMA", "PCMU", "G722")):
        self.clock = clock
        self.network = Network()
        self.directory = Directory()
        self.keeper = Keeper()
        self.index = Index()
        self.plan = Plan("test")
        self.events: list[Stamped] = []
        self._calls: dict[str, OpenCall] = {}
        self.alarms: list[str] = []
        self.defects = 0
        """How many errors inside the exchange the scenario causes on purpose."""
        self.phones: list[Softphone] = []
        self.bus = Bus(clock)
        self.bus.attach(self._note)
        self.media = FakeMediaEngine()
        self.ua = UserAgent(AgentSettings(), token=Tokens("e"), advertise=lambda flow: flow.local)
        self.registrar = Registrar()
        self.guard = Guard()
        self.node = Node(self.network, EXCHANGE, self.ua, lambda: self.exchange.pump())
        self.node.on_closed = self.registrar.flow_closed
        admission = Admission(
            authenticator=DigestAuthenticator(REALM, b"secret of the test"),
            guard=self.guard,
            registrar=self.registrar,
            directory=self.directory,
        )
        self.messages: dict[str, tuple[int, int]] = {}
        """New and old messages by box."""
        outward = _Outward(self.node)
        out_of_call = OutOfCall(
            self.ua,
            admission=admission,
            registrar=self.registrar,
            directory=self.directory,
            keeper=self.keeper,
            outward=outward,
            now=clock.monotonic,
            alarm=self.alarms.append,
        )
        self.registrations = out_of_call.registrations
        self.message_waiting = out_of_call.message_waiting
        self.message_waiting.counts = lambda box: self.messages.get(box, (0, 0))
        self.recordings = Recordings(
            self.media,
            self.index,
            clock=clock,
            folder="/recordings",
            notes_folder="/notes",
            alarm=self.alarms.append,
        )
        self.features = standard_features()
        self.destinations = standard_destinations(self.features)
        self.enquiries = Enquiries()
        self.switches = Switches()
        Ivr(self.enquiries, self.switches).register(self.destinations)
        ids = Tokens("call")
        self.lines = Lines(
            self.ua,
            directory=self.directory,
            outward=outward,
            now=clock.monotonic,
            alarm=self.alarms.append,
            new_call_id=Tokens("line"),
        )
        self.exchange = Exchange(
            ua=self.ua,
            media=self.media,
            bus=self.bus,
            clock=clock,
            admission=admission,
            out_of_call=out_of_call,
            registrar=self.registrar,
            directory=self.directory,
            destinations=self.destinations,
            features=self.features,
            outward=outward,
            plan=self.plan,
            recordings=self.recordings,
            lines=self.lines,
            settings=CallSettings(
                capabilities=Capabilities.named(codecs),
                hold_music=lambda name=None: f"music:{name or 'hold.wav'}",
            ),
            new_call_id=ids,
            new_session_id=lambda: 1,
            random_bytes=bytes,
        )
        self.keeping = Memory()
        self.rng = Random(1)
        self.history = Past()
        self._floor: Floor | None = None
        self._profiles: dict[str, Profile] = {}
        self.media.on_event = self.exchange.media_event
        self.media.on_worker_lost = self.exchange.worker_lost

    @property
    def floor(self) -> Floor:
        """Return the call centre, which there is from when it is first asked for."""
        if self._floor is None:
            self._floor = Floor(
                Engine(),
                bus=self.bus,
                clock=self.clock,
                rng=self.rng,
                keeping=self.keeping,
                alarm=self.alarms.append,
            )
            self.bus.attach(self._floor.take)
            self.places = Places(self.keeping, self.clock)
            self.queues = Queues(
                self._floor, places=self.places, rng=self.rng, history=self.history
            )
            self.queues.register(self.destinations)
            means = Means(self._floor, self.exchange, self.clock, self.switches, self.rng)
            self.callbacks = Callbacks(means, self.keeping)
            self.places.booked = self.callbacks.reclaim
            self.bus.attach(self.callbacks.take)
            CallbackKind(self.callbacks, self._floor).register(self.destinations)
        return self._floor

    def open(self, plan: Plan) -> None:
        """Put a plan in force, and let the call centre know its queues."""
        self.plan = self.exchange.plan = plan
        self.floor.tell(inputs.QueuesChanged(plan.queues, plan.defaults.between_queues))

    def agent(
        self,
        number: str,
        *,
        logged_in: bool = True,
        capacity: int = 1,
        weight: int = 1,
        **skills: int,
    ) -> None:
        """Make an extension, which is added where it is missing, an agent with these skills."""
        entry = self.directory.extensions.get(number) or self.add(number)
        self._profiles[number] = Profile(
            number=number, name=entry.name, skills=skills, capacity=capacity, weight=weight
        )
        self.floor.tell(inputs.AgentsChanged(tuple(self._profiles.values())))
        if logged_in:
            self.floor.tell(inputs.LoggedIn(number))
            self.floor.tell(inputs.PhoneReachable(number))

    def add(self, number: str, *, name: str | None = None, no_answer_s: float = 20.0) -> Extension:
        """Put an extension into the directory; its password is `pw` and the number."""
        credential = make_ha1(number, REALM, f"pw{number}")
        extension = Extension(
            number, name, credential.ha1("MD5"), credential.ha1("SHA-256"), no_answer_s
        )
        self.directory.extensions[number] = extension
        return extension

    def trunk(self, trunk: Trunk) -> None:
        """Put a line into the directory, or another one in its place."""
        self.directory.lines[trunk.name] = trunk
        self.lines.directory_changed()

    def phone(
        self,
        number: str,
        *,
        host: str | None = None,
        codecs: Sequence[str] = ("PCMU", "PCMA"),
        transport: str = "udp",
    ) -> Softphone:
        """Make a phone of an extension, which is added where it is missing."""
        if number not in self.directory.extensions:
            self.add(number)
        index = len(self.phones) + 10
        phone = Softphone(
            self.network,
            number,
            f"pw{number}",
            address=(host or f"192.0.2.{index}", 5060),
            exchange=EXCHANGE,
            tokens=Tokens(f"p{index}"),
            codecs=codecs,
            transport=transport,
        )
        self.phones.append(phone)
        return phone

    async def registered(self, *numbers: str) -> list[Softphone]:
        """Return a registered phone for each number."""
        phones = [self.phone(number) for number in numbers]
        for phone in phones:
            response = await phone.register()
            assert response.status == 200, response
        return phones

    def happened(self, kind: type[Event]) -> list[AnyEvent]:
        """Return the events of one kind."""
        return [stamped.event for stamped in self.events if isinstance(stamped.event, kind)]

    @property
    def records(self) -> dict[str, CallRecord]:
        """Return the record of each call that is over."""
        return {
            call.id: record_of(call) for call in self._calls.values() if call.ending is not None
        }

    @property
    def record(self) -> CallRecord:
        """Return the record of the only call."""
        (record,) = self.records.values()
        return record

    async def settle(self, seconds: float = 1.5) -> None:
        """Let what is on its way arrive."""
        await asyncio.sleep(seconds)

    def leaks(self) -> list[str]:
        """Return what ended calls left behind, and unexpected defects; empty where all is well."""
        left = self.media.leaks()
        left += [f"call {call}" for call in self.exchange.calls]
        counts = self.exchange.snapshot()
        tables = ("legs", "media_legs", "requests", "conferences", "recordings")
        left += [f"{name}: {counts[name]}" for name in tables if counts[name]]
        left += [
            f"call {call.id} has no ending"
            for call in self._calls.values()
            if call.ending is None and not call.joined
        ]
        if self.exchange.defects != self.defects:
            left.append(f"{self.exchange.defects} defects, see the log")
        left += [f"sink {name} failed" for name in self.bus.failures]
        if self._floor is not None and self._floor.defects:
            left.append(f"{self._floor.defects} defects of the call centre, see the log")
        return left

    def close(self) -> None:
        """Stop the timers of everybody on the network."""
        self.node.close()
        if self._floor is not None:
            self.callbacks.close()
            self._floor.close()
        for phone in self.phones:
            phone.node.close()

    def _note(self, stamped: Stamped) -> None:
        self.events.append(stamped)
        if not stamped.event.call:
            return  # of an agent or a queue alone
        before = self._calls.get(stamped.event.call)
        around = isinstance(stamped.event, AROUND)
        if around and before is None:
            return
        over = before is not None and before.ending is not None
        assert around or not over, f"{stamped} comes after CallEnded"
        call = fold(before, stamped)
        assert call is not None, f"{stamped} belongs to no call"
        self._calls[call.id] = call


class _Outward:
    def __init__(self, node: Node) -> None:
        self._node = node
        self.transmit_soon = node.transmit_soon

    def flows_for(self, uri: Uri) -> list[Flow] | None:
        """Return the flow to a numeric URI."""
        return [self._node.flow_to((uri.host, uri.port or 5060), uri.transport or "udp")]

    async def resolve(self, uri: Uri) -> list[Flow]:
        """Names do not exist here."""
        return []

    def advertise(self, flow: Flow) -> Address:
        """Return our own address."""
        return flow.local


Scenario = Callable[[House], Awaitable[None]]


def flow(scenario: Scenario, **options: Sequence[str]) -> House:
    """Run a scenario in virtual time, check that nothing is left over, and return the house."""
    clock = VirtualClock()
    houses: list[House] = []

    async def main() -> None:
        house = House(clock, **options)
        houses.append(house)
        try:
            await scenario(house)
            await house.settle()
        except (AssertionError, TimeoutError) as error:
            error.add_note(house.network.ladder())
            raise
        finally:
            house.close()
        assert not house.leaks(), house.leaks()

    run(main(), clock=clock)
    return houses[0]
