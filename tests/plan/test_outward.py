"""What a plan asks for that callpbx.yaml does not provide."""

from __future__ import annotations

from pbx.config import AllowedHost, HttpSettings, MailSettings, Settings
from pbx.plan.outward import unconfigured
from tests.kit.plans import plan_of

PLAN = """
lookups:
  customer:
    http: https://CRM.local/${caller.number}
    headers: {Authorization: "Bearer ${secret.crm}"}
  order: {sql: shop, query: SELECT 1 AS one}
flows:
  front_door:
    - answer
    - lookup: customer
    - lookup: order
    - if: customer.level is vip
      then:
        - send: {mail: boss@caoyuan.example, subject: VIP}
    - goto: menu:main
menus:
  main:
    prompt: choose
    keys:
      1: [{send: {webhook: "https://hooks.example/${secret.hook}"}}, {goto: hangup}]
    give_up: hangup
numbers:
  "4008001234": flow:front_door
voicemail:
  service: {mail: kefu@caoyuan.example}
  silent: {greeting: hello}
"""

CONFIGURED = Settings(
    connections={"shop": "sqlite:///shop.db"},
    http=HttpSettings((AllowedHost("crm.local"), AllowedHost("hooks.example"))),
    mail=MailSettings("mail.example", "pbx@example.com"),
    secrets={"crm": "x", "hook": "y"},
)


def test_a_plan_that_has_all_it_asks_for_is_fine() -> None:
    assert unconfigured(plan_of(PLAN), CONFIGURED) == []


def test_everything_that_is_missing_is_told_at_its_place() -> None:
    problems = unconfigured(plan_of(PLAN), Settings())
    assert {problem.code for problem in problems} == {"W027"}
    assert all(problem.line > 0 for problem in problems)
    assert sorted(problem.sentence for problem in problems) == [
        "lookups.customer: crm.local is not among the hosts that callpbx.yaml allows",
        'lookups.customer: secret "crm" is not in callpbx.yaml',
        'lookups.order: connection "shop" is not in callpbx.yaml',
        "send: hooks.example is not among the hosts that callpbx.yaml allows",
        'send: secret "hook" is not in callpbx.yaml',
        "send: there is no mail server",
        "voicemail.service: there is no mail server",
    ]
