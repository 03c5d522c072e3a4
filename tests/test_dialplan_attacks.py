"""Attacks on the dialplan: whoever calls, answers a lookup or writes a file gains nothing.

Everything goes through the real loader, the real interpreter and the real `Outside`, to loopback at
most. The rooms test the same refusals one by one (tests/outside, tests/marks, tests/plan,
tests/mailboxes; PINs in tests/flows/test_voicemail.py, CSV in tests/cdr/test_export.py); here they
are tried as attackers would.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from pbx.config import AllowedHost, HttpSettings, Settings
from pbx.errors import Refused
from pbx.events import CallNoted, CallTagged
from pbx.ivr import interpreter
from pbx.ivr.check import Facts, check
from pbx.ivr.rehearsal import Circumstances, RehearsedWorld
from pbx.ivr.run import MAX_VALUE, Run
from pbx.ivr.verbs import VERBS, VOCABULARY
from pbx.ivr.world import Answer, Caller, Letter
from pbx.mailboxes.model import file_name
from pbx.outside.enquiries import Outside
from pbx.outside.speech.files import problem_of
from pbx.plan.loader import read_plan
from pbx.plan.model import Lookup, Plan
from tests.kit.broken import problems
from tests.kit.exchange import House, flow
from tests.kit.plans import MONDAY, NUMBER, flow_of, plan_of, rehearsed
from tests.kit.web import Web, reply

TEMPLATES = ("${secret.crm}", "${caller.number}", "{{7*7}}", "{0.__class__}", "%(name)s", "$(id)")
"""Texts that some other program would compute."""

EVERYWHERE = """
    - set: {copy: "${caller.name}"}
    - tag: "${caller.name}"
    - note: "${copy}"
    - say: greet
    - if: caller.name is "49"
      then: ext:66
    - choose: caller.name
      "49": ext:66
      else: [pause: 1s]
    - language: "${caller.name}"
    - agent: "${caller.name}"
    - caller_name: "${caller.name}"
    - send: {mail: boss@office.example, subject: "${caller.name}", body: "${copy}"}
    - goto: ext:101
"""
GREET = 'prompts: {greet: {zh: "您好${caller.name}"}}'


class Attacked(RehearsedWorld):
    """A rehearsed call whose lookups ask the real outside. `letters` are what it would send."""

    def __init__(self, plan: Plan, told: Circumstances, outside: Outside | None, name: str) -> None:
        super().__init__(plan, told)
        self._outside = outside
        self.caller = Caller("rehearsal", told.from_, name, called=told.to)
        self.letters: list[Letter] = []

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Ask the outside."""
        assert self._outside is not None
        return await self._outside.look_up(lookup, values)

    def send(self, letter: Letter) -> None:
        """Keep it."""
        self.letters.append(letter)

    @property
    def story(self) -> str:
        """Return all lines of the call's story."""
        return "\n".join(
            f"{line.step.kind} {line.step.name} {line.step.text}" for line in self.lines
        )


async def called(
    plan: Plan, outside: Outside | None = None, *, number: str = "", name: str = "", press: str = ""
) -> Attacked:
    """Take a call through the plan; return its world afterwards."""
    told = Circumstances(to=NUMBER, at=MONDAY, from_=number, press=tuple(press.split()))
    world = Attacked(plan, told, outside, name)
    route = plan.inbound(NUMBER)
    assert route is not None
    await interpreter.route(Run(plan, world, verbs=VERBS), route)
    return world


def outside_of(
    folder: Path,
    allow: Iterable[AllowedHost] = (),
    names: Mapping[str, Sequence[str]] | None = None,
    connections: Mapping[str, str] | None = None,
) -> Outside:
    """Return an outside that may ask `allow`, whose names are known as `names` says."""

    async def resolve(host: str) -> Sequence[str]:
        return (names or {}).get(host, ["127.0.0.1"])

    return Outside(
        Settings(
            http=HttpSettings(tuple(allow)),
            connections=connections or {},
            secrets={"crm": "tell-nobody"},
        ),
        folder,
        resolve=resolve,
        monotonic=lambda: 0.0,
        alarm=lambda _: None,
    )


