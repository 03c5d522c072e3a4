"""The E-model against published values, which are exact to two decimals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.codec import CODECS
from pbx.media.emodel import (
    BARE_G711,
    CONCEALED_G711,
    IMPAIRMENTS,
    Impairment,
    opinion_score,
    rating,
    score_of,
)

G729A = Impairment(11.0, 19.0)

percent = st.floats(0, 100)
milliseconds = st.floats(0, 5000)


@pytest.mark.parametrize(
    ("impairment", "loss", "delay", "score"),
    [
        (CONCEALED_G711, 0, 0, 4.41),
        (CONCEALED_G711, 1, 0, 4.33),
        (CONCEALED_G711, 3, 0, 4.13),
        (CONCEALED_G711, 5, 0, 3.92),
        (CONCEALED_G711, 10, 0, 3.41),
        (BARE_G711, 1, 0, 3.83),
        (BARE_G711, 3, 0, 2.79),
        (BARE_G711, 5, 0, 2.17),
        (BARE_G711, 10, 0, 1.48),
        (G729A, 0, 0, 4.10),
        (G729A, 3, 0, 3.63),
        (G729A, 5, 0, 3.34),
        (CONCEALED_G711, 0, 150, 4.33),
        (CONCEALED_G711, 0, 250, 3.99),
        (CONCEALED_G711, 0, 400, 3.05),
    ],
)
def test_published_scores(impairment: Impairment, loss: float, delay: float, score: float):
    assert round(score_of(rating(impairment, loss_percent=loss, delay_ms=delay)), 2) == score


def test_a_codec_without_a_row_has_no_score():
    assert opinion_score("speex", loss_percent=0.0, delay_ms=0.0) is None


def test_every_codec_that_is_negotiated_has_a_row():
    assert set(CODECS) <= set(IMPAIRMENTS)
    assert opinion_score("PCMA", loss_percent=5.0, delay_ms=0.0) == pytest.approx(3.92, abs=0.005)


@given(st.sampled_from([CONCEALED_G711, BARE_G711, G729A]), percent, percent, milliseconds)
def test_more_loss_is_never_better(impairment: Impairment, one: float, two: float, delay: float):
    less, more = sorted((one, two))
    before = score_of(rating(impairment, loss_percent=less, delay_ms=delay))
    after = score_of(rating(impairment, loss_percent=more, delay_ms=delay))
    assert 1.0 <= after <= before + 0.05 <= 4.55  # G.107's cubic dips a little below R = 7


@given(percent, milliseconds, milliseconds)
def test_more_delay_is_never_better(loss: float, one: float, two: float):
    less, more = sorted((one, two))
    assert rating(CONCEALED_G711, loss_percent=loss, delay_ms=more) <= rating(
        CONCEALED_G711, loss_percent=loss, delay_ms=less
    )


def test_scores_stay_on_their_scale():
    assert score_of(-50) == 1.0
    assert score_of(3) == 1.0
    assert score_of(100) == 4.5
    assert score_of(120) == 4.5
