"""A model holds the frames it was asked to hold, and knows where each was heard."""

import numpy as np
import pytest

from blsh.denoising.model_making import fingerprint_of, make_model, typical_level
from blsh.denoising.training_frames import write_training_frames
from blsh.files.arrays import load_array
from blsh.hashing.projections import encode, random_projections
from blsh.hashing.quantisation import quantised
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import render
from blsh.signal.masks import ideal_binary_mask, pack_masks
from blsh.signal.spectra import feature, stft
from tests.mixtures.making import InMemory, noise_of, recipe

LENGTHS = (3200, 2561, 4000)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three mixtures, their frames on disk, and their recordings."""
    folder = tmp_path_factory.mktemp("frames")
    audio, recipes, recordings = InMemory(), [], []
    for i, n_samples in enumerate(LENGTHS):
        speech = noise_of(n_samples, i) * np.linspace(0, 1, n_samples)
        recordings.append(audio.add(f"s{i}.wav", speech, corpus="speech", speaker="anna", sha256=f"{i:064x}"))
        noise = noise_of(n_samples, 10 + i)
        recordings.append(audio.add(f"n{i}.wav", noise, noise_class="hiss", sha256=f"{9 + i:064x}"))
        pieces = Piece("speech", f"s{i}.wav", 0, n_samples), (Piece("noise", f"n{i}.wav", 0, n_samples),)
        recipes.append(recipe(speech=pieces[0], noise_pieces=pieces[1], seconds=n_samples / 16000, utterance=f"u{i}"))
    features, masks = folder / "features.npy", folder / "masks.npy"
    write_training_frames(recipes, audio, features={"mel": features}, masks=masks)
    return audio, recipes, recordings, load_array(features, mapped=True), load_array(masks, mapped=True)


def make(data, rows, **options):
    audio, recipes, recordings, features, masks = data
    projections = random_projections(20, 128, rng=np.random.default_rng(0))
    return make_model(
        projections,
        features,
        masks,
        rows,
        **{"feature": "mel", "n_neighbours": 3, "bands": None, "settings": {"seed": 1}} | options,
        level=typical_level(recipes, audio),
        recipes=recipes,
        recordings=recordings,
        sources=(),
        rng=np.random.default_rng(0),
    ), quantised(projections)


def test_every_row_can_be_made_again_from_its_origin(data):
    """Render the mixture that a row says it is of: its frame has the row's code and mask."""
    audio, _, _, features, _ = data
    rows = np.array([0, 1, 12, 13, 14, 23, 24, 30, len(features) - 1])  # 13, 11 and 16 frames
    model, encoder = make(data, rows)
    assert model.n_rows == len(rows) and model.n_bits == 20
    for row in range(len(rows)):
        scene = render(model.origins.recipe(row), audio)
        frame = model.origins.frame(row)
        code = encode(feature("mel", stft(scene.mixture)[frame : frame + 1]), encoder)
        np.testing.assert_array_equal(code.words[0], model.codes.words[row])
        mask = ideal_binary_mask(stft(scene.speech)[frame : frame + 1], stft(scene.noise)[frame : frame + 1])
        np.testing.assert_array_equal(pack_masks(mask)[0], model.masks.rows[row])
    assert [model.origins.frame(row) for row in range(5)] == [0, 1, 12, 0, 1]


def test_recordings_that_no_row_needs_are_left_out(data):
    model, _ = make(data, np.array([14, 15, 16]))
    assert [r.path for r in model.origins.recordings] == ["n1.wav", "s1.wav"]
    assert model.fingerprint == fingerprint_of(reversed(model.origins.recordings))
    assert model.fingerprint != make(data, np.array([0, 1, 2]))[0].fingerprint


def test_compressed_masks_have_the_asked_bands(data):
    rows = np.arange(30)
    model, _ = make(data, rows, bands=(5, 60))
    assert model.masks.bands == (5, 60) and model.masks.index.shape == (30, 2)
    np.testing.assert_array_equal(model.masks.rows, make(data, rows)[0].masks.rows)  # 30 patterns hold 30 masks


def test_the_level_is_that_of_the_recordings(data):
    audio, recipes, _, *_ = data
    expected = [audio.read(r.speech).std() * np.sqrt(2) for r in recipes]
    assert typical_level(recipes, audio) == pytest.approx(np.median(expected))
    quiet = [recipe(**{**vars(r), "snr_db": 20.0}) for r in recipes]
    assert typical_level(quiet, audio) == pytest.approx(np.median(expected) * np.sqrt(1.01 / 2))


def test_parts_that_do_not_fit_are_told(data):
    with pytest.raises(ValueError, match="rows 0…99 must lie among the recipes' 40 frames"):
        make((*data[:3], np.zeros((100, 128), np.float32), np.zeros((100, 65), np.uint8)), np.arange(100))
    with pytest.raises(ValueError, match="n_neighbours=3 must lie in 1…2"):
        make(data, np.array([0, 1]))
