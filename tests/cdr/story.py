"""A call told in events: what happens, and how many seconds pass in between.

    Story().started().wait(2.1).answered().wait(10.2).left("caller").over()

is the example of the documented record. Each step appends stamped events to `events`.
"""

from __future__ import annotations

from typing import Literal, Self

from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold_all
from pbx.cdr.open_call import OpenCall
from pbx.cdr.record import CallRecord
from pbx.events import (
    AgentConnected,
    AgentDeclined,
    AgentOffered,
    AnyEvent,
    Bridged,
    CallEnded,
    CallRouted,
    CallStarted,
    CallTagged,
    EndedBy,
    HoldEnded,
    HoldStarted,
    LegAnswered,
    LegEnded,
    LegInvited,
    LegQuality,
    LegRinging,
    LegRole,
    MenuEntered,
    MenuLeft,
    Quality,
    QueueEntered,
    QueueLeft,
    RecordAmended,
    Result,
    SurveyAnswered,
    SurveyAsked,
    VoicemailEntered,
    VoicemailLeft,
    WrapUpEnded,
)
from pbx.events.bus import Stamped

START = 1_795_248_000.123
"""2026-11-21T08:00:00.123Z."""

CALLER, CALLED = 1, 2
"""The legs of a plain call."""


class Story:
    """The events of one call."""

    def __init__(
        self, call: str = "c1", *, wall: float = START, monotonic: float = 5_000.0, seq: int = 1
    ) -> None:
        self.call = call
        self.wall = wall
        self.monotonic = monotonic
        self.seq = seq
        self.events: list[Stamped] = []

    def wait(self, seconds: float) -> Self:
        """Let time pass."""
        self.wall += seconds
        self.monotonic += seconds
        return self

    def set_clock(self, seconds: float) -> Self:
        """Turn the wall clock forward, or backward, by so much."""
        self.wall += seconds
        return self

    def say(self, event: AnyEvent) -> Self:
        """Append one event, now."""
        self.events.append(Stamped(self.seq, self.wall, self.monotonic, event))
        self.seq += 1
        return self

    def began(
        self, *, caller: str = "101", name: str | None = "Alice", called: str = "102"
    ) -> Self:
        """Let a call in, without legs yet."""
        return self.say(
            CallStarted(
                call=self.call,
                direction="internal",
                caller=caller,
                caller_name=name,
                called=called,
                dialplan_version="ab12",
            )
        )

    def invited(self, leg: int, role: LegRole, number: str) -> Self:
        """Add a leg."""
        return self.say(
            LegInvited(
                call=self.call,
                leg=leg,
                role=role,
                number=number,
                sip_call_id=f"{leg}@x",
                remote="192.0.2.1:5060",
            )
        )

    def rings(self, leg: int = CALLED) -> Self:
        """Let the far end ring."""
        return self.say(LegRinging(call=self.call, leg=leg))

    def started(self) -> Self:
        """Let 101 call 102, which rings."""
        self.began().invited(CALLER, "caller", "101")
        self.say(CallRouted(call=self.call, destination="ext:102"))
        return self.invited(CALLED, "called", "102").rings()

    def picks_up(self, leg: int) -> Self:
        """Answer one leg."""
        return self.say(LegAnswered(call=self.call, leg=leg, codec="PCMA"))

    def bridged(self, leg: int, other: int) -> Self:
        """Let two legs hear each other."""
        return self.say(Bridged(call=self.call, leg=leg, other=other))

    def answered(self, leg: int = CALLED) -> Self:
        """Answer `leg`, then the caller, and bridge them."""
        return self.picks_up(leg).picks_up(CALLER).bridged(CALLER, leg)

    def holds(self, leg: int) -> Self:
        """Let the party of a leg put the other on hold."""
        return self.say(HoldStarted(call=self.call, leg=leg))

    def resumes(self, leg: int) -> Self:
        """Let the party of a leg come back."""
        return self.say(HoldEnded(call=self.call, leg=leg))

    def ends(
        self,
        leg: int,
        by: Literal["remote", "local"] = "remote",
        *,
        reason: str = "bye",
        status: int = 200,
    ) -> Self:
        """End one leg."""
        return self.say(
            LegEnded(call=self.call, leg=leg, by=by, reason=reason, sip_status=status, cause=16)
        )

    def goes_to(self, destination: str) -> Self:
        """Add a station to the path."""
        return self.say(CallRouted(call=self.call, destination=destination))

    def in_menu(self, menu: str) -> Self:
        """Let the caller hear a menu."""
        return self.say(MenuEntered(call=self.call, menu=menu))

    def chooses(self, menu: str, choice: str) -> Self:
        """Let the caller leave a menu."""
        return self.say(MenuLeft(call=self.call, menu=menu, choice=choice))

    def in_queue(self, queue: str) -> Self:
        """Let the caller wait."""
        return self.say(QueueEntered(call=self.call, queue=queue))

    def out_of_queue(self, queue: str, result: str) -> Self:
        """Let the caller wait no longer."""
        return self.say(QueueLeft(call=self.call, queue=queue, result=result))

    def offered(self, agent: str, queue: str = "service") -> Self:
        """Offer the call to an agent."""
        return self.say(
            AgentOffered(call=self.call, agent=agent, queue=queue, caller="13800138000")
        )

    def declined(self, agent: str, reason: str = "no_answer", queue: str = "service") -> Self:
        """Let an agent not take it."""
        return self.say(AgentDeclined(call=self.call, agent=agent, queue=queue, reason=reason))

    def taken(self, agent: str, leg: int = CALLED, queue: str = "service") -> Self:
        """Let an agent and the caller hear each other."""
        return self.say(AgentConnected(call=self.call, agent=agent, queue=queue, leg=leg))

    def wrapped_up(self, agent: str, seconds: float, **said: str) -> Self:
        """Let an agent be done with the work after the call."""
        return self.say(WrapUpEnded(call=self.call, agent=agent, seconds=seconds, **said))

    def noted(self, disposition: str | None = None, note: str | None = None) -> Self:
        """Let somebody write down what came of the call."""
        event = RecordAmended(call=self.call, disposition=disposition, note=note, by="socket")
        return self.say(event)

    def at_box(self, box: str) -> Self:
        """Let the caller hear a mailbox's greeting."""
        return self.say(VoicemailEntered(call=self.call, box=box))

    def leaves_box(self, box: str, message: str | None = None) -> Self:
        """Let the caller leave a mailbox, with a message or without."""
        return self.say(VoicemailLeft(call=self.call, box=box, message=message))

    def tagged(self, tag: str) -> Self:
        """Tag the call."""
        return self.say(CallTagged(call=self.call, tag=tag))

    def asked(self, survey: str) -> Self:
        """Ask for an opinion."""
        return self.say(SurveyAsked(call=self.call, survey=survey))

    def rates(self, survey: str, key: str, meaning: str) -> Self:
        """Let the caller give one."""
        return self.say(SurveyAnswered(call=self.call, survey=survey, key=key, meaning=meaning))

    def left(self, who: Literal["caller", "called"]) -> Self:
        """Let one side of a plain call hang up; the other leg gets BYE."""
        first, second = (CALLER, CALLED) if who == "caller" else (CALLED, CALLER)
        return self.ends(first).ends(second, "local")

    def measured(self, leg: int, role: Literal["caller", "called"], packets: int = 500) -> Self:
        """Report a leg's media figures."""
        received, sent = figures(role, "received", packets), figures(role, "sent", packets)
        return self.say(LegQuality(call=self.call, leg=leg, received=received, sent=sent))

    def over(
        self,
        result: Result = "answered",
        reason: str = "bye",
        *,
        status: int = 200,
        cause: int = 16,
        by: EndedBy = "caller",
    ) -> Self:
        """End the call."""
        return self.say(
            CallEnded(
                call=self.call,
                result=result,
                reason=reason,
                cause=cause,
                sip_status=status,
                ended_by=by,
            )
        )

    def open_call(self) -> OpenCall:
        """Return the call as far as it was told."""
        call = fold_all(self.events)
        assert call is not None
        return call

    def record(self) -> CallRecord:
        """Return the record of the whole story."""
        return record_of(self.open_call())


