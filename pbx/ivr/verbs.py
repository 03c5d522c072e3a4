"""The verbs of dialplan.yaml, one function each: its parameters are what the file may say.

A verb says what it did and why with `run.tell`, once; the same line stands in a live call's trace
and in a rehearsal. To add one, write it here: loader, check, documentation and simulator follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pbx.call.outcome import OutcomeKind
from pbx.ivr import asking, enquiring
from pbx.ivr.endings import REFUSALS, hung_up
from pbx.ivr.registry import VERBS, Following, verb
from pbx.ivr.run import Run
from pbx.ivr.world import Letter, Ring
from pbx.plan.address import Address
from pbx.plan.arguments import (
    KEY,
    KEYS,
    VARIABLE,
    Assignments,
    DigitCount,
    If,
    Levels,
    Name,
    Names,
    Number,
    OneOf,
    Pattern,
    Place,
    Places,
    Seconds,
    Values,
    YesNo,
    level_of,
)
from pbx.plan.condition import Condition
from pbx.plan.destination import Destination
from pbx.plan.model import LANGUAGES
from pbx.plan.opening import judge
from pbx.plan.text import Text
from pbx.plan.vocabulary import Vocabulary

_SKILL = r"[^\s:]{1,40}(?: [0-9]{1,2})?"

Branches = ("then", "else")


# -- speaking and asking -----------------------------------------------------------------------


@verb("Answer the call. `early: yes` lets the caller hear what follows before it is answered.")
async def answer(run: Run, early: Annotated[bool, YesNo()] = False) -> Following:
    run.answer(early=early)
    run.tell("", "early media" if early else "answered")
    return None


@verb("Let the caller hear one prompt or several; a key ends them.", main="prompt")
async def say(
    run: Run,
    prompt: Annotated[tuple[str, ...], Names("prompt")],
    language: Annotated[str | None, OneOf(LANGUAGES)] = None,
    interrupt: Annotated[bool, YesNo()] = True,
) -> Following:
    for name in prompt:
        run.tell(name, run.words_of(name, language))
    await run.say(*(run.saying(name, language) for name in prompt), interrupt=interrupt)
    return None


@verb(
    "Ask for digits and keep them as a variable.",
    main="prompt",
    outcomes=("give_up",),
    required=("give_up",),
    asks=True,
)
async def ask(
    run: Run,
    prompt: Annotated[tuple[str, ...], Names("prompt")],
    save: Annotated[str, VARIABLE],
    digits: Annotated[tuple[int, int], DigitCount()] = (1, 1),
    end_key: Annotated[str, KEY] = "#",
    timeout: Annotated[float | None, Seconds()] = None,
    between_keys: Annotated[float | None, Seconds()] = None,
    tries: Annotated[int | None, Number(1, 10)] = None,
    secret: Annotated[bool, YesNo()] = False,
    check: Annotated[str | None, asking.CHECK] = None,
) -> Following:
    wanted = asking.Wanted(
        prompt=prompt,
        least=digits[0],
        most=digits[1],
        end_key=end_key,
        timeout_s=timeout or run.plan.defaults.menu.timeout_s,
        between_keys_s=between_keys or run.plan.defaults.menu.between_keys_s,
        tries=tries or run.plan.defaults.menu.tries,
        secret=secret,
        check=check,
    )
    keyed = await asking.ask(run, wanted)
    if keyed is None:
        run.tell(save, f"nothing useful in {wanted.tries} tries → give_up")
        return "give_up"
    run.keep(save, keyed, secret=secret)
    run.tell(save, f"{save} = {run.shown(save)}")
    return None


@verb(
    "Take the caller's language from now on: zh, yue or en. Anything else changes nothing.",
    main="language",
)
async def language(run: Run, language: Annotated[Text, Values()]) -> Following:
    wanted = run.fill(language)
    if wanted in LANGUAGES:
        run.set_language(wanted)
        run.tell("", wanted)
    else:
        run.tell("", f'"{wanted}" is none of {", ".join(LANGUAGES)}: stays {run.language}')
    return None


@verb("Let time pass in silence.", main="seconds", asks=True)
async def pause(run: Run, seconds: Annotated[float, Seconds()]) -> Following:
    run.tell("", f"{seconds:g} s")
    await run.wait(seconds)
    return None


@verb(
    "Let the caller hear hold music for a while; `name` is a folder of sounds/music.",
    main="name",
    asks=True,
)
async def music(
    run: Run,
    name: Annotated[str | None, Pattern(r"[\w-]{1,40}", "a name", "is no name")] = None,
    for_: Annotated[float, Seconds()] = 10.0,
) -> Following:
    run.tell(name or "", f"{for_:g} s of music")
    await run.music(name, for_)
    return None


@verb("Send keys to the caller's side, as its phone would.", main="keys")
async def keys(run: Run, keys: Annotated[str, KEYS]) -> Following:
    run.tell("", keys)
    run.world.send_keys(keys)
    return None


# -- deciding ----------------------------------------------------------------------------------


@verb("Go to a place; no step follows.", main="to", ends=True)
async def goto(run: Run, to: Annotated[Destination, Place()]) -> Following:
    run.tell("", f"→ {to}")
    return to


@verb("Run another flow, then go on here.", main="flow")
async def do(run: Run, flow: Annotated[str, Name("flow")]) -> Following:
    run.tell(flow, f"runs flow:{flow}")
    return await run.do(flow)


@verb("Decide by a condition.", main="condition", outcomes=Branches)
async def if_(run: Run, condition: Annotated[Condition, If()]) -> Following:
    holds = condition.holds(run.values())
    run.tell("", f"{condition} → {'yes' if holds else 'no'}{run.because(condition.names)}")
    return "then" if holds else "else"


@verb(
    "Decide by what a variable is: each value beside it leads somewhere, `else` the rest.",
    main="variable",
    outcomes=("else",),
    values=True,
)
async def choose(run: Run, variable: Annotated[str, VARIABLE]) -> Following:
    value = run.values().get(variable, "")
    chosen = value if value and value in run.step.outcomes else "else"
    run.tell(variable, f'"{run.shown(variable)}" → {chosen}')
    return chosen


@verb(
    "Decide by opening hours. Without `holiday` a holiday is `closed`.",
    main="schedule",
    outcomes=("open", "closed", "holiday"),
)
async def hours(run: Run, schedule: Annotated[str, Name("hours")]) -> Following:
    entry = run.plan.hours[schedule]
    at = run.world.now()
    verdict = judge(entry, at, run.world.switched(entry))
    if verdict.reopens is not None:
        run.keep("hours.reopens", verdict.reopens.isoformat(timespec="minutes"))
    run.tell(schedule, f"→ {verdict.state} ({verdict.reason})")
    if verdict.state == "holiday" and "holiday" not in run.step.outcomes:
        return "closed"
    return verdict.state


@verb("Ask outside data, named under `lookups`.", main="name", outcomes=("if_empty", "if_error"))
async def lookup(run: Run, name: Annotated[str, Name("lookup")]) -> Following:
    return await enquiring.look_up(run, run.plan.lookups[name])


# -- remembering -------------------------------------------------------------------------------


@verb("Set variables.", main="values")
async def set_(run: Run, values: Annotated[Mapping[str, Text], Assignments()]) -> Following:
    for name, text in values.items():
        run.assign(name, text)
        run.tell(name, f"{name} = {run.shown(name)}")
    return None


@verb("Tag the record. A tag that ends in `_done` counts the call as served by itself.", main="tag")
async def tag(run: Run, tag: Annotated[Text, Values()]) -> Following:
    text = run.told(tag)
    run.tag(text)
    run.tell("", text)
    return None


@verb("Leave a note for whoever answers the call.", main="text")
async def note(run: Run, text: Annotated[Text, Values()]) -> Following:
    written = run.told(text)
    run.note(written)
    run.tell("", written)
    return None


@verb("Say how urgent the call is for queues: 0 to 100, more is sooner.", main="level")
async def priority(run: Run, level: Annotated[int, Number(0, 100)]) -> Following:
    run.wishes["priority"] = level
    run.tell("", str(level))
    return None


@verb("Wish for an agent, by number: the one who answered last, say.", main="agent")
async def agent(run: Run, agent: Annotated[Text, Values()]) -> Following:
    run.wishes["agent"] = run.fill(agent)
    run.tell("", run.told(agent) or "nobody (the value is empty)")
    return None


@verb("Ask a skill of whoever answers: NAME or `NAME LEVEL`.", main="skill")
async def skill(
    run: Run,
    skill: Annotated[str, Pattern(_SKILL, "NAME or NAME LEVEL", "is no skill; write NAME LEVEL")],
) -> Following:
    name, _, level = skill.partition(" ")
    run.wishes.setdefault("skills", {})[name] = int(level or 1)
    run.tell("", skill)
    return None


@verb("Show another name of the caller to whoever is rung.", main="name")
async def caller_name(run: Run, name: Annotated[Text, Values()]) -> Following:
    run.rename_caller(run.fill(name))
    run.tell("", run.told(name))
    return None


# -- going elsewhere ---------------------------------------------------------------------------


@verb(
    "Wait in a queue. What is not beside it follows the queue's own `if_…`.",
    main="name",
    outcomes=("if_full", "if_no_agents", "if_timeout"),
)
async def queue(
    run: Run,
    name: Annotated[str, Name("queue")],
    priority: Annotated[int | None, Number(0, 100)] = None,
    skills: Annotated[Mapping[str, Text] | None, Levels()] = None,
) -> Following:
    if priority is not None:
        run.wishes["priority"] = priority
    for skill, level in (skills or {}).items():
        run.wishes.setdefault("skills", {})[skill] = _level(run, skill, level)
    outcome = await run.go(Destination("queue", name))
    branch = _QUEUE_BRANCHES.get(outcome.kind)
    if branch in run.step.outcomes:
        return branch
    return run.after(Destination("queue", name), outcome)


def _level(run: Run, skill: str, text: Text) -> int:
    """Return the level that a value says; whatever else a caller or a lookup says is 1."""
    try:
        return level_of(run.fill(text))
    except ValueError as error:
        run.tell(skill, f'"{run.told(text)}" {error}: 1 is taken', kind="skill")
        return 1


_QUEUE_BRANCHES = {
    OutcomeKind.FULL: "if_full",
    OutcomeKind.NO_AGENTS: "if_no_agents",
    OutcomeKind.TIMEOUT: "if_timeout",
}


@verb(
    "Ring phones, all at once or one after the other.",
    main="to",
    outcomes=("no_answer", "busy", "failed"),
)
async def ring(
    run: Run,
    to: Annotated[tuple[Destination, ...], Places(("ext", "number"))],
    together: Annotated[bool, YesNo()] = True,
    each: Annotated[float, Seconds()] = 20.0,
    confirm_key: Annotated[str | None, KEY] = None,
    caller_id: Annotated[Text | None, Values()] = None,
    announce: Annotated[str | None, Name("prompt")] = None,
) -> Following:
    outcome = await run.ring(
        Ring(
            members=to,
            together=together,
            each_s=each,
            confirm_key=confirm_key,
            caller_id=run.fill(caller_id) or None if caller_id is not None else None,
            announce=run.saying(announce) if announce is not None else None,
        )
    )
    return REFUSALS.get(outcome.kind, outcome)


@verb("Take a message.", main="box", ends=True)
async def voicemail(run: Run, box: Annotated[str, Name("voicemail")]) -> Following:
    run.tell(box, f"→ voicemail:{box}")
    return Destination("voicemail", box)


@verb("Take part in a conference.", main="room", ends=True)
async def conference(run: Run, room: Annotated[str, Name("conference")]) -> Following:
    run.tell(room, f"→ conference:{room}")
    return Destination("conference", room)


@verb("Ask for an opinion, then go on.", main="name", asks=True)
async def survey(run: Run, name: Annotated[str, Name("survey")]) -> Following:
    await asking.survey(run, run.plan.surveys[name])
    return None


@verb(
    "Note a wish to be called back; what becomes of it is `refused` where it cannot be noted.",
    main="number",
    outcomes=("refused",),
)
async def callback(
    run: Run,
    number: Annotated[Text | None, Values()] = None,
    window: Annotated[str | None, Name("hours")] = None,
) -> Following:
    wanted = run.fill(number) if number is not None else ""
    if wanted in ("", "caller"):
        wanted = run.world.caller.number
    outcome = await run.go(Destination("callback"), number=wanted, window=window)
    return "refused" if outcome.kind is OutcomeKind.FAILED else outcome


@verb("Park the call.", later=True)
async def park(run: Run) -> Following:
    return hung_up(answered=run.world.answered)


# -- doing -------------------------------------------------------------------------------------


@verb("Record the call, or no longer.", main="action")
async def record(
    run: Run,
    action: Annotated[
        Literal["start", "stop", "pause", "resume"], OneOf(("start", "stop", "pause", "resume"))
    ],
    beep: Annotated[bool, YesNo()] = False,
) -> Following:
    run.tell("", action)
    await run.world.record(action, beep=beep)
    return None


@verb("Send a mail or call a web address; nobody waits for it.")
async def send(
    run: Run,
    mail: Annotated[Text | None, Values()] = None,
    webhook: Annotated[Text | None, Address()] = None,
    subject: Annotated[Text | None, Values()] = None,
    body: Annotated[Text | None, Values()] = None,
) -> Following:
    values = run.values()
    kind: Literal["mail", "webhook"] = "mail" if mail is not None else "webhook"
    letter = Letter(
        kind,
        mail.fill(values) if mail is not None else "",
        url=webhook,
        subject=subject.fill(values) if subject is not None else "",
        body=body.fill(values) if body is not None else "",
        fields=values,
        secret=run.secret,
    )
    run.tell("", f"{kind} to {webhook if mail is None else run.told(mail)}")
    run.world.send(letter)
    return None


@verb("End the call.", main="cause", ends=True)
async def hangup(
    run: Run,
    cause: Annotated[
        Literal["normal", "busy", "rejected"], OneOf(("normal", "busy", "rejected"))
    ] = "normal",
) -> Following:
    run.tell("", cause)
    return hung_up(cause, answered=run.world.answered)


VOCABULARY = Vocabulary({name: each.schema for name, each in VERBS.items()})
"""What the loader needs to know of all verbs."""

__all__ = ["VERBS", "VOCABULARY"]
