"""A dialplan as a large office would write it: 1,000 numbers, 200 menus, 100 queues, 50 flows.

Every menu has prompts of its own in Chinese and English, every place is reached, and `callpbx
check` warns of one thing alone, that there is no line for emergency calls (W026): what is measured
on it is the usual work, not that of complaining.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

NUMBERS: Final = 1000
MENUS: Final = 200
QUEUES: Final = 100
FLOWS: Final = 50
GROUPS: Final = 40
MAILBOXES: Final = 20
SCHEDULES: Final = 10
LOOKUPS: Final = 10
TESTS: Final = 20

FIRST_NUMBER: Final = 40_0800_0000

FIGURES: Final = f"{NUMBERS:,} numbers, {MENUS} menus, {QUEUES} queues, {FLOWS} flows"


def number(n: int) -> str:
    """Return the n-th number of the office."""
    return str(FIRST_NUMBER + n)


def big_plan() -> str:
    """Return the text of dialplan.yaml."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (
        "version: 1",
        "",
        "defaults:",
        "  language: zh",
        "  timezone: Asia/Shanghai",
        "  operator: queue:q0",
        "  menu: {timeout: 5s, between_keys: 2s, tries: 3}",
    )
    for section in (
        _prompts,
        _hours,
        _numbers,
        _lookups,
        _flows,
        _menus,
        _groups,
        _queues,
        _mailboxes,
        _tests,
    ):
        yield ""
        yield from section()


def _prompts() -> Iterator[str]:
    yield "prompts:"
    yield "  welcome: {zh: 您好，欢迎致电。, en: Welcome.}"
    yield "  closed: {zh: 现在是下班时间，请留言。, en: We are closed. Please leave a message.}"
    yield "  ask_order: {zh: 请输入订单号，按井号键结束。, en: Enter your order number then pound.}"
    yield (
        '  order_is: {zh: "您的订单${order.status}，预计${order.eta:date}送达。", '
        'en: "Your order is ${order.status}, due ${order.eta:date}."}'
    )
    for n in range(MENUS):
        yield f"  menu{n}:"
        yield f"    zh: 这里是第{n}部门，咨询请按1，查询请按2，留言请按4，人工请按0。"
        yield f"    en: Department {n}. For advice press 1, for orders 2, to leave a message 4."


def _hours() -> Iterator[str]:
    yield "hours:"
    for n in range(SCHEDULES):
        yield f"  h{n}:"
        yield '    weekly: {mon-fri: "09:00-12:00, 13:30-18:00", sat: "10:00-16:00"}'
        yield "    holidays: [2026-10-01..2026-10-07, 2027-02-05..2027-02-12, 01-01, 05-01]"
        yield "    also_open: {2026-09-20: 09:00-18:00, 2026-10-10: 09:00-18:00}"


def _numbers() -> Iterator[str]:
    yield "numbers:"
    for n in range(NUMBERS):
        if n % 2:
            yield f'  "{number(n)}": {{to: flow:f{n // 2 % FLOWS}, tag: campaign{n % 7}}}'
        else:
            yield f'  "{number(n)}": menu:m{n // 2 % MENUS}'
    yield "  anything_else: operator"


def _lookups() -> Iterator[str]:
    yield "lookups:"
    for n in range(LOOKUPS):
        yield f"  customer{n}:"
        yield f"    http: https://crm{n}.example/api/by-phone/${{caller.number}}"
        yield "    timeout: 2s"
        yield "    save: {name: name, level: level, language: lang}"
        yield "    if_empty: {level: normal}"
        yield "    if_error: {level: normal}"
    yield "  order:"
    yield "    sql: shop"
    yield "    query: SELECT status, eta FROM orders WHERE no = :no"
    yield "    with: {no: order_no}"
    yield "    if_empty: operator"
    yield "    if_error: operator"


def _flows() -> Iterator[str]:
    yield "flows:"
    for n in range(FLOWS):
        customer = f"customer{n % LOOKUPS}"
        yield f"  f{n}:"
        yield "    - answer"
        yield f"    - lookup: {customer}"
        yield f"    - if: {customer}.level is blocked"
        yield "      then: hangup"
        yield f"    - language: ${{{customer}.language or language}}"
        yield f"    - if: {customer}.level is vip"
        yield f"      then: [{{priority: 5}}, {{goto: queue:q{n % QUEUES}}}]"
        yield "    - say: welcome"
        yield f"    - hours: h{n % SCHEDULES}"
        yield f"      open: menu:m{n * 4 % MENUS}"
        yield f"      closed: flow:night{n % MAILBOXES}"
        yield f"      holiday: flow:night{n % MAILBOXES}"
    for n in range(MAILBOXES):
        yield f"  night{n}: [{{say: closed}}, {{goto: voicemail:v{n}}}]"
    yield "  order:"
    yield "    - ask: {prompt: ask_order, save: order_no, digits: 6-12, give_up: operator}"
    yield "    - lookup: order"
    yield "    - say: order_is"
    yield "    - tag: self_service_done"
    yield "    - hangup"


def _menus() -> Iterator[str]:
    yield "menus:"
    for n in range(MENUS):
        yield f"  m{n}:"
        yield f"    prompt: [welcome, menu{n}]"
        yield "    keys:"
        yield f"      1: queue:q{n % QUEUES}"
        yield "      2: flow:order"
        yield f"      3: ring:g{n % GROUPS}"
        yield f"      4: voicemail:v{n % MAILBOXES}"
        yield f"      5: menu:m{(n * 7 + 1) % MENUS}"
        yield "      8: {language: en, goto: repeat}"
        yield "      9: repeat"
        yield "      0: operator"
        yield "    no_input: repeat"
        yield "    invalid: repeat"
        yield "    give_up: operator"


def _groups() -> Iterator[str]:
    yield "ring_groups:"
    for n in range(GROUPS):
        members = ", ".join(f"ext:{1000 + n * 5 + m}" for m in range(5))
        yield f"  g{n}: {{members: [{members}], how: all, ring: 20s, no_answer: queue:q{n}}}"


def _queues() -> Iterator[str]:
    yield "queues:"
    for n in range(QUEUES):
        yield f"  q{n}:"
        yield f"    skills: {{s{n % 12}: 3}}"
        yield "    strategy: longest_idle"
        yield "    ring: 15s"
        yield "    wrap_up: 30s"
        yield "    service_level: 80/20"
        yield "    position: {every: 60s, estimate: yes}"
        yield f"    relax: {{30s: s{n % 12} 1, 90s: any}}"
        yield "    max_wait: 10m"
        yield "    max_callers: 50"
        for end in ("if_full", "if_no_agents", "if_timeout"):
            yield f"    {end}: voicemail:v{n % MAILBOXES}"


def _mailboxes() -> Iterator[str]:
    yield "voicemail:"
    for n in range(MAILBOXES):
        yield f"  v{n}: {{mail: team{n}@example.com, greeting: closed}}"


def _tests() -> Iterator[str]:
    yield "tests:"
    for n in range(TESTS):
        called = number(2 * n)
        yield (
            f'  - {{name: test {n}, to: "{called}", at: 2026-09-28 10:00, press: "5 1", '
            f"expect: [menu:m{n}, menu:m{(n * 7 + 1) % MENUS}]}}"
        )
