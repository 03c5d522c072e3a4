"""What a plan asks of the outside that callpbx.yaml does not provide (W027).

Such a plan works: at run time the lookup fails and takes `if_error`, the mail is an alarm. Whoever
writes the plan is told here. Settings are known by their shape alone, so that nothing of plan needs
the package that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from pbx.marks.problem import NOT_CONFIGURED, Problem
from pbx.plan.destination import Destination
from pbx.plan.model import Lookup, Plan
from pbx.plan.step import Branch, Mark, Step
from pbx.plan.text import Text
from pbx.plan.url import parse_url

SECRET = "secret."
"""What the names of secrets begin with in texts."""


class _Host(Protocol):
    @property
    def host(self) -> str: ...


class _Http(Protocol):
    @property
    def allow(self) -> Sequence[_Host]: ...


class _Mail(Protocol):
    @property
    def server(self) -> str | None: ...


class Surroundings(Protocol):
    """What of callpbx.yaml counts here; `pbx.config.Settings` is one."""

    @property
    def http(self) -> _Http:
        """Return the hosts that lookups may reach."""

    @property
    def connections(self) -> Mapping[str, str]:
        """Return the databases by name."""

    @property
    def mail(self) -> _Mail:
        """Return the mail server."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Return the secrets by name."""


def unconfigured(plan: Plan, settings: Surroundings) -> list[Problem]:
    """Return a W027 for each host, connection, secret and mail server that is not configured."""
    found = [problem for lookup in plan.lookups.values() for problem in _lookup(lookup, settings)]
    for step in steps_of(plan):
        if step.verb == "send":
            found += _letter(step, settings)
    if settings.mail.server is None:
        found += [
            _problem(box.mark, f"voicemail.{box.name}: there is no mail server", MAIL_FIX)
            for box in plan.voicemail.values()
            if box.mail is not None
        ]
    return found


MAIL_FIX = "write server and from in mail: of callpbx.yaml"


def steps_of(plan: Plan) -> Iterator[Step]:
    """Yield every step of a plan: of flows, of menus, and those beside other steps."""
    for flow in plan.flows.values():
        yield from _steps(flow.steps)
    for menu in plan.menus.values():
        choices = [*menu.keys.values(), *menu.no_input, *menu.invalid]
        for choice in [*choices, menu.give_up] if menu.give_up is not None else choices:
            yield from _steps(choice)


def _steps(branch: Branch) -> Iterator[Step]:
    if isinstance(branch, Destination):
        return
    for step in branch:
        yield step
        for outcome in step.outcomes.values():
            yield from _steps(outcome)


def _lookup(lookup: Lookup, settings: Surroundings) -> Iterator[Problem]:
    what = f"lookups.{lookup.name}"
    if lookup.http is not None:
        yield from _address(lookup.http, what, lookup.mark, settings)
        yield from _secrets([lookup.http, *lookup.headers.values()], what, lookup.mark, settings)
    elif lookup.sql is not None and lookup.sql not in settings.connections:
        sentence = f'{what}: connection "{lookup.sql}" is not in callpbx.yaml'
        fix = f"write connections: {{{lookup.sql}: sqlite:///PATH}}"
        yield _problem(lookup.mark, sentence, fix)


def _letter(step: Step, settings: Surroundings) -> Iterator[Problem]:
    webhook = step.arguments.get("webhook")
    if isinstance(webhook, Text):
        yield from _address(webhook, "send", step.mark, settings)
        yield from _secrets([webhook], "send", step.mark, settings)
    elif step.arguments.get("mail") is not None and settings.mail.server is None:
        yield _problem(step.mark, "send: there is no mail server", MAIL_FIX)


def _address(text: Text, what: str, mark: Mark, settings: Surroundings) -> Iterator[Problem]:
    try:
        host = parse_url(text).host
    except ValueError:
        return  # an error of its own, where the file is read
    if host not in {allowed.host for allowed in settings.http.allow}:
        sentence = f"{what}: {host} is not among the hosts that callpbx.yaml allows"
        fix = f"write http: {{allow: [{host}]}}, with host and address where it is private"
        yield _problem(mark, sentence, fix)


def _secrets(
    texts: Iterable[Text], what: str, mark: Mark, settings: Surroundings
) -> Iterator[Problem]:
    names = sorted({name for text in texts for name in text.names if name.startswith(SECRET)})
    for name in names:
        secret = name.removeprefix(SECRET)
        if secret not in settings.secrets:
            sentence = f'{what}: secret "{secret}" is not in callpbx.yaml'
            yield _problem(mark, sentence, f"write secrets: {{{secret}: env:VARIABLE}}")


def _problem(mark: Mark, sentence: str, fix: str) -> Problem:
    return Problem(NOT_CONFIGURED, mark.file, mark.line, mark.column, sentence, fix)
