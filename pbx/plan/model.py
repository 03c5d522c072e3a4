"""The dialplan as loaded: plain frozen values, one class per section of the file.

The directory is no part of a plan: whether `ext:101` exists is asked when a call goes there, so
that phones can be added without touching the dialplan. Times are seconds. Every value knows its
`mark`, the place in the file that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pbx.plan.destination import OPERATOR, Destination
from pbx.plan.hours import Schedule
from pbx.plan.numbering import spelled
from pbx.plan.step import NOWHERE, Mark, Steps
from pbx.plan.text import Text

LANGUAGES: Final = ("zh", "yue", "en")
"""The languages that callers are spoken to, Mandarin first."""


@dataclass(frozen=True, slots=True)
class MenuTiming:
    """How long a caller may take and how often try, where a menu or step does not say."""

    timeout_s: float = 5.0
    between_keys_s: float = 2.0
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Defaults:
    """Section `defaults`. `operator` is what the word means; None where nobody is."""

    language: str = "zh"
    timezone: str = "Asia/Shanghai"
    operator: Destination | None = None
    menu: MenuTiming = MenuTiming()
    between_queues: Literal["oldest", "strict", "weighted"] = "oldest"
    """Which queue's caller an agent of several queues gets: see `Queue`."""
    hold_reminder_s: float = 120.0
    """Seconds after which an agent is reminded of a caller on hold; 0: never."""
    country: str = "CN"
    """Whose numbers are meant that begin with no country's: two letters of ISO 3166."""


@dataclass(frozen=True, slots=True)
class PromptFile:
    """Sound: `path` relative to the office's folder, as the file says it."""

    path: str
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class PromptText:
    """Words that are spoken."""

    text: Text
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Prompt:
    """One entry of `prompts`: what is said in each language."""

    name: str
    spoken: Mapping[str, PromptFile | PromptText]
    mark: Mark = NOWHERE

    def language(self, wanted: str) -> str | None:
        """Return the language to say it in for a caller of `wanted`: that, else the first of
        Mandarin, Cantonese and English that there is, None where there is none."""
        order = (wanted, *LANGUAGES)
        return next((language for language in order if language in self.spoken), None)


@dataclass(frozen=True, slots=True)
class NumberRoute:
    """One line of `numbers`: where calls to `number` start, and what holds for them."""

    number: str
    destination: Destination
    language: str | None = None
    tag: str | None = None
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Lookup:
    """One entry of `lookups`: a GET of `http`, or the SELECT `query` on the connection `sql`.

    `save` maps variable → field of the answer; empty: every field under its own name. `parameters`
    maps a `:name` of the query to the variable that it is. `if_empty` and `if_error` are a place to
    go to, or the values that the variables take; an empty map is "go on without".
    """

    name: str
    http: Text | None = None
    headers: Mapping[str, Text] = field(default_factory=dict)
    sql: str | None = None
    query: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 3.0
    if_empty: Destination | Mapping[str, str] = field(default_factory=dict)
    if_error: Destination | Mapping[str, str] = field(default_factory=dict)
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Flow:
    """One entry of `flows`."""

    name: str
    steps: Steps
    mark: Mark = NOWHERE


Choice = Destination | Steps
"""What a menu does for a key: go somewhere, or steps of which the last goes somewhere."""


