"""Dialplans made up at random, and calls to them: what the interpreter must survive.

`generated_plan(rng)` writes a whole file as text, with every kind of section and every verb;
nothing in it is sensible. It may hold endless circles: the caps of the interpreter end those.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

EXTENSIONS = ("201", "202", "203", "204")
KEYS = "0123456789*#"
VALUES = ("gold", "blocked", "vip", "42", "7", "")
STATES = ("answers", "busy", "no_answer", "unregistered")

_HEAD = """version: 1
defaults: {{operator: {operator}, language: {language}, timezone: Asia/Shanghai}}
prompts:
  a: {{zh: 您好。, en: Hello there.}}
  b: {{zh: "请按${{x or language:digits}}。", yue: 請撳1。}}
  c: {{en: "You said ${{x}}."}}
hours:
  office: {{weekly: {{mon-fri: "09:00-12:00, 13:30-18:00"}}, holidays: [2026-10-01..2026-10-07]}}
  never: {{weekly: {{sun: "03:00-03:30"}}}}
lookups:
  one: {{sql: shop, query: "SELECT a FROM t WHERE n = :n", with: {{n: x}}, if_empty: {empty}}}
  two: {{http: "https://crm.example/${{caller.number}}", save: {{level: l}},
        if_empty: {{level: no}}, if_error: {error}}}
