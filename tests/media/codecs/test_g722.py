"""G.722 against the vectors of the ITU-T Software Tool Library: 16-bit words, codes below."""

from pathlib import Path

import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS

G722 = ARRAY_CODECS["G722"]
VECTORS = Path(__file__).parents[4] / "shared/vectors/g722_stl"
OCTETS = 160  # of 20 ms


def words(name: str) -> np.ndarray:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"{path} is not here: the ITU's vectors are not ours to pass on")
    return np.fromfile(path, "<i2")


def codes() -> bytes:
    return words("codspw.cod").astype(np.uint8).tobytes()


def test_the_encoder_is_the_itus_bit_by_bit():
    coded = G722.encode([G722.encoder()], words("inpsp.bin").reshape(1, -1))
    assert coded == [codes()]


def test_the_decoder_is_the_itus_bit_by_bit():
    decoded = G722.decode([G722.decoder()], [codes()])
    assert (decoded[0] == words("outsp1.bin")).all()


def test_the_packed_file_holds_the_same_codes():
    packed = words("codsp.cod").byteswap().tobytes()  # two codes a word, the first one on top
    assert packed == codes()


def test_packets_give_the_same_as_the_whole():
    coded, state = codes(), [G722.decoder()]
    packets = [coded[at : at + OCTETS] for at in range(0, len(coded), OCTETS)]
    frames = [G722.decode(state, [packet])[0] for packet in packets]
    assert (np.concatenate(frames) == words("outsp1.bin")).all()


def test_the_silence_octet_fades_to_silence_after_speech():
    state = [G722.decoder()]
    noise = np.random.default_rng(1).integers(-20000, 20000, (1, 1600)).astype(np.int16)
    G722.decode(state, G722.encode([G722.encoder()], noise))
    after = G722.decode(state, [bytes((G722.silence,)) * OCTETS * 5])[0]
    assert np.abs(after[-320:].astype(int)).max() < 64
