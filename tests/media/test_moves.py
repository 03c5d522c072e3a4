"""Legs on their way: what waits for them, and what does not."""

from pbx.media.moves import Moves
from pbx.media.protocol import Announce, Enter, FreeLeg, SetGains, StopRecording

ONE, TWO, THREE = 1, 2, 3  # workers
LEG, OTHER = 10, 11
BRIDGE = 20


def test_commands_for_a_leg_wait_in_order():
    moves = Moves()
    assert moves.lead(LEG, TWO)
    commands = [Enter(LEG, BRIDGE), FreeLeg(LEG)]
    assert all(moves.hold(TWO, command) for command in commands)
    assert not moves.hold(TWO, FreeLeg(OTHER))
    move = moves.end(LEG)
    assert move is not None
    assert (move.taker, move.held) == (TWO, commands)
    assert not moves.hold(TWO, FreeLeg(LEG))
    assert len(moves) == 0


def test_what_names_no_leg_does_not_wait():
    moves = Moves()
    moves.lead(LEG, TWO)
    assert not moves.hold(TWO, SetGains(BRIDGE, ((LEG, OTHER, 0.0),)))
    assert not moves.hold(TWO, StopRecording(LEG))


def test_an_announcement_waits_for_who_enters_its_bridge():
    moves = Moves()
    moves.lead(LEG, TWO)
    assert not moves.hold(TWO, Announce(BRIDGE, ("tone:beep",)))
    moves.hold(TWO, Enter(LEG, BRIDGE))
    assert moves.hold(TWO, Announce(BRIDGE, ("tone:beep",)))
    assert not moves.hold(ONE, Announce(BRIDGE, ("tone:beep",)))
    assert not moves.hold(TWO, Announce(BRIDGE + 1, ("tone:beep",)))


def test_a_leg_on_its_way_can_be_led_elsewhere():
    moves = Moves()
    assert moves.lead(LEG, TWO)
    moves.hold(TWO, Enter(LEG, BRIDGE))
    assert not moves.lead(LEG, THREE)
    move = moves.end(LEG)
    assert move is not None
    assert (move.taker, move.held) == (THREE, [Enter(LEG, BRIDGE)])


def test_legs_that_died_are_forgotten():
    moves = Moves()
    moves.lead(LEG, TWO)
    moves.lead(OTHER, TWO)
    moves.forget({LEG, 99})
    assert moves.end(LEG) is None
    assert moves.end(OTHER) is not None
