"""Section `ring_groups`: who rings, and how."""

from __future__ import annotations

import pytest

from pbx.plan.destination import HANGUP, Destination
from pbx.plan.model import RingGroup
from tests.kit.broken import loaded, mistake


def test_a_group_is_read_whole() -> None:
    group = loaded(
        "ring_groups:\n  s: {members: [ext:101, number:13800138000], how: rotate, ring: 15s,"
        " no_answer: hangup}\n"
    ).ring_groups["s"]
    members = (Destination("ext", "101"), Destination("number", "13800138000"))
    assert group == RingGroup("s", members, "rotate", 15.0, HANGUP, group.mark)


def test_one_member_needs_no_list() -> None:
    assert len(loaded("ring_groups: {s: {members: ext:101}}").ring_groups["s"].members) == 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("members: [▸menu:x]", "ring_groups.s members cannot be menu:x"),
        ("members: [▸101]", "write ext:101"),
        ("members: [▸ext:101，ext:102]", 'write ", " between places'),
        ("members: [ext:101], how: ▸al", '"al" is none of all, in_order, rotate'),
        ("members: [ext:101], ring: ▸20", "E005 ring_groups.s ring"),
        ("members: [ext:101], no_answer: ▸queue:x", "E014 ring_groups.s no_answer: unknown queue"),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    assert words in mistake(f"ring_groups:\n  s: {{{keys}}}\n")


def test_a_group_has_members() -> None:
    assert "E005 ring_groups.s has no members" in mistake("ring_groups:\n  ▸s: {how: all}\n")
