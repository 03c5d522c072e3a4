import hashlib

import numpy as np
import pytest

from pbx.media.codecs.g711 import G711, PCMA, PCMU

SWEEP = np.arange(-32768, 32768, dtype=np.int16).reshape(1, -1)

# SHA-256 of the ITU-T Software Tool Library's G.711 sweep over all 65,536 inputs: the codes and the
# samples decoded from them, each as little-endian 16-bit words.
ITU = {
    PCMU: (
        "0523921b8957bccf95d0e0f2e43930359403d5ad4e31926b2272aa74a1f22c43",
        "cf9f90195534a105f211b1fb5c511ab45ee76827ac0987d6cc804afb897ef0f6",
    ),
    PCMA: (
        "e1e8717a8c7a493583a2e8ac6916f0e37383d9226c6fb60de541393aba8bf402",
        "faf8570479a0e7d0e1da55d48c42e76961d0e5c285c35d42e9f6dafbafae8a35",
    ),
}


def words_digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.astype("<i2").tobytes()).hexdigest()


@pytest.fixture(params=ITU, ids=lambda law: law.name)
def law(request: pytest.FixtureRequest) -> G711:
    return request.param


def test_every_code_and_sample_is_the_itus(law: G711):
    codes, samples = ITU[law]
    payloads = law.encode(None, SWEEP)
    assert words_digest(np.frombuffer(payloads[0], np.uint8)) == codes
    assert words_digest(law.decode(None, payloads)) == samples


def test_mulaw_rounds_negative_boundaries_in_ones_complement():
    # 4 and −4 lie on a decision boundary: upwards both, in two's complement away from zero both.
    frames = np.array([[-5, -4, 3, 4]], dtype=np.int16)
    assert PCMU.decode(None, PCMU.encode(None, frames)).tolist() == [[-8, 0, 0, 8]]


def test_the_tables_are_what_the_codec_does(law: G711):
    payload = law.encode(None, SWEEP)[0]
    assert law.compress[SWEEP.view(np.uint16)].tobytes() == payload
    assert (law.expand[np.frombuffer(payload, np.uint8)] == law.decode(None, [payload])).all()


def test_coding_what_was_decoded_changes_nothing(law: G711):
    samples = law.decode(None, [bytes(range(256))])
    assert (law.decode(None, law.encode(None, samples)) == samples).all()
