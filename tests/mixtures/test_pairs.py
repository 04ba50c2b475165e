import math

import numpy as np
import pytest

from blsh.corpora.voicebank import read
from blsh.mixtures.pairs import pair_recipes
from blsh.mixtures.rendering import Recordings, render
from tests.corpora.making import recording


def test_pairs_become_recipes_by_name():
    labels = {"corpus": "vb", "speaker": "p232", "gender": "M"}
    sides = [
        recording(f"{side}_testset_wav/{name}.wav", id=f"{side}/{name}", split=side, **labels)
        for side in ("clean", "noisy")
        for name in ("p232_002", "p232_001")
    ]
    first, second = pair_recipes(sides, set_name="transfer")
    assert (first.utterance, second.utterance) == ("p232_001", "p232_002")
    assert (first.set, first.speaker, first.gender, first.noise) == ("transfer", "p232", "M", "recorded")
    assert math.isnan(first.snr_db) and first.is_pair
    assert first.speech.path == "clean_testset_wav/p232_001.wav"
    assert [piece.path for piece in first.noise_pieces] == ["noisy_testset_wav/p232_001.wav"]
    with pytest.raises(ValueError, match="no usable noisy partner"):
        pair_recipes(sides[:2], set_name="transfer")


def test_real_pairs(corpora_folder):
    folder = corpora_folder / "VoiceBank-DEMAND"
    manifest = read(folder, corpus="vb")
    recordings = Recordings([manifest], {"vb": folder})
    recipes = pair_recipes(manifest.recordings, set_name="transfer")
    assert len(recipes) == 3
    for recipe in recipes:
        mixture = render(recipe, recordings)
        noisy = recordings.read(recipe.noise_pieces[0])
        assert np.corrcoef(mixture.mixture, noisy)[0, 1] == pytest.approx(1)
        assert mixture.speech.std() > mixture.noise.std() > 0