@dataclass(frozen=True, slots=True)
class Menu:
    """One entry of `menus`.

    `prompt` are names; on repeats only the last is played. `keys` maps what is keyed (one key or
    several) to what follows. `extensions` are the first and last number that can be dialled
    directly. `no_input` and `invalid` have one entry per try, the last of them for all that follow;
    `give_up` follows after `tries` of either. None as a time: the defaults'.
    """

    name: str
    prompt: tuple[str, ...]
    keys: Mapping[str, Choice]
    extensions: tuple[str, str] | None = None
    no_input: tuple[Choice, ...] = ()
    invalid: tuple[Choice, ...] = ()
    give_up: Choice | None = None
    timeout_s: float | None = None
    between_keys_s: float | None = None
    tries: int | None = None
    interrupt: bool = True
    mark: Mark = NOWHERE
    key_marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RingGroup:
    """One entry of `ring_groups`. `members` are `ext:` and `number:` destinations."""

    name: str
    members: tuple[Destination, ...]
    how: Literal["all", "in_order", "rotate"] = "all"
    ring_s: float = 20.0
    no_answer: Destination | None = None
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Relaxation:
    """After `after_s` seconds of waiting these skills suffice; empty: any agent."""

    after_s: float
    skills: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Callback:
    """How a queue calls back: whom first, how often, how long after each try, and when (the name
    of a schedule; None: whenever the queue has agents)."""

    first: Literal["agent", "customer"] = "agent"
    tries: int = 3
    again_s: tuple[float, ...] = (0.0, 300.0, 1800.0)
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class QueueAlarm:
    """When supervisors are alarmed: more callers than `waiting`, somebody waiting longer than
    `longest_wait_s`, a service level below so many percent (after ten calls); None: never."""

    waiting: int | None = None
    longest_wait_s: float | None = None
    service_level: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """One entry of `queues`. Percentages are 0-100.

    `priority` is added to each caller's own; with `between_queues: strict` it decides alone, with
    `weighted` queues are served in proportion to `weight`. `last_agent_s` tries whoever served the
    caller last for so long; `keys` are what callers may press at any time; an agent who missed
    `missed` calls in a row is paused.
    """

    name: str
    skills: Mapping[str, int] = field(default_factory=dict)
    strategy: str = "longest_idle"
    priority: int = 0
    weight: int = 1
    last_agent_s: float | None = None
    missed: int = 2
    music: str | None = None
    ring_s: float = 15.0
    wrap_up_s: float = 30.0
    say_agent_number: bool = False
    service_level: tuple[int, float] = (80, 20.0)
    """Percent answered within seconds."""
    position_every_s: float | None = None
    say_estimate: bool = False
    offer_after_s: float | None = None
    offer_menu: str | None = None
    relax: tuple[Relaxation, ...] = ()
    max_wait_s: float | None = None
    max_callers: int | None = None
    if_full: Destination | None = None
    if_no_agents: Destination | None = None
    if_timeout: Destination | None = None
    keys: Mapping[str, Choice] = field(default_factory=dict)
    key_marks: Mapping[str, Mark] = field(default_factory=dict)
    announce: str | None = None
    announce_every_s: float = 60.0
    """A prompt that callers hear again and again."""
    whisper: bool = True
    """Whether the agent hears the queue's name before the caller."""
    confirm_key: str | None = None
    """The key with which an agent takes a call."""
    auto_answer: bool = False
    caller_id: str | None = None
    """The number that is shown outside where the queue's customers are called or handed on."""
    callback: Callback = Callback()
    alarm: QueueAlarm = QueueAlarm()
    record_who: Literal["all", "none"] = "none"
    record_percent: int = 100
    survey: str | None = None
    survey_percent: int = 100
    """Of how many calls the caller is asked by itself; an agent may send any caller."""
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One entry of `voicemail`: a box of the office. Extensions have boxes without being named.

    `greeting` is the name of a prompt. `call_mobile` and `repeat_s` are not acted on yet.
    """

    name: str
    mail: str | None = None
    greeting: str | None = None
    call_mobile: tuple[str, ...] = ()
    repeat_s: float | None = None
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Survey:
    """One entry of `surveys`: one question. `keys` maps a key to what it means."""

    name: str
    prompt: str
    keys: Mapping[str, str]
    timeout_s: float = 8.0
    comment: bool = False
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class OutboundRule:
    """One entry of `outbound`: numbers that begin with one of `match` go out by `trunks`.

    With `emergency` a number is matched whole.
    """

    name: str
    match: tuple[str, ...]
    trunks: tuple[str, ...]
    strip: int = 0
    add: str = ""
    caller_id: str | None = None
    emergency: bool = False
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Expectation:
    """One entry of `tests`: a call that is rehearsed before each reload.

    `at` is local time of the plan's zone, as written. `press` are groups of keys, each keyed when
    the caller is asked next. `mock` has what lookups find, by name: a map of fields, None for
    nothing found, "error" for a failure. `phones` maps a number to answers, busy, no_answer or
    unregistered; `queues` a queue to answered, no_agents, full or timeout. `expect` are places that
    the call has to pass, in this order.
    """

    name: str
    to: str
    from_: str = ""
    at: str | None = None
    press: tuple[str, ...] = ()
    mock: Mapping[str, Mapping[str, str] | Literal["error"] | None] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    expect: tuple[str, ...] = ()
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Conference:
    """One line of `conferences`: a room, by the number that is dialled.

    `most` members at once; `pin` asks for one (`callpbx conference set` keeps it); `record` all of
    it; members wait with music `wait_for_moderator`; all leave with the last one where it is to
    `end_with_moderator`; `tones` tell that somebody comes or goes, `announce_names` who; `gated`
    passes on only who talks.
    """

    room: str
    most: int = 50
    record: bool = False
    wait_for_moderator: bool = False
    end_with_moderator: bool = False
    pin: bool = False
    tones: bool = True
    announce_names: bool = False
    gated: bool = True
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of the dialplan. `version_id` is a short hash of the texts of its `files`."""

    version_id: str
    numbers: Mapping[str, NumberRoute] = field(default_factory=dict)
    other: NumberRoute | None = None
    conferences: Mapping[str, Conference] = field(default_factory=dict)
    defaults: Defaults = Defaults()
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    hours: Mapping[str, Schedule] = field(default_factory=dict)
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    menus: Mapping[str, Menu] = field(default_factory=dict)
    ring_groups: Mapping[str, RingGroup] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)
    voicemail: Mapping[str, Mailbox] = field(default_factory=dict)
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    outbound: Mapping[str, OutboundRule] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    """Feature name → code, for those that the file changes."""
    tests: tuple[Expectation, ...] = ()
    files: tuple[str, ...] = ()
    _spellings: Mapping[str, NumberRoute] = field(init=False, repr=False)
    """Routes by the one spelling of their number."""

    def __post_init__(self) -> None:
        spellings = {self.spelled(number): route for number, route in self.numbers.items()}
        object.__setattr__(self, "_spellings", spellings)

    def number(self, number: str) -> NumberRoute | None:
        """Return what `numbers` says of exactly this number."""
        return self.numbers.get(number)

    def inbound(self, number: str) -> NumberRoute | None:
        """Return what is said of a carrier's call to `number`, `anything_else` included.

        Carriers write one number as 028…, 28…, +8628…, 008628… or 8628…; all of them find it.
        """
        return self.numbers.get(number) or self._spellings.get(self.spelled(number)) or self.other

    def spelled(self, number: str) -> str:
        """Return the one spelling of all ways to write a number."""
        return spelled(number, self.defaults.country)

    def routed(self, number: str) -> NumberRoute | None:
        """Return the route that is named so; the last one is named `anything_else`."""
        if self.other is not None and number == self.other.number:
            return self.other
        return self.numbers.get(number)

    def conference(self, room: str) -> Conference | None:
        """Return the rules of a conference room."""
        return self.conferences.get(room)

    def resolved(self, destination: Destination) -> Destination | None:
        """Return the place that `operator` means, and any other place as it is; None: nobody."""
        return self.defaults.operator if destination == OPERATOR else destination