HERE = AllowedHost("crm.local", ipaddress.ip_network("127.0.0.1/32"))


def lookup_plan(address: str) -> Plan:
    """Return a plan that asks `address` and tells where the call went by the extension."""
    steps = """
        - answer
        - lookup: crm
          if_empty: ext:102
          if_error: ext:103
        - tag: "${crm.level}"
        - goto: ext:101
    """
    return flow_of(steps, f'lookups: {{crm: {{http: "{address}", save: {{level: level}}}}}}')


# -- SSRF --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        *("127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1"),
        *("0.0.0.0", "100.64.0.1", "fe80::1", "fd00::1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_a_name_on_the_list_that_points_inside_is_not_asked(tmp_path: Path, where: str) -> None:
    async def main() -> None:
        async with Web(reply('{"level": "vip"}')) as web:
            outside = outside_of(tmp_path, [AllowedHost("crm.local")], {"crm.local": [where]})
            world = await called(lookup_plan(f"http://crm.local:{web.port}/x"), outside)
            await outside.close()
        assert web.connections == 0
        assert "may not be reached" in world.story
        assert world.lines[-1].step.name == "103"

    asyncio.run(main())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_an_address_in_any_spelling_is_not_asked_unless_it_is_on_the_list(
    tmp_path: Path, host: str
) -> None:
    async def main() -> None:
        async with Web(reply('{"level": "vip"}')) as web:
            address = f"http://{host}:{web.port}/x"
            if found := problems(f'lookups: {{crm: {{http: "{address}"}}}}\n'):
                assert any("host" in each.sentence for each in found)
                return
            outside = outside_of(tmp_path, [HERE])
            world = await called(lookup_plan(address), outside)
            await outside.close()
        assert web.connections == 0
        assert world.lines[-1].step.name == "103"

    asyncio.run(main())


def test_a_redirection_to_another_machine_is_not_followed(tmp_path: Path) -> None:
    async def main() -> None:
        async with Web(reply('{"level": "vip"}')) as inner:
            location = f"http://127.0.0.1:{inner.port}/"
            async with Web(reply("", 302, location=location)) as web:
                outside = outside_of(tmp_path, [HERE])
                world = await called(lookup_plan(f"http://crm.local:{web.port}/"), outside)
                await outside.close()
        assert inner.connections == 0
        assert "redirects (302), which is not followed" in world.story

    asyncio.run(main())


@pytest.mark.parametrize(
    "value",
    [
        *("@evil.example/", "../../admin", "..%2f..%2fadmin", "?admin=1", "#x", ":80@evil/"),
        *("//evil.example", "\r\nHost: evil.example\r\n\r\nGET /admin", "\\..\\admin", "a;b&c=d"),
        *TEMPLATES,
    ],
)
def test_what_a_caller_is_called_changes_no_address(tmp_path: Path, value: str) -> None:
    async def main() -> None:
        async with Web(reply('{"level": "vip"}')) as web:
            outside = outside_of(tmp_path, [HERE])
            address = f"http://crm.local:{web.port}/by/${{caller.name}}?n=${{caller.number}}"
            await called(lookup_plan(address), outside, name=value, number=value)
            await outside.close()
        for asked in web.requests:
            method, path, version = asked.line.split(" ")
            assert (method, version) == ("GET", "HTTP/1.1")
            assert path.startswith("/by/")
            assert path.count("/") == 2
            assert path.count("?") == path.count("=") == 1
            assert not set(path) & set("\\#@;&{}")
            assert asked.headers["host"] == f"crm.local:{web.port}"
            assert "tell-nobody" not in asked.line

    asyncio.run(main())


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://${caller.name}/",
            "http://${caller.name}.example/",
            "${caller.name}",
            "file:///x",
        ),
        *("http://a@evil/", "gopher://a/", "http:///x", "//evil/", "http://a b/", "ftp://a/x"),
    ],
)
def test_no_address_is_chosen_by_a_value_or_of_another_kind(address: str) -> None:
    found = problems(f'lookups: {{crm: {{http: "{address}"}}}}\n')
    assert any(each.severity == "error" for each in found)


