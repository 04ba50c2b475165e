"""Overlaps worked by hand, and of noises whose spectra are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.mixtures.overlap import noise_overlaps, spectral_overlap
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import render
from tests import naive_signal
from tests.mixtures.making import InMemory, noise_of, recipe

SPECTRA = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda values: sum(values) > 1e-3)


def test_by_hand():
    first, second = np.array([1.0, 1.0, 2.0, 0.0]), np.array([0.0, 30.0, 10.0, 0.0])
    # Shares ¼ ¼ ½ 0 and 0 ¾ ¼ 0: the smaller ones are 0, ¼, ¼, 0.
    assert spectral_overlap(first, second) == 0.5
    assert spectral_overlap(first, 7 * first) == 1.0
    assert spectral_overlap(np.array([1.0, 0.0]), np.array([0.0, 3.0])) == 0.0


@given(SPECTRA, SPECTRA)
def test_is_a_symmetric_share(first, second):
    overlap = spectral_overlap(np.array(first), np.array(second))
    assert 0 <= overlap <= 1 + 1e-12
    assert overlap == spectral_overlap(np.array(second), np.array(first))
    assert spectral_overlap(np.array(first), np.array(first)) == pytest.approx(1)


@pytest.mark.parametrize("total", [0.0, np.nan])
def test_a_spectrum_needs_power(total):
    for pair in ((np.ones(4), np.full(4, total)), (np.full(4, total), np.ones(4))):
        with pytest.raises(ValueError, match=rf"a spectrum of total power {total} has no overlap; leave silent"):
            spectral_overlap(*pair)


@pytest.fixture
def audio() -> InMemory:
    audio = InMemory()
    audio.add("s0.wav", noise_of(2048, 0), corpus="speech")
    audio.add("s1.wav", np.cumsum(noise_of(2048, 1)), corpus="speech")
    audio.add("white.wav", noise_of(2048, 2))
    audio.add("low.wav", np.cumsum(np.cumsum(noise_of(2048, 3))))
    tone = np.sin(2 * np.pi * 5000 / 16000 * np.arange(2048))
    audio.add("tone.wav", tone)
    return audio


def mixture(number: int, noise: str, **changes):
    values = {
        "utterance": f"u{number}",
        "noise": noise,
        "speech": Piece("speech", f"s{number}.wav", 0, 2048),
        "noise_pieces": (Piece("noise", f"{noise}.wav", 0, 2048),),
        "seconds": 2048 / 16000,
    }
    return recipe(**(values | changes))


def test_noises_of_a_set_against_its_speech_sample_by_sample(audio):
    recipes = [mixture(0, "white"), mixture(1, "low"), mixture(1, "white"), mixture(0, "tone")]
    told = []
    table = noise_overlaps(recipes, audio, progress=lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert table.columns.tolist() == ["set", "noise", "overlap"]
    assert table["noise"].tolist() == ["low", "tone", "white"]
    assert set(table["set"]) == {"train"}

    scenes = [render(one, audio) for one in recipes]
    speech = sum((np.abs(naive_signal.stft(scene.speech)) ** 2).sum(axis=0) for scene in scenes)
    for noise, members in {"low": [1], "tone": [3], "white": [0, 2]}.items():
        power = sum((np.abs(naive_signal.stft(scenes[i].noise)) ** 2).sum(axis=0) for i in members)
        shares = zip(speech / speech.sum(), power / power.sum(), strict=True)
        expected = sum(min(a, b) for a, b in shares)
        found = table.loc[table["noise"] == noise, "overlap"].item()
        assert found == pytest.approx(expected, abs=1e-5)  # float32 spectra


def test_a_tone_overlaps_little_and_the_same_signal_wholly(audio):
    same = mixture(0, "white", noise_pieces=(Piece("speech", "s0.wav", 0, 2048),))
    found = noise_overlaps([same], audio)["overlap"].item()
    assert found == pytest.approx(1, abs=1e-6)
    assert noise_overlaps([mixture(0, "tone")], audio)["overlap"].item() < 0.1
