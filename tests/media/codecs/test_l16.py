import numpy as np

from pbx.media.codecs.l16 import L16


def test_samples_pass_bit_by_bit_in_network_order():
    frames = np.array([[1, -2, 32767, -32768]], np.int16)
    assert L16.encode(None, frames) == [bytes.fromhex("0001fffe7fff8000")]
    assert (L16.decode(None, L16.encode(None, frames)) == frames).all()


def test_frames_that_are_part_of_a_larger_array_are_coded_as_well():
    frames = np.arange(12, dtype=np.int16).reshape(3, 4)[::2, 1:3]
    assert L16.encode(None, frames) == [bytes((0, 1, 0, 2)), bytes((0, 9, 0, 10))]


def test_half_a_sample_at_the_end_is_left_out():
    assert L16.decode(None, [bytes((1, 2, 3))]).tolist() == [[0x0102]]