# -- SQL ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "' OR 1=1 --",
        "x'; DROP TABLE orders;--",
        '" OR ""="',
        "\\' OR 1=1 #",
        ":no",
        "?1",
        "%",
        "\0",
    ],
)
def test_a_value_is_never_a_part_of_a_query(tmp_path: Path, value: str) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE orders (no TEXT, status TEXT)")
        shop.execute("INSERT INTO orders VALUES ('1', 'sent')")
    before = (tmp_path / "shop.db").read_bytes()
    plan = flow_of(
        """
        - lookup: order
          if_empty: ext:102
          if_error: ext:103
        - goto: ext:101
        """,
        'lookups: {order: {sql: shop, query: "SELECT status FROM orders WHERE no = :no",'
        " with: {no: caller.name}, save: {status: status}}}",
    )

    async def main() -> Attacked:
        outside = outside_of(tmp_path, connections={"shop": "sqlite:///shop.db"})
        world = await called(plan, outside, name=value)
        await outside.close()
        return world

    assert asyncio.run(main()).lines[-1].step.name == "102"
    assert (tmp_path / "shop.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM orders WHERE no = '${caller.name}'",
        "SELECT ${caller.name} FROM orders",
        "DELETE FROM orders",
        "SELECT 1; DROP TABLE orders",
        "/* */ DROP TABLE orders",
        "PRAGMA writable_schema=1",
        "ATTACH 'x' AS y",
    ],
)
def test_a_query_that_could_write_or_holds_a_value_is_refused(tmp_path: Path, query: str) -> None:
    text = f'lookups: {{o: {{sql: shop, query: "{query}"}}}}\n'
    if any(each.code == "E013" for each in problems(text)):
        return
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE orders (no TEXT)")
    before = (tmp_path / "shop.db").read_bytes()

    async def main() -> Attacked:
        outside = outside_of(tmp_path, connections={"shop": "sqlite:///shop.db"})
        world = await called(
            flow_of("- lookup: o\n  if_error: ext:103\n- goto: ext:101", text), outside
        )
        await outside.close()
        return world

    assert asyncio.run(main()).lines[-1].step.name == "103"
    assert (tmp_path / "shop.db").read_bytes() == before


# -- templates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_callers_name_is_a_text_wherever_it_stands(name: str) -> None:
    world = asyncio.run(called(plan_with_greeting(), name=name, number=name))
    assert CallTagged(call="rehearsal", tag=name) in world.events
    assert CallNoted(call="rehearsal", text=name) in world.events
    assert f"zh: 您好{name}" in world.story
    assert f'"{name}" is none of zh, yue, en' in world.story
    (letter,) = world.letters
    assert (letter.to, letter.subject, letter.body) == ("boss@office.example", name, name)
    assert world.lines[-1].step.name == "101"
    assert "tell-nobody" not in world.story


def plan_with_greeting() -> Plan:
    """Return a plan in which the caller's name stands in every place that takes values."""
    return plan_of(
        f'numbers: {{"{NUMBER}": flow:main}}\n{GREET}\nflows:\n  main:{EVERYWHERE}', prompts=False
    )


@pytest.mark.parametrize("answer", TEMPLATES)
def test_what_a_server_answers_is_a_text(tmp_path: Path, answer: str) -> None:
    async def main() -> Attacked:
        async with Web(reply(json.dumps({"level": answer}))) as web:
            outside = outside_of(tmp_path, [HERE])
            world = await called(lookup_plan(f"http://crm.local:{web.port}/"), outside)
            await outside.close()
            return world

    world = asyncio.run(main())
    assert CallTagged(call="rehearsal", tag=answer) in world.events
    assert world.lines[-1].step.name == "101"


