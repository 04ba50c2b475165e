"""The streaming pass over the training mixtures against one mixture after the other, and its failures."""

import errno
import os
import shutil
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from blsh.denoising import training_frames
from blsh.denoising.training_frames import count_frames, stack_training_frames, write_training_frames
from blsh.files.arrays import load_array
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import render
from blsh.signal.context import stack_context
from blsh.signal.masks import unpack_masks
from blsh.signal.spectra import feature, stft
from tests.mixtures.making import InMemory, noise_of, recipe

LENGTHS = (800, 1024, 2049)
FRAMES = (4, 5, 9)  # one centred on each 256th sample


@pytest.fixture
def audio() -> InMemory:
    audio = InMemory()
    for i, n_samples in enumerate(LENGTHS):
        audio.add(f"{i}.wav", noise_of(n_samples, i), corpus="speech")
    audio.add("n.wav", noise_of(max(LENGTHS), 10))
    return audio


@pytest.fixture
def recipes():
    return [
        recipe(
            utterance=str(i),
            speech=Piece("speech", f"{i}.wav", 0, n_samples),
            noise_pieces=(Piece("noise", "n.wav", 0, n_samples),),
            seconds=n_samples / 16000,
        )
        for i, n_samples in enumerate(LENGTHS)
    ]


def paths(folder):
    return {"features": {name: folder / f"{name}.npy" for name in ("stft", "mel")}, "masks": folder / "m.npy"}


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_frames_are_counted(recipes):
    assert [count_frames([one]) for one in recipes] == list(FRAMES)
    assert count_frames(recipes) == sum(FRAMES)
    assert count_frames([]) == 0


def test_rows_are_those_of_one_mixture_after_the_other(recipes, audio, tmp_path):
    to = paths(tmp_path)
    assert write_training_frames(recipes, audio, **to) == sum(FRAMES)
    scenes = [render(one, audio) for one in recipes]
    for name, width in (("stft", 513), ("mel", 128)):
        written = load_array(to["features"][name], mapped=True)
        assert written.dtype == np.float32 and written.shape == (sum(FRAMES), width)
        direct = np.concatenate([feature(name, stft(scene.mixture)) for scene in scenes])
        np.testing.assert_array_equal(written, direct)
    masks = load_array(to["masks"])
    assert masks.dtype == np.uint8 and masks.shape == (sum(FRAMES), 65)
    ideal = np.concatenate([np.abs(stft(s.speech)) > np.abs(stft(s.noise)) for s in scenes])
    np.testing.assert_array_equal(unpack_masks(masks), ideal)
    assert 0.05 < ideal.mean() < 0.95
    assert files(tmp_path) == ["m.npy", "mel.npy", "stft.npy"]


def test_stacked_frames_stay_within_their_mixture(recipes, audio, tmp_path):
    write_training_frames(recipes, audio, **paths(tmp_path))
    features = load_array(tmp_path / "mel.npy", mapped=True)
    stacked = stack_training_frames(features, recipes, 3)
    ends = np.cumsum(FRAMES)
    expected = [stack_context(features[end - n : end], 3) for end, n in zip(ends, FRAMES, strict=True)]
    np.testing.assert_array_equal(stacked[:], np.concatenate(expected))
    with pytest.raises(ValueError, match="the recipes have 9 frames and the features 18: give the recipes that"):
        stack_training_frames(features, recipes[:2], 3)


def test_both_features_come_from_one_pass(recipes, audio, tmp_path, monkeypatch):
    rendered = Counter()

    def counted(one, recordings):
        rendered[one.utterance] += 1
        return render(one, recordings)

    monkeypatch.setattr(training_frames, "render", counted)
    together = paths(tmp_path / "both")
    write_training_frames(recipes, audio, **together)
    assert rendered == {"0": 1, "1": 1, "2": 1}
    for name, path in together["features"].items():
        alone = tmp_path / name / "alone.npy"
        write_training_frames(recipes, audio, features={name: alone}, masks=tmp_path / name / "m.npy")
        assert alone.read_bytes() == path.read_bytes()


def test_progress_is_told_after_every_mixture(recipes, audio, tmp_path):
    told = []
    write_training_frames(recipes, audio, **paths(tmp_path), progress=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_no_recipes(audio, tmp_path):
    with pytest.raises(ValueError, match=r"the training set has 0 recipes; choose speech and noise"):
        write_training_frames([], audio, **paths(tmp_path))
    assert files(tmp_path) == []


def test_an_unknown_feature(recipes, audio, tmp_path):
    with pytest.raises(ValueError, match="feature 'cqt' is none of stft, mel"):
        write_training_frames(recipes, audio, features={"cqt": tmp_path / "cqt.npy"}, masks=tmp_path / "m.npy")
    assert files(tmp_path) == []


def test_a_recording_that_fails_half_way_leaves_nothing(recipes, audio, tmp_path):
    audio.waveforms["speech", "2.wav"] = np.zeros(LENGTHS[2], np.float32)
    with pytest.raises(ValueError, match="the speech is constant"):
        write_training_frames(recipes, audio, **paths(tmp_path))
    assert files(tmp_path) == []


def test_too_small_a_disk_is_seen_before_the_first_mixture(recipes, audio, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(training_frames, "render", None)
    with pytest.raises(OSError, match=r"stft.npy, .* needs \d+ bytes and 1000 are free") as caught:
        write_training_frames(recipes, audio, **paths(tmp_path))
    assert caught.value.errno == errno.ENOSPC
    assert files(tmp_path) == []


@pytest.mark.parametrize("n_flushed", [0, 1, 4])
def test_a_disk_that_fills_up_leaves_only_whole_files(recipes, audio, tmp_path, monkeypatch, n_flushed):
    whole = paths(tmp_path / "whole")
    write_training_frames(recipes, audio, **whole)
    flush, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > n_flushed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_training_frames(recipes, audio, **paths(tmp_path / "full"))
    left = files(tmp_path / "full")
    assert set(left) < {"m.npy", "mel.npy", "stft.npy"}  # not all of them, and no temporary name
    for name in left:
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