"""


def generated_plan(rng: Random) -> str:
    """Return a dialplan; it has a number `400` and loads without an error."""
    return _Plan(rng).text()


def generated_press(rng: Random) -> tuple[str, ...]:
    """Return what a caller presses: up to eight groups."""
    groups = ["".join(rng.choices(KEYS, k=rng.choice((1, 1, 1, 2, 4)))) for _ in range(8)]
    groups = [rng.choice((group, group, group, "-", "123456#")) for group in groups]
    return tuple(groups[: rng.randrange(9)])


class _Plan:
    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.flows = [f"f{number}" for number in range(rng.randint(1, 5))]
        self.menus = [f"m{number}" for number in range(rng.randint(1, 4))]
        self.groups = ["g0", "g1"]
        self.queues = ["q0", "q1"]

    def text(self) -> str:
        rng = self.rng
        head = _HEAD.format(
            operator=self.place(leaf=True),
            language=rng.choice(("zh", "yue", "en")),
            empty=self.place(),
            error=self.place(),
        )
        lines = [
            head,
            f'numbers: {{"400": {{to: {self.place()}, language: en, tag: made}}}}',
            "flows:",
        ]
        for flow in self.flows:
            lines += [f"  {flow}:", *self.steps(4, rng.randint(1, 5))]
        lines.append("menus:")
        for menu in self.menus:
            lines += self.menu(menu)
        lines.append("ring_groups:")
        for group in self.groups:
            how = rng.choice(("all", "in_order"))
            members = ", ".join(f"ext:{each}" for each in rng.sample(EXTENSIONS, 2))
            lines.append(
                f"  {group}: {{members: [{members}], how: {how}, ring: 10s,"
                f" no_answer: {self.place()}}}"
            )
        lines.append("queues:")
        for queue in self.queues:
            places = f"if_no_agents: {self.place()}, if_full: {self.place()}"
            lines.append(f"  {queue}: {{{places}, if_timeout: {self.place()}}}")
        lines += ["voicemail:", "  box: {greeting: a}"]
        lines += ["surveys:", "  s: {prompt: b, keys: {1: good, 2: bad}}"]
        return "\n".join(lines) + "\n"

    def place(self, *, leaf: bool = False) -> str:
        rng = self.rng
        leaves = [
            f"ext:{rng.choice(EXTENSIONS)}",
            "voicemail:box",
            f"queue:{rng.choice(self.queues)}",
        ]
        if leaf:
            return rng.choice(leaves)
        return rng.choice(
            [
                *leaves,
                f"flow:{rng.choice(self.flows)}",
                f"flow:{rng.choice(self.flows)}",
                f"menu:{rng.choice(self.menus)}",
                f"menu:{rng.choice(self.menus)}",
                f"ring:{rng.choice(self.groups)}",
                "survey:s",
                "number:13900139000",
                "operator",
                "back",
                "repeat",
                "hangup",
                "callback",
            ]
        )

    def menu(self, name: str) -> list[str]:
        rng = self.rng
        lines = [f"  {name}:", f"    prompt: [{', '.join(rng.sample('abc', rng.randint(1, 2)))}]"]
        lines.append("    keys:")
        keys = dict.fromkeys(rng.choices((*KEYS, "12", "123", "45"), k=rng.randint(1, 5)))
        lines += [f'      "{key}": {self.choice()}' for key in keys]
        if rng.random() < 0.3:
            lines.append("    dial_extension: 200-209")
        if rng.random() < 0.5:
            lines.append(f"    no_input: {self.choice()}")
        if rng.random() < 0.5:
            lines.append(f"    invalid: [{self.choice()}, {self.choice()}]")
        if rng.random() < 0.3:
            lines.append(f"    tries: {rng.randint(1, 5)}")
        if rng.random() < 0.2:
            lines.append("    interrupt: no")
        return [*lines, f"    give_up: {self.place()}"]

    def choice(self) -> str:
        rng = self.rng
        if rng.random() < 0.7:
            return self.place()
        return rng.choice(
            [
                f"{{language: {rng.choice(('zh', 'yue', 'en'))}, goto: {self.place()}}}",
                f"{{say: {rng.choice('abc')}, then: {self.place()}}}",
                f"{{set: {{x: '{rng.choice(VALUES)}'}}, goto: repeat}}",
            ]
        )

    def steps(self, indent: int, count: int) -> list[str]:
        pad = " " * indent
        lines: list[str] = []
        for _ in range(count):
            first, *rest = self.rng.choice(self.verbs())(indent)
            lines += [f"{pad}- {first}", *(f"{pad}  {line}" for line in rest)]
        return lines

    def branch(self, name: str, indent: int) -> list[str]:
        """Return an outcome beside a step, or nothing."""
        chance = self.rng.random()
        if chance < 0.3:
            return []
        if chance < 0.75 or indent > 10:
            return [f"{name}: {self.place()}"]
        inner = self.steps(0, self.rng.randint(1, 2))
        return [f"{name}:", *(f"  {line}" for line in inner)]

    def verbs(self) -> list[Callable[[int], list[str]]]:
        rng = self.rng
        deeper = 4

        def branches(indent: int, *names: str) -> list[str]:
            return [line for name in names for line in self.branch(name, indent + deeper)]

        return [
            lambda _: ["answer"],
            lambda _: [f"say: {rng.choice('abc')}"],
            lambda _: [
                f"say: {{prompt: [a, b], language: {rng.choice(('zh', 'en'))}, interrupt: no}}"
            ],
            lambda _: [
                f"ask: {{prompt: a, save: x, digits: {rng.choice(('1', '2-4', '6'))},"
                f" tries: {rng.randint(1, 3)}, secret: {rng.choice(('yes', 'no'))},"
                f" give_up: {self.place()}}}"
            ],
            lambda _: [f"goto: {self.place()}"],
            lambda _: [f"do: {rng.choice(self.flows)}"],
            lambda indent: [
                f"if: {rng.choice(('x', 'two.level', 'language'))}"
                f" {rng.choice(('is', 'is not', 'starts with'))}"
                f" {rng.choice(('gold', 'zh', '42'))}",
                *branches(indent, "then", "else"),
            ],
            lambda indent: ["choose: x", *branches(indent, "gold", "else")],
            lambda indent: [
                f"hours: {rng.choice(('office', 'never'))}",
                *branches(indent, "open", "closed", "holiday"),
            ],
            lambda indent: [
                f"lookup: {rng.choice(('one', 'two'))}",
                *branches(indent, "if_empty", "if_error"),
            ],
            lambda _: [f"set: {{x: '{rng.choice(VALUES)}', y: \"${{x or language}}\"}}"],
            lambda _: [
                rng.choice(("tag: made_done", "note: 'x is ${x}'", "priority: 5", "agent: ${x}"))
            ],
            lambda _: [
                rng.choice(("skill: tech 3", "caller_name: Made", "record: start", "record: stop"))
            ],
            lambda _: [f"language: {rng.choice(('zh', 'yue', 'en', '${x}'))}"],
            lambda _: [rng.choice(("pause: 1s", "music: {for: 2s}", "keys: 12#", "survey: s"))],
            lambda _: ["send: {mail: a@example.org, subject: hello, body: 'x ${x}'}"],
            lambda indent: [
                f"queue: {rng.choice(self.queues)}",
                *branches(indent, "if_full", "if_no_agents", "if_timeout"),
            ],
            lambda indent: [
                "ring: {to: [ext:201, ext:202], "
                f"together: {rng.choice(('yes', 'no'))}, each: 10s}}",
                *branches(indent, "no_answer", "busy", "failed"),
            ],
            lambda indent: ["callback: caller", *branches(indent, "refused")],
            lambda _: [f"hangup: {rng.choice(('normal', 'busy', 'rejected'))}"],
        ]
