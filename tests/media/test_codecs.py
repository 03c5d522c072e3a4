import hashlib

import numpy as np
import pytest

from pbx.media.codec import CODECS
from pbx.media.codecs import ARRAY_CODECS, ArrayCodec

SWEEP = np.arange(-32768, 32768, dtype=np.int16).reshape(1, -1)

# SHA-256 of the ITU-T Software Tool Library's G.711 sweep over all 65,536 inputs: the codes and the
# samples decoded from them, each as little-endian 16-bit words.
ITU = {
    "PCMU": (
        "0523921b8957bccf95d0e0f2e43930359403d5ad4e31926b2272aa74a1f22c43",
        "cf9f90195534a105f211b1fb5c511ab45ee76827ac0987d6cc804afb897ef0f6",
    ),
    "PCMA": (
        "e1e8717a8c7a493583a2e8ac6916f0e37383d9226c6fb60de541393aba8bf402",
        "faf8570479a0e7d0e1da55d48c42e76961d0e5c285c35d42e9f6dafbafae8a35",
    ),
}


def words_digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.astype("<i2").tobytes()).hexdigest()


@pytest.fixture(params=sorted(ARRAY_CODECS))
def codec(request: pytest.FixtureRequest) -> ArrayCodec:
    return ARRAY_CODECS[request.param]


def test_every_code_and_sample_of_g711_is_the_itus():
    for name, (codes, samples) in ITU.items():
        payloads = ARRAY_CODECS[name].encode(None, SWEEP)
        assert words_digest(np.frombuffer(payloads[0], np.uint8)) == codes
        assert words_digest(ARRAY_CODECS[name].decode(None, payloads)) == samples


def test_mulaw_rounds_negative_boundaries_in_ones_complement():
    # 4 and −4 lie on a decision boundary: upwards both, in two's complement away from zero both.
    pcmu = ARRAY_CODECS["PCMU"]
    frames = np.array([[-5, -4, 3, 4]], dtype=np.int16)
    assert pcmu.decode(None, pcmu.encode(None, frames)).tolist() == [[-8, 0, 0, 8]]


def test_a_batch_equals_frames_one_by_one(codec: ArrayCodec):
    frames = np.random.default_rng(7).integers(-32768, 32768, (50, 160)).astype(np.int16)
    batch = codec.encode(None, frames)
    assert batch == [codec.encode(None, frames[n : n + 1])[0] for n in range(50)]
    decoded = codec.decode(None, batch)
    assert all((codec.decode(None, batch[n : n + 1]) == decoded[n]).all() for n in range(50))


def test_coding_what_was_decoded_changes_nothing(codec: ArrayCodec):
    samples = codec.decode(None, [bytes(range(256))])
    assert (codec.decode(None, codec.encode(None, samples)) == samples).all()


def test_silence_is_the_quietest_code(codec: ArrayCodec):
    assert abs(int(codec.decode(None, [bytes((codec.silence,))])[0, 0])) <= 8


def test_payloads_of_several_lengths_are_filled_up_with_silence(codec: ArrayCodec):
    frames = codec.decode(None, [bytes(80), b"", bytes(160)])
    assert frames.shape == (3, 160)
    assert np.abs(frames[1].astype(int)).max() <= 8
    assert codec.decode(None, []).shape == (0, 0)


def test_every_codec_that_signalling_calls_playable_has_arrays():
    assert {codec.name for codec in CODECS.values() if codec.playable} == set(ARRAY_CODECS)
