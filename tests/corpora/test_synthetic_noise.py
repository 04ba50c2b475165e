import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blsh.corpora import noise_shaping, synthetic_noise
from blsh.files import checksums
from blsh.signal import audio

TRAINING = [
    "birds",
    "casino",
    "cicadas",
    "computer_keyboard",
    "eating_chips",
    "frogs",
    "jungle",
    "machine_guns",
    "motorcycles",
    "ocean",
]
OPEN = [
    "cafeteria",
    "metro",
    "rain_on_tent",
    "river",
    "station_hall",
    "traffic",
    "washing_machine",
    "wind",
]
VALIDATION = ["kitchen", "vacuum_cleaner"]
ROOM = Path(synthetic_noise.__file__).parent


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    return folder, synthetic_noise.read(folder, corpus="demo", n_jobs=2)


def test_manifest_has_every_noise_in_its_split(corpus):
    folder, manifest = corpus
    assert not manifest.skipped
    names = {"train": TRAINING, "test": OPEN, "validation": VALIDATION}
    for split, expected in names.items():
        assert sorted(r.noise_class for r in manifest.recordings if r.split == split) == expected
    for recording in manifest.recordings:
        assert recording.id == recording.noise_class
        assert recording.speaker == recording.gender == ""
        assert recording.licence == "CC0-1.0"
        assert recording.sha256 == checksums.sha256_of_file(folder / recording.path)
        assert recording.seconds == pytest.approx(24.0, abs=0.01)


def test_levels(corpus):
    folder, manifest = corpus
    for recording in manifest.recordings:
        samples = audio.read_audio(folder / recording.path)
        assert np.abs(samples).max() <= 0.9001, recording.path
        assert 0.02 <= samples.std() <= 0.0501, recording.path
        assert abs(samples.mean()) < 1e-3, recording.path
        # every excerpt of three seconds is a usable noise (spec: a standard deviation of 1e-4)
        excerpts = samples.reshape(-1, 48_000)
        assert excerpts.std(axis=1).min() > 0.005, recording.path


def test_noises_differ_in_long_term_spectrum_or_rhythm(corpus):
    folder, manifest = corpus
    features = {}
    for recording in manifest.recordings:
        samples = audio.read_audio(folder / recording.path).astype(float)
        power = np.abs(np.fft.rfft(samples)) ** 2
        edges = np.searchsorted(np.fft.rfftfreq(len(samples), 1 / 16_000), np.geomspace(60, 7900, 13))
        spectrum = 10 * np.log10(np.add.reduceat(power, edges)[:-1] / power.sum())
        rhythm = np.sort(20 * np.log10(samples.reshape(-1, 800).std(axis=1) / samples.std()))
        features[recording.noise_class] = np.append(spectrum, rhythm[::40])
    names = list(features)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            distance = np.sqrt(np.mean((features[one] - features[other]) ** 2))
            assert distance > 2.0, (one, other)


@pytest.mark.parametrize("name", ["cafeteria", "eating_chips"])
def test_a_noise_is_the_same_from_two_processes(name, tmp_path):
    noise = next(noise for noise in synthetic_noise.NOISES if noise.name == name)
    code = (
        "import hashlib; from blsh.corpora import synthetic_noise as s; "
        f"n = next(n for n in s.NOISES if n.name == {name!r}); "
        "print(hashlib.sha256(s.waveform(n).tobytes()).hexdigest())"
    )
    (tmp_path / "samples").write_bytes(synthetic_noise.waveform(noise).tobytes())
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == checksums.sha256_of_file(tmp_path / "samples")


def test_a_damaged_recording_is_made_again(corpus):
    folder, manifest = corpus
    damaged = folder / "test" / "wind.wav"
    damaged.write_bytes(damaged.read_bytes()[: 1 << 16])
    assert synthetic_noise.read(folder, corpus="demo") == manifest


def test_splits_share_no_generator():
    modules = {path.stem: ast.parse(path.read_text()) for path in sorted(ROOM.glob("noises_*.py"))}
    splits = {name: {"training": "train", "open": "test"}.get(name.split("_")[1], "validation") for name in modules}
    assert set(splits.values()) == {"train", "test", "validation"}
    for name, tree in modules.items():
        assert _imported(tree) <= {"numpy", "scipy", "blsh.corpora.noise_shaping"}, name
    assert _imported(ast.parse((ROOM / "noise_shaping.py").read_text())) <= {
        "numpy",
        "scipy",
        "collections.abc",
    }
    for noise in synthetic_noise.NOISES:
        assert splits[noise.generate.__module__.rpartition(".")[2]] == noise.split
    assert len({noise.name for noise in synthetic_noise.NOISES}) == len(synthetic_noise.NOISES)


def _imported(tree):
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


def test_every_generator_says_what_its_spectrogram_shows():
    for noise in synthetic_noise.NOISES:
        assert len(noise.generate.__doc__.split()) > 40, noise.name


def test_coloured_noise_has_unit_std_and_the_spectrum(rng):
    noise = noise_shaping.coloured(rng, 4.0, lambda f: noise_shaping.bump(f, 1000, 0.5))
    assert noise.std() == pytest.approx(1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequencies = np.fft.rfftfreq(len(noise), 1 / 16_000)

    def level(frequency):
        return power[np.abs(frequencies - frequency) < 50].mean()

    # Half an octave from the centre the magnitude is exp(-1/2), so the power exp(-1).
    assert level(1000 * 2**0.5) / level(1000) == pytest.approx(np.exp(-1), rel=0.3)


def test_wander_stays_in_the_unit_interval_and_is_smooth(rng):
    curve = noise_shaping.wander(rng, 10.0, 2.0)
    assert curve.min() >= 0 and curve.max() <= 1
    assert curve.max() - curve.min() > 0.5
    # A half cosine of half a second climbs by at most pi / 2 * 2 per second.
    assert np.abs(np.diff(curve)).max() <= np.pi / 16_000 * 1.001


@pytest.mark.parametrize(("frequency", "bandwidth"), [(100, 60), (1000, 80), (5200, 2500)])
def test_a_resonance_peaks_at_its_frequency_with_about_unit_gain(frequency, bandwidth):
    impulse = np.zeros(1 << 15)
    impulse[0] = 1
    gain = np.abs(np.fft.rfft(noise_shaping.resonate(impulse, frequency, bandwidth)))
    assert gain.max() == pytest.approx(1, abs=0.15)
    assert gain.argmax() / len(impulse) * 16_000 == pytest.approx(frequency, rel=0.2)


def test_an_event_is_cut_at_the_end():
    scene = np.zeros(1600)
    noise_shaping.place(scene, np.ones(800), 0.075)
    noise_shaping.place(scene, np.ones(800), 0.2)
    np.testing.assert_array_equal(scene, np.repeat([0.0, 1.0], [1200, 400]))


def test_events_start_early_and_end_in_time(rng):
    found = list(noise_shaping.instants(rng, 5.0, lambda: 0.5, first=0.4))
    assert found[0] < 0.4 and found[-1] < 5.0
    np.testing.assert_allclose(np.diff(found), 0.5)
