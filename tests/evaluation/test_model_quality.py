"""Scores of a model are those of the scoring of an experiment, noise by noise."""

import numpy as np
import pytest

from blsh.denoising import estimators
from blsh.denoising.model_estimator import model_estimator
from blsh.evaluation.model_quality import score_models
from blsh.evaluation.scoring import Metrics, score_set
from blsh.mixtures.recipes import Piece
from tests.denoising.making import small_model, sound
from tests.mixtures.making import InMemory, noise_of, recipe

LENGTHS = (8000, 6000, 7000, 5000)
CONSTANT = np.linspace(1, 0, 513, dtype=np.float32)


@pytest.fixture(scope="module")
def data():
    audio, recipes = InMemory(), []
    for i, n_samples in enumerate(LENGTHS):
        audio.add(f"s{i}.wav", sound(n_samples, i), corpus="speech")
        audio.add(f"n{i}.wav", noise_of(n_samples, i))
        pieces = Piece("speech", f"s{i}.wav", 0, n_samples), (Piece("noise", f"n{i}.wav", 0, n_samples),)
        values = {"speech": pieces[0], "noise_pieces": pieces[1], "seconds": n_samples / 16000, "utterance": f"u{i}"}
        recipes.append(recipe(**values, noise=["rain", "wind"][i % 2], snr_db=5.0 if i == 3 else 0.0))
    return recipes, audio


def test_scores_equal_those_of_an_experiment(data):
    recipes, audio = data
    models = [small_model(), small_model(n_bits=9)]
    tables = []
    for model in models:
        ready = model_estimator(model)
        systems = {
            "sdr_mixture": estimators.unmasked,
            "sdr_constant": estimators.constant(CONSTANT),
            "sdr": lambda scene, ready=ready: ready.masks(scene.spectrum)[np.newaxis],
        }
        metrics = Metrics(("sdr",), {})
        tables.append(
            {k: score_set(recipes, audio, s, columns={}, n_bits=(0,), metrics=metrics) for k, s in systems.items()}
        )
    for scores, frames in zip(score_models(models, recipes, audio, constant=CONSTANT), tables, strict=True):
        assert [(s.noise, s.snr_db, s.mixtures) for s in scores] == [
            *(("all", 0.0, 3), ("rain", 0.0, 2), ("wind", 0.0, 1)),
            *(("all", 5.0, 1), ("wind", 5.0, 1)),
        ]
        for score in scores:
            for name, frame in frames.items():
                rows = frame[(frame.snr_db == score.snr_db) & ((frame.noise == score.noise) | (score.noise == "all"))]
                assert getattr(score, name) == pytest.approx(np.average(rows.sdr, weights=rows.seconds), abs=1e-6)


def test_no_mixture_is_an_error(data):
    with pytest.raises(ValueError, match="none of 0 mixtures"):
        score_models([small_model()], [], data[1], constant=CONSTANT)
