"""Scenes: rooms compiled for whatever places their voices have."""

import numpy as np

from pbx.media.mixing.scene import Listener, Room, Scene

FRAMES = np.array([[1], [10], [100], [1000]], dtype=np.int16)
LAYOUT = {"a": 0, "b": 1, "c": 2, "prompt": 3}


def room(*listeners: Listener, voices: str = "abc") -> Room:
    return Room(8000, tuple(voices), listeners)


def heard(scene: Scene, *ears: str) -> list[int]:
    return [int(row[0]) for row in scene.compile(LAYOUT, ears).run(FRAMES)]


def test_a_listener_hears_all_but_its_own_voice():
    scene = Scene([room(Listener("A", own="a"), Listener("B", own="b"))])
    assert heard(scene, "A", "B") == [110, 101]
    assert scene.ears == ["A", "B"]


def test_who_is_no_voice_hears_everybody():
    assert heard(Scene([room(Listener("A", own="a"), voices="bc")]), "A") == [110]


def test_an_ear_that_is_not_there_hears_silence():
    assert heard(Scene([room(Listener("A"))]), "stranger", "A") == [0, 111]


def test_a_prompt_is_heard_by_its_listener_alone():
    scene = Scene([room(Listener("A", own="a", others=0.5, extra=("prompt",)), Listener("B"))])
    assert heard(scene, "A", "B") == [1055, 111]
    assert scene.voices == ["a", "b", "c", "prompt"]


def test_who_does_not_hear_the_room_hears_its_prompt():
    scene = Scene([room(Listener("A", hears=False, extra=("prompt",)), Listener("B", hears=False))])
    assert heard(scene, "A", "B") == [1000, 0]


def test_gains_of_voices_that_are_not_there_are_without_effect():
    scene = Scene([room(Listener("A", gains={"b": 0.0, "stranger": 5.0}))])
    assert heard(scene, "A") == [101]


def test_voices_without_a_place_are_left_out():
    scene = Scene([room(Listener("A"), voices="abcx")])
    assert heard(scene, "A") == [111]


def test_scenes_are_alike_when_all_is_the_same():
    one = Scene([room(Listener("A", gains={"b": 0.0}))])
    assert one.is_like(Scene([room(Listener("A", gains={"b": 0.0}))]))
    assert not one.is_like(Scene([room(Listener("A", gains={"b": 0.1}))]))
    assert not one.is_like(Scene(()))