def figures(
    leg: Literal["caller", "called"], direction: Literal["received", "sent"], packets: int = 500
) -> Quality:
    """Return the media figures of one direction."""
    return Quality(
        leg=leg,
        direction=direction,
        codec="PCMA",
        packets=packets,
        loss_percent=0.0,
        jitter_ms=0.4,
        round_trip_ms=11.5,
        mos=4.41,
        mos_worst=4.38,
    )


def plain_call(call: str = "c1", *, seq: int = 1, wall: float = START, talk: float = 10.2) -> Story:
    """Return the documented example: 2.1 s of ringing, then talk, the caller leaves."""
    story = Story(call, seq=seq, wall=wall).started().wait(2.1).answered().wait(talk)
    return story.left("caller").measured(CALLER, "caller").measured(CALLED, "called").over()


def queue_call(
    call: str = "q1",
    *,
    seq: int = 1,
    wall: float = START,
    wait: float = 12.0,
    talk: float = 60.0,
    agent: str = "102",
    queue: str = "service",
    caller: str = "13800138000",
    meaning: str | None = None,
) -> Story:
    """Return a customer's call: `wait` s in the queue, 3 s of them an agent's phone rings; talk;
    with `meaning` an answer to a survey."""
    story = Story(call, seq=seq, wall=wall).began(caller=caller, name=None, called="4008001234")
    story.invited(CALLER, "caller", caller).goes_to(f"queue:{queue}").picks_up(CALLER)
    story.in_queue(queue).wait(wait - 3).offered(agent, queue).invited(CALLED, "called", agent)
    story.wait(3).picks_up(CALLED).out_of_queue(queue, "answered").bridged(CALLER, CALLED)
    story.taken(agent, queue=queue).wait(talk)
    if meaning is not None:
        story.ends(CALLED).asked("csat").wait(2).rates("csat", "1", meaning)
    return story.left("caller").over()
