"""The exported C is compiled here and does what Python does."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blsh.denoising.c_export import export_c
from blsh.denoising.denoiser import denoise, level_of
from blsh.denoising.model_estimator import model_estimator
from blsh.evaluation.bss_eval import bss_eval, factor_references
from blsh.hashing.codes import unpack_bits
from blsh.hashing.projections import Projections, encode
from blsh.hashing.search import hamming_neighbours
from blsh.signal.spectra import feature, stft
from tests.denoising.making import RATE, small_model, sound

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler (cc)")
FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wno-sign-conversion", "-Werror"]

# Reads feature rows, writes for each its code, its neighbours' rows and distances; "frames" reads frames instead.
PROBE = """
#include <stdio.h>
#include "blsh_model.h"
int main(int argc, char **argv) {
    static blsh_complex spectrum[BLSH_BINS];
    static float frame[BLSH_N_FFT], row[BLSH_N_FFT];
    uint32_t code[BLSH_WORDS];
    int32_t rows[BLSH_K], distances[BLSH_K];
    const int of_frames = argc > 1;
    (void)argv;
    while (of_frames ? fread(frame, 4, BLSH_N_FFT, stdin) : fread(row, 4, BLSH_WIDTH, stdin)) {
        if (of_frames) { blsh_forward(frame, spectrum); blsh_feature(spectrum, row); }
        blsh_encode(row, code);
        blsh_search(code, rows, distances);
        fwrite(code, 4, BLSH_WORDS, stdout);
        fwrite(rows, 4, BLSH_K, stdout);
        fwrite(distances, 4, BLSH_K, stdout);
    }
    return sizeof(blsh_stream) == 4 * 5124 + 2 * sizeof(int) + 2 * sizeof(size_t) ? 0 : 1;
}
"""
MODELS = {
    "whole-numbered stft": {"n_rows": 300, "n_bits": 70},
    "a codebook of masks": {"n_rows": 300, "n_bits": 64, "n_masks": 20, "bands": (8, 17, 40)},
    "mel, one neighbour": {"n_rows": 100, "n_bits": 33, "feature_name": "mel", "n_neighbours": 1},
}


def compiled(folder: Path, source: str) -> Path:
    program = folder / source.removesuffix(".c")
    subprocess.run([COMPILER, *FLAGS, "-o", program, folder / source, "-lm"], check=True, text=True)
    return program


@pytest.fixture(params=MODELS, scope="module")
def exported(request, tmp_path_factory):
    model = small_model(**MODELS[request.param])
    folder = tmp_path_factory.mktemp("c")
    budget = export_c(model, folder)
    (folder / "probe.c").write_text(PROBE)
    return model, budget, compiled(folder, "probe.c"), compiled(folder, "denoise.c")


def probed(program: Path, model, given: np.ndarray, *mode: str) -> tuple[np.ndarray, ...]:
    done = subprocess.run([program, *mode], input=given.astype("<f4").tobytes(), capture_output=True, check=True)
    n_words, k = -(-model.n_bits // 32), model.n_neighbours
    rows = np.frombuffer(done.stdout, "<u4").reshape(len(given), n_words + 2 * k)
    bits = np.unpackbits(np.ascontiguousarray(rows[:, :n_words]).view(np.uint8), axis=1, bitorder="little")
    return bits[:, : model.n_bits].astype(bool), rows[:, n_words : n_words + k], rows[:, n_words + k :]


def test_given_features_bits_distances_and_neighbours_are_equal(exported):
    model, _, probe, _ = exported
    rows = feature(model.feature, stft(sound(3 * RATE, seed=5)))
    bits, indices, distances = probed(probe, model, rows)
    codes = model_estimator(model).codes(stft(sound(3 * RATE, seed=5)))
    neighbours = hamming_neighbours(codes, model.codes, model.n_neighbours)
    np.testing.assert_array_equal(bits, unpack_bits(codes))
    np.testing.assert_array_equal(indices, neighbours.indices)
    np.testing.assert_array_equal(distances, neighbours.scores)


def test_from_audio_nearly_all_bits_are_equal(exported):
    model, _, probe, _ = exported
    samples = sound(20 * RATE, seed=6) / np.float32(0.07)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, 512, mode="reflect"), 1024)[::256]
    bits, _, _ = probed(probe, model, frames, "frames")
    expected = unpack_bits(model_estimator(model).codes(stft(samples)))
    assert bits.shape == expected.shape and (bits == expected).mean() >= 0.9999


@pytest.mark.parametrize("n_samples", [513, 700, 767, 768, 769, 1024, 5000, 3 * RATE + 17])
def test_cleaned_audio_is_that_of_python(exported, n_samples):
    model, _, _, program = exported
    samples = sound(n_samples, seed=7)
    done = subprocess.run(
        [program, repr(level_of(samples))], input=samples.astype("<f4").tobytes(), capture_output=True, check=True
    )
    cleaned = np.frombuffer(done.stdout, "<f4")
    expected = denoise(samples, model)
    assert cleaned.shape == expected.shape
    error = np.square(cleaned - expected, dtype=float).sum()
    assert error <= 1e-6 * np.square(expected, dtype=float).sum()


def test_its_sdr_is_that_of_python(exported):
    model, _, _, program = exported
    speech, noise = sound(4 * RATE, seed=8), sound(4 * RATE, seed=9)
    noisy = speech + noise
    done = subprocess.run(
        [program, repr(level_of(noisy))], input=noisy.astype("<f4").tobytes(), capture_output=True, check=True
    )
    factors = factor_references(speech, noise)
    estimates = np.stack([np.frombuffer(done.stdout, "<f4"), denoise(noisy, model)])
    ours, theirs = bss_eval(estimates, factors).sdr
    assert ours == pytest.approx(theirs, abs=0.01)


def test_a_level_and_a_length_that_cannot_be(exported):
    *_, program = exported
    for arguments, given, message in (
        (["-1"], b"", b"must be a positive number"),
        ([], bytes(4 * 512), b"512 samples"),
    ):
        done = subprocess.run([program, *arguments], input=given, capture_output=True)
        assert done.returncode == 2 and message in done.stderr and not done.stdout


def test_the_budget_counts_what_the_header_holds(exported):
    model, budget, *_ = exported
    assert budget.flash["codes"] == 4 * -(-model.n_bits // 32) * model.n_rows
    band_of_byte = 0 if model.masks.index is None else 65
    assert budget.flash["masks"] == model.masks.n_bytes + band_of_byte
    assert budget.flash["projections"] == (model.projections.n_features + 4) * model.n_bits
    assert budget.ram == 4 * 5124 + 16
    assert budget.operations["multiply-accumulates of the projections"] == (
        62.5 * model.n_bits * model.projections.n_features
    )


def test_projections_that_are_not_whole_stay_float(tmp_path):
    model = small_model(n_rows=20, n_bits=10)
    projections = Projections(model.projections.matrix / np.float32(3), model.projections.bias)
    export_c(replace(model, projections=projections), tmp_path)
    text = (tmp_path / "blsh_model.h").read_text()
    assert "static const float blsh_projections[10][513]" in text
    assert " * - Nowhere (CC0-1.0) https://example.org\n *   drawn at random\n" in text
    (tmp_path / "probe.c").write_text(PROBE)
    rows = feature("stft", stft(sound(RATE)))
    bits, *_ = probed(compiled(tmp_path, "probe.c"), model, rows)
    np.testing.assert_array_equal(bits, unpack_bits(encode(rows, projections)))