@pytest.mark.parametrize(
    "step",
    [
        "say: secret_prompt",
        'tag: "${secret.crm}"',
        'note: "${secret.crm}"',
        'set: {a: "${secret.crm}"}',
        'caller_name: "${secret.crm}"',
        'agent: "${secret.crm}"',
        'language: "${secret.crm}"',
        "if: secret.crm is x",
        'if: "caller.name is ${secret.crm}"',
        'send: {mail: "${secret.crm}@evil.example"}',
        'send: {mail: a@b.example, subject: "${secret.crm}", body: x}',
        'send: {webhook: "https://a.example/", body: "${secret.crm}"}',
        'goto: "ext:${caller.name}"',
        'goto: "${caller.name}"',
        'queue: "${caller.name}"',
        'ring: ["ext:${caller.name}"]',
    ],
)
def test_no_secret_can_be_heard_and_no_place_is_a_value(step: str) -> None:
    text = (
        f'numbers: {{"{NUMBER}": flow:main}}\n'
        'prompts: {secret_prompt: {zh: "${secret.crm}"}}\n'
        f"flows:\n  main:\n    - {step}\n    - hangup\n"
    )
    if "secret_prompt" not in step:
        text = text.replace('{zh: "${secret.crm}"}', "{zh: x}")
    assert any(each.severity == "error" for each in problems(text)), step


@pytest.mark.parametrize(
    "number", ["1001&PJSIP/evil", "1001;x=y", "101@evil", "1001,102", "9" * 400]
)
def test_a_number_is_a_number_and_no_expression(number: str) -> None:
    async def scenario(house: House) -> None:
        house.exchange.plan = plan_of('numbers: {"1001": ext:102}\n')
        (alice,) = await house.registered("101")
        assert await alice.call(number).failed() in (400, 404, 414, 484)
        assert not house.exchange.calls

    flow(scenario)


# -- traversal ---------------------------------------------------------------------------------

OUTSIDE_PATHS = ("../outside.wav", "/etc/passwd", "sounds/../../outside.wav", "sounds/link.wav")


@pytest.mark.parametrize("path", OUTSIDE_PATHS)
def test_a_prompt_plays_nothing_outside_the_office(tmp_path: Path, path: str) -> None:
    office = tmp_path / "office"
    (office / "sounds").mkdir(parents=True)
    (tmp_path / "outside.wav").write_bytes(b"RIFF")
    (office / "sounds" / "link.wav").symlink_to(tmp_path / "outside.wav")
    text = f"version: 1\nprompts: {{p: {{zh: {{file: {path}}}}}}}\n"
    (office / "dialplan.yaml").write_text(text)
    checked = check(
        office / "dialplan.yaml", Facts(MONDAY.date(), sounds=lambda path: problem_of(office, path))
    )
    assert any(each.severity == "error" for each in checked.problems), checked.problems


@pytest.mark.parametrize("name", ["../x", "/etc", "a/b", "..", "a\\b", ".", "a\0b"])
def test_no_name_of_a_plan_is_a_path(name: str) -> None:
    quoted = json.dumps(name)
    for section in (
        f"prompts: {{{quoted}: {{zh: x}}}}",
        f"voicemail: {{{quoted}: {{mail: a@b.example}}}}",
        f"flows: {{f: [{{music: {quoted}}}]}}",
        f"queues: {{q: {{music: {quoted}, max_wait: 5m, if_timeout: hangup}}}}",
        f"flows: {{f: [{{goto: {json.dumps('voicemail:' + name)}}}]}}",
    ):
        found = problems(f"{section}\n")
        assert any(each.severity == "error" for each in found), section


@pytest.mark.parametrize(
    "id", ["../../etc/passwd", "/etc/passwd", "x" * 300, "", ".", "a\0b", "1.wav"]
)
def test_an_id_of_a_message_is_no_path(id: str) -> None:
    with pytest.raises(Refused):
        file_name(id)


