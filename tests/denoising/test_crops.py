"""Crops: which speech and noise they are, that they are mixed like everything else, and that batches have names."""

from dataclasses import replace

import numpy as np
import pytest

from blsh.denoising import crops as module
from blsh.denoising.crops import Crops
from blsh.mixtures.recipes import Piece
from blsh.mixtures.units import SpeechUnit
from tests.mixtures.making import InMemory, noise_of, rng_for

SECONDS = 0.1
N_SAMPLES = 1600


def numbered(*axes: object) -> np.random.Generator:
    return rng_for(*map(str, axes))


@pytest.fixture
def crops() -> Crops:
    audio = InMemory()
    units = []
    for k, n_samples in enumerate((N_SAMPLES - 1, N_SAMPLES, 5000, 8000)):
        audio.add(f"{k}.wav", noise_of(n_samples + 100, k), corpus="speech")
        units.append(SpeechUnit(str(k), f"speaker {k % 2}", "F", Piece("speech", f"{k}.wav", 100, n_samples)))
    noise = [audio.add(f"{c}{k}.wav", noise_of(900 + 2000 * k, 10 * k), noise_class=c) for c in "ab" for k in range(2)]
    return Crops(tuple(units), tuple(noise), audio, (0.0, 0.0), numbered, SECONDS)


def found_in(crop: np.ndarray, crops: Crops) -> list[str]:
    """Units of which a crop is a scaled part."""
    names = []
    for unit in crops.units:
        waveform = crops.audio.read(unit.piece)
        windows = np.lib.stride_tricks.sliding_window_view(waveform, crop.size)
        cosines = windows @ crop / np.linalg.norm(windows, axis=1) / np.linalg.norm(crop)
        names += [unit.utterance] * int(cosines.max() > 0.9999)
    return names


def test_a_batch_is_mixed_at_its_snr_over_the_samples_of_each_crop(crops):
    speech, noise = replace(crops, snr_db=(-5.0, -5.0)).batch(1, 0, 12)
    assert speech.shape == noise.shape == (12, N_SAMPLES) and speech.dtype == noise.dtype == np.float32
    np.testing.assert_allclose(20 * np.log10(speech.std(axis=1) / noise.std(axis=1)), -5, atol=1e-4)
    np.testing.assert_allclose((speech + noise).std(axis=1), 1, atol=1e-5)


def test_speech_comes_from_inside_the_units_that_are_long_enough(crops):
    assert [unit.utterance for unit in crops.units] == ["1", "2", "3"]
    speech, _ = crops.batch(1, 0, 24)
    found = [found_in(crop, crops) for crop in speech]
    assert all(len(names) == 1 for names in found)
    assert {names[0] for names in found} == {"1", "2", "3"}
    long = [crop for crop, names in zip(speech, found, strict=True) if names == ["3"]]
    assert len({crop.tobytes() for crop in long}) == len(long) > 1  # random places


def test_snrs_are_drawn_from_the_range(crops):
    speech, noise = replace(crops, snr_db=(-5.0, 10.0)).batch(1, 0, 40)
    found = 20 * np.log10(speech.std(axis=1) / noise.std(axis=1))
    assert -5 <= found.min() < -2 and 7 < found.max() <= 10


def test_noise_classes_are_dealt_evenly(crops, monkeypatch):
    dealt = []
    render = module.render

    def watched(recipe, audio):
        dealt.append((recipe.speaker, recipe.noise))
        return render(recipe, audio)

    monkeypatch.setattr(module, "render", watched)
    crops.batch(1, 0, 40)
    for speaker in ("speaker 0", "speaker 1"):
        classes = [noise for who, noise in dealt if who == speaker]
        assert abs(classes.count("a") - classes.count("b")) <= 1 < len(classes)


def test_a_batch_depends_on_its_epoch_and_number_alone(crops):
    batches = {(epoch, number): crops.batch(epoch, number, 3)[0] for epoch in (1, 2) for number in (1, 0)}
    assert np.array_equal(crops.batch(2, 1, 3)[0], batches[2, 1])
    assert len({batch.tobytes() for batch in batches.values()}) == 4


def test_silent_crops_are_drawn_again(crops):
    waveform = crops.audio.waveforms["speech", "3.wav"].copy()
    waveform[2000:] = 0
    crops.audio.waveforms["speech", "3.wav"] = waveform
    only = replace(crops, units=crops.units[2:])
    speech, _ = only.batch(1, 0, 20)
    assert len(speech) == 20
    crops.audio.waveforms["speech", "3.wav"] = np.zeros_like(waveform)
    with pytest.raises(ValueError, match=r"epoch 1, batch 0: 100 crops of speech were all silent"):
        only.batch(1, 0, 1)


def test_speech_that_is_too_short(crops):
    with pytest.raises(ValueError, match=r"none of 3 units of training speech is 2.0 s long, as a crop is"):
        replace(crops, seconds=2.0)


@pytest.mark.parametrize("snr_db", [(5.0, -5.0), (0.0, np.inf), (np.nan, np.nan)])
def test_snrs_that_are_no_range(crops, snr_db):
    with pytest.raises(ValueError, match=r"snr_db=.* is no range of finite numbers"):
        replace(crops, snr_db=snr_db)