# -- YAML --------------------------------------------------------------------------------------

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(9)
)
START = f'version: 1\nnumbers: {{"{NUMBER}": flow:f}}\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: !!python/object/apply:os.system ['touch evil']\n", "E001 tags (words after !)"),
        ("!!python/object:os.Popen {}\n", "E001 tags (words after !)"),
        (BOMB, 'E001 "&a" is an anchor, which is not supported'),
        ("a: {<<: {b: c}}\n", 'E001 "<<" is not supported'),
        ("a: " + "[" * 100_000, "E001 more than 40 levels"),
        ("".join(" " * depth + "a:\n" for depth in range(500)), "E001 more than 40 levels"),
        (b"# a\n" * 2_500_000, "E001 the file is longer than 1,000,000 characters"),
        ("".join(f"k{n}: 1\n" for n in range(1_000_000)), "E001 the file is longer"),
        ("version: 1\nnumbers: {400: flow:f\0}\n", "E001 a character that YAML does not allow"),
        (b"version: 1\n\xc3\x28: 1\n", "E001 the file is not UTF-8"),
        ("a: b\n---\nc: d\n", "E001 the file holds a second document"),
        ("? [a, b]\n: c\n", "E001 a key must be a word"),
        (f"{START}flows: {{f: [{{pause: {'9' * 100_000}s}}]}}\n", "E005 flows.f pause: "),
        (f"{START}flows: {{f: [{{priority: 1e999}}]}}\n", "E005 flows.f priority: "),
    ],
)
def test_a_file_that_is_an_attack_is_refused_in_a_sentence(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = [str(each) for each in read_plan(path, VOCABULARY).problems]
    assert any(words in each for each in found), found[:3]
    assert max(map(len, found)) < 1_000
    assert [each.name for each in tmp_path.iterdir()] == ["dialplan.yaml"]


LONG = 400_000
"""Characters with which anything that looks at each twice would take minutes."""


ENDLESS = {
    "brackets in a condition": f"flows: {{f: [{{if: 'a is {'[' * LONG}', then: hangup}}]}}\n",
    "dollars in a condition": f"flows: {{f: [{{if: 'a is {'${' * LONG}', then: hangup}}]}}\n",
    "spaces in a value": f"prompts: {{p: {{zh: '${{a{' ' * LONG}b}}'}}}}\n",
    "spaces in a line without a colon": f"menus\n  a{' ' * LONG}b\n",
    "spaces in a text of two lines": f"prompts:\n  p:\n    zh: a\n      b{' ' * LONG}c\n",
    "brackets in a query": f"lookups: {{l: {{sql: c, query: 'SELECT {'(' * LONG}'}}}}\n",
    "dots in a host": f"lookups: {{l: {{http: 'http://{'a.' * (LONG // 2)}/'}}}}\n",
    "keys in a prompt": "menus: {m: {prompt: p, give_up: hangup, keys: {1: hangup}}}\n"
    f"prompts: {{p: {{en: '{'press ' * (LONG // 6)}'}}}}\n",
    "variables of variables": "flows:\n  f:\n"
    + "".join(f"    - set: {{v{n}: '${{v{n - 1}}}'}}\n" for n in range(1, 3_000)),
    "flows that run twice": "flows: {f: [do: f0], f1000: [hangup], "
    + ", ".join(f"f{n}: [do: f{n + 1}, do: f{n + 1}]" for n in range(1_000))
    + "}\n",
    "a chain of like": "queues: {q0: {max_wait: 5m}, "
    + ", ".join(f"q{n}: {{like: q{n - 1}}}" for n in range(1, 1_500))
    + "}\n",
    "names that are nearly right": "menus: {"
    + ", ".join(f"m{n}: {{give_up: flow:g{n}}}" for n in range(2_000))
    + "}\nflows: {"
    + ", ".join(f"h{n}: [hangup]" for n in range(2_000))
    + "}\n",
}
"""What would take minutes or years of anything that looks at each of them twice."""


@pytest.mark.parametrize("attack", ENDLESS)
def test_no_text_takes_for_ever_to_be_read(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_text(START + ENDLESS[attack])
    assert check(path, Facts(MONDAY.date())).problems


@pytest.mark.parametrize(
    "pattern",
    [
        *("([0-9]+)+#", "[0-9]*[0-9]*", "(a|a)*", "[0-9]+", ".*", "\\1", "(?=1)", "[[:digit:]]"),
        *("[0-9]{0,9}" * 3, "[0-9]{1,99999}", "[0-9]" * 100, "[9-0]", "{3}"),
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    step = json.dumps({"ask": {"prompt": "p", "save": "x", "check": pattern}, "give_up": "hangup"})
    (found,) = problems(f"prompts: {{p: {{zh: x}}}}\nflows: {{f: [{step}]}}\n")
    assert found.code == "E005"
    assert found.sentence.startswith("flows.f ask check: ")


def test_an_include_opens_no_more_files_than_an_office_has(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for number in range(1_000):
        (tmp_path / "d" / f"{number}.yaml").write_text("version: 1\n")
    (tmp_path / "dialplan.yaml").write_text("version: 1\ndefaults: {include: [d/*.yaml]}\n")
    reading = read_plan(tmp_path / "dialplan.yaml", VOCABULARY)
    assert any("include: more than 200 files" in each.sentence for each in reading.problems)


# -- too much ----------------------------------------------------------------------------------


def test_what_a_server_answers_has_bounds(tmp_path: Path) -> None:
    answer = json.dumps({"level": "x" * 50_000, **{f"k{n}": "y" for n in range(500)}})

    async def main() -> Attacked:
        async with Web(reply(answer)) as web:
            outside = outside_of(tmp_path, [HERE])
            world = await called(lookup_plan(f"http://crm.local:{web.port}/"), outside)
            await outside.close()
            return world

    world = asyncio.run(main())
    (tag,) = (event.tag for event in world.events if isinstance(event, CallTagged))
    assert len(tag) <= MAX_VALUE


def test_values_that_are_put_together_have_bounds() -> None:
    doubling = "\n".join('- set: {a: "${a}${a}${caller.name}"}' for _ in range(60))
    plan = flow_of(f'{doubling}\n- note: "${{a}}"\n- goto: ext:101')
    world = asyncio.run(called(plan, name="x" * 900))
    (note,) = (event.text for event in world.events if isinstance(event, CallNoted))
    assert len(note) <= MAX_VALUE


def test_keys_that_never_end_are_an_answer_that_does_not_fit() -> None:
    ask = """
        - ask: {prompt: number_please, save: no, digits: 1-6, check: "20[0-9]{4}"}
          give_up: ext:102
        - goto: ext:101
    """
    for press in ("9" * 10_000, "*" * 500 + " " + "#" * 500 + " " + "A" * 50):
        assert rehearsed(flow_of(ask), press=press).lines[-1].step.name == "102"


# -- CSV, logs, terminals ----------------------------------------------------------------------

HOSTILE = "=cmd|' /C calc'!A0\r\n2026-11-22 00:00:00 ERROR fake\x1b[2J\x9b31m"


def test_a_lookup_that_answers_lines_and_escapes_makes_none(tmp_path: Path) -> None:
    async def main() -> Attacked:
        async with Web(reply(json.dumps({"level": HOSTILE}))) as web:
            outside = outside_of(tmp_path, [HERE])
            world = await called(lookup_plan(f"http://crm.local:{web.port}/"), outside)
            await outside.close()
            return world

    world = asyncio.run(main())
    (tag,) = (event.tag for event in world.events if isinstance(event, CallTagged))
    assert tag.isprintable()
    assert tag.startswith("=cmd|")
