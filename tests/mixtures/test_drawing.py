from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.corpora import READERS
from blsh.mixtures import Recordings, SpeechUnit, cut_units, draw_recipes, render
from blsh.mixtures.drawing import balanced_quotas, diagonal_pairs
from blsh.mixtures.recipes import CROSS_FADE, Piece
from tests import naive_mixtures as naive
from tests.mixtures.making import InMemory, noise_of, rng_for

LENGTH = 1000


def units_of(counts, length=LENGTH):
    return [
        SpeechUnit(f"{speaker}-{k}", speaker, "F", Piece("speech", f"{speaker}-{k}.wav", 0, length))
        for speaker, n in counts.items()
        for k in range(n)
    ]


def clips_of(audio, classes, n_clips=3, length=1500, split="fold-1"):
    return [
        audio.add(f"{name}/{split}/{k}.wav", noise_of(length, k), noise_class=name, split=split)
        for name in classes
        for k in range(n_clips)
    ]


def draw(units, clips, audio, **options):
    values = {
        "set_name": "train",
        "drawn_as": options.get("set_name", "train"),
        "snrs_db": [0.0],
        "n_mixtures": None,
        "noises_per_utterance": None,
        "audio": audio,
        "rng_for": rng_for,
    }
    return draw_recipes(units, clips, **(values | options))


def spread(counts):
    return max(counts) - min(counts)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=7), st.data())
def test_quotas_equal_their_twin(capacities, data):
    total = data.draw(st.integers(0, sum(capacities)))
    quotas = balanced_quotas(capacities, total)
    # Who gets the odd one is free; how many get how much is not.
    assert sorted(quotas) == sorted(naive.balanced_quotas(capacities, total))
    assert all(q <= c for q, c in zip(quotas, capacities, strict=True)) and sum(quotas) == total


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 20), st.data())
def test_diagonals_meet_every_pair_once_and_evenly(n_units, n_classes, first_class, data):
    n_pairs = data.draw(st.integers(1, n_units * n_classes))
    pairs = diagonal_pairs(n_units, n_classes, n_pairs, first_class)
    assert len(set(pairs)) == n_pairs
    units, classes = Counter(u for u, _ in pairs), Counter(c for _, c in pairs)
    assert spread([units[u] for u in range(n_units)]) <= 1
    assert spread([classes[c] for c in range(n_classes)]) <= 1


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(1, 5), st.data())
@settings(max_examples=40)
def test_a_limited_set_is_balanced(units_per_speaker, n_classes, data):
    total = sum(units_per_speaker) * n_classes
    n = data.draw(st.integers(1, total + 2))
    counts = {f"s{i}": k for i, k in enumerate(units_per_speaker)}
    audio = InMemory()
    classes = [f"c{i}" for i in range(n_classes)]
    recipes = draw(units_of(counts), clips_of(audio, classes, 1), audio, n_mixtures=n)
    assert len(recipes) == len({(r.utterance, r.noise) for r in recipes}) == min(n, total)
    by_class = Counter(r.noise for r in recipes)
    assert spread([by_class[c] for c in classes]) <= 1
    by_speaker = Counter(r.speaker for r in recipes)
    room = [by_speaker[s] for s in counts if by_speaker[s] < counts[s] * n_classes]
    if room:
        assert spread(room) <= 1
        assert max(by_speaker.values()) - max(room) <= 1
    for speaker, n_units in counts.items():
        own = [r for r in recipes if r.speaker == speaker]
        by_utterance = Counter(r.utterance for r in own)
        assert spread([by_utterance[f"{speaker}-{k}"] for k in range(n_units)]) <= 1
        of_class = Counter(r.noise for r in own)
        assert spread([of_class[c] for c in classes]) <= 1


def test_every_utterance_meets_every_class_in_order():
    audio = InMemory()
    recipes = draw(units_of({"b": 2, "a": 1}), clips_of(audio, ["rain", "dog"]), audio)
    assert [(r.utterance, r.noise) for r in recipes] == [
        (utterance, noise) for utterance in ("b-0", "b-1", "a-0") for noise in ("dog", "rain")
    ]
    assert {(r.set, r.snr_db, r.gender, r.seconds) for r in recipes} == {("train", 0.0, "F", LENGTH / 16000)}


def test_noise_depends_on_set_utterance_and_class_only():
    audio = InMemory()
    clips = clips_of(audio, ["rain", "dog", "sea"])
    units = units_of({"a": 2, "b": 3})

    def noises(recipes):
        return {(r.utterance, r.noise): r.noise_pieces for r in recipes}

    everything = noises(draw(units, clips, audio))
    for other in (
        draw(units[1:], clips, audio),
        draw(units, clips[::-1], audio, n_mixtures=7),
        draw(units, clips[3:], audio, snrs_db=[-5.0]),
        draw(units, clips, audio, noises_per_utterance=2),
    ):
        assert len(other) >= 6
        assert noises(other).items() <= everything.items()
    another_set = noises(draw(units, clips, audio, set_name="open"))
    assert sum(another_set[key] != everything[key] for key in everything) > 10


def test_a_set_repeats_another_at_several_snrs():
    audio = InMemory()
    clips, units = clips_of(audio, ["rain", "dog", "sea"]), units_of({"a": 2, "b": 3})
    options = {"n_mixtures": 8, "noises_per_utterance": 2}
    first = draw(units, clips, audio, set_name="open", **options)
    again = draw(units, clips, audio, set_name="open_snrs", drawn_as="open", snrs_db=[-5.0, 5.0], **options)
    assert [(r.set, r.utterance, r.noise, r.noise_pieces, r.snr_db) for r in again] == [
        ("open_snrs", r.utterance, r.noise, r.noise_pieces, snr_db) for r in first for snr_db in (-5.0, 5.0)
    ]


def test_clips_are_drawn_everywhere():
    audio = InMemory()
    recipes = draw(units_of({"a": 200}), clips_of(audio, ["rain"], 4), audio)
    starts = [r.noise_pieces[0].start for r in recipes]
    paths = Counter(r.noise_pieces[0].path for r in recipes)
    assert all(len(r.noise_pieces) == 1 for r in recipes)
    assert min(starts) < 30 and max(starts) > 470 and max(starts) <= 500
    assert len(paths) == 4 and min(paths.values()) > 25


def test_short_clips_are_continued_within_their_split_without_repeat():
    audio = InMemory()
    clips = [*clips_of(audio, ["rain"], 4, 600, "fold-1"), *clips_of(audio, ["rain"], 4, 600, "fold-2")]
    # 4 clips of 600 with 3 cross-fades reach 1920 samples.
    recipes = draw(units_of({"a": 60}, 1920), clips, audio)
    orders = set()
    for r in recipes:
        paths = [p.path for p in r.noise_pieces]
        assert len(set(paths)) == len(paths) == 4
        assert len({path.split("/")[1] for path in paths}) == 1
        orders.add(tuple(paths))
        assert sum(p.n_samples for p in r.noise_pieces) - 3 * CROSS_FADE == 1920
    assert len(orders) > 20 and len({order[0] for order in orders}) == 8


@pytest.mark.parametrize("n_clips", [1, 2, 3])
def test_clips_repeat_only_when_all_were_used(n_clips):
    audio = InMemory()
    clips = clips_of(audio, ["rain"], n_clips, 400)
    for r in draw(units_of({"a": 20}, 5000), clips, audio):
        paths = [p.path for p in r.noise_pieces]
        assert len(paths) == 1 + ceil((5000 - 400) / 240)
        for i in range(0, len(paths) - n_clips + 1, n_clips):
            assert len(set(paths[i : i + n_clips])) == n_clips
        assert n_clips == 1 or all(a != b for a, b in pairwise(paths))


def test_a_long_last_clip_is_cut_at_a_random_place():
    audio = InMemory()
    clips = [
        audio.add("short.wav", noise_of(400, 1), noise_class="rain"),
        audio.add("long.wav", noise_of(3000, 2), noise_class="rain"),
    ]
    recipes = draw(units_of({"a": 100}), clips, audio)
    both = [r.noise_pieces for r in recipes if len(r.noise_pieces) == 2]
    assert len(both) > 20
    assert {(first.path, first.start, first.n_samples) for first, _ in both} == {("short.wav", 0, 400)}
    assert {last.n_samples for _, last in both} == {LENGTH - 400 + CROSS_FADE}
    assert len({last.start for _, last in both}) > 15


def test_silent_noise_is_drawn_again():
    audio = InMemory()
    samples = noise_of(20_000, 1)
    samples[2000:18_000] = 1e-6 * samples[2000:18_000]
    clips = [audio.add("gaps.wav", samples, noise_class="rain")]
    recipes = draw(units_of({"a": 50}), clips, audio)
    assert {audio.read(r.noise_pieces[0]).std() >= 1e-4 for r in recipes} == {True}


def test_a_class_that_is_silent_is_an_error():
    audio = InMemory()
    clips = [audio.add("quiet.wav", noise_of(2000, 1, level=5e-5), noise_class="rain")]
    with pytest.raises(ValueError, match=r"class 'rain' of set 'train': 100 draws of 1000 samples were all silent"):
        draw(units_of({"a": 1}), clips, audio)


def test_clips_that_hold_no_two_cross_fades_are_not_used():
    audio = InMemory()
    clips = [
        audio.add("tick.wav", noise_of(2 * CROSS_FADE - 1, 1), noise_class="rain"),
        audio.add("tock.wav", noise_of(2 * CROSS_FADE, 2), noise_class="rain"),
    ]
    for r in draw(units_of({"a": 10}), clips, audio):
        assert {p.path for p in r.noise_pieces} == {"tock.wav"}
    with pytest.raises(ValueError, match=r"set 'train' has no noise of at least 320 samples"):
        draw(units_of({"a": 1}), clips[:1], audio)


@given(st.integers(1, 6), st.integers(1, 5), st.data())
@settings(max_examples=40)
def test_classes_are_dealt_without_repeat(n_units, n_classes, data):
    m = data.draw(st.integers(1, n_classes))
    audio = InMemory()
    classes = [f"c{i}" for i in range(n_classes)]
    recipes = draw(units_of({"a": n_units, "b": 2}), clips_of(audio, classes, 1), audio, noises_per_utterance=m)
    per_utterance = {}
    for r in recipes:
        per_utterance.setdefault(r.utterance, []).append(r.noise)
    assert {len(noises) for noises in per_utterance.values()} == {m}
    assert all(len(set(noises)) == m for noises in per_utterance.values())
    if m == 1:
        noises = [per_utterance[f"a-{k}"][0] for k in range(n_units)]
        for i in range(0, n_units, n_classes):
            block = noises[i : i + n_classes]
            assert len(set(block)) == len(block)


def test_dealt_classes_differ_between_speakers_and_do_not_depend_on_them():
    audio = InMemory()
    clips = clips_of(audio, [f"c{i}" for i in range(8)], 1)
    everyone = draw(units_of(dict.fromkeys("abcd", 8)), clips, audio, noises_per_utterance=1)
    orders = {s: tuple(r.noise for r in everyone if r.speaker == s) for s in "abcd"}
    assert len(set(orders.values())) == 4
    alone = draw(units_of({"c": 8}), clips, audio, noises_per_utterance=1)
    assert tuple(r.noise for r in alone) == orders["c"]


def test_a_limit_on_dealt_classes():
    audio = InMemory()
    clips = clips_of(audio, ["x", "y", "z"], 1)
    recipes = draw(units_of({"a": 4, "b": 4}), clips, audio, noises_per_utterance=2, n_mixtures=9)
    assert sorted(Counter(r.speaker for r in recipes).values()) == [4, 5]
    assert spread(Counter(r.utterance for r in recipes).values()) <= 1
    whole = draw(units_of({"a": 4, "b": 4}), clips, audio, noises_per_utterance=2)
    assert set(recipes) < set(whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_mixtures": 0}, r"n_mixtures=0 must be at least 1 \(set 'train'\)"),
        ({"noises_per_utterance": 3}, r"noises_per_utterance=3 must lie in 1…2, .* of set 'train'"),
        ({"noises_per_utterance": 0}, r"noises_per_utterance=0 must lie in 1…2"),
    ],
)
def test_numbers_out_of_range(options, message):
    audio = InMemory()
    with pytest.raises(ValueError, match=message):
        draw(units_of({"a": 1}), clips_of(audio, ["rain", "dog"]), audio, **options)


def test_speech_and_noise_must_be_there():
    audio = InMemory()
    clips = clips_of(audio, ["rain"])
    with pytest.raises(ValueError, match=r"set 'train' has no speech"):
        draw([], clips, audio)
    with pytest.raises(ValueError, match=r"set 'train' has no noise"):
        draw(units_of({"a": 1}), [], audio)
    with pytest.raises(ValueError, match=r"set 'train' has two utterances of one name"):
        draw(units_of({"a": 1}) * 2, clips, audio)
    with pytest.raises(ValueError, match=r"has no class: it is no noise recording"):
        draw(units_of({"a": 1}), [replace(clips[0], noise_class="")], audio)


def test_real_recordings(corpora_folder):
    """The open set: each utterance of six speakers with rain, sea waves and helicopter, at exactly 0 dB."""
    folders = {"speech": corpora_folder, "noise": corpora_folder / "ESC-10"}
    speech = READERS["librispeech"](folders["speech"], corpus="speech", splits=["test-other"])
    noise = READERS["esc"](folders["noise"], corpus="noise", classes=["rain", "sea_waves", "helicopter"])
    audio = Recordings([speech, noise], folders)
    units, _, _ = cut_units(speech.recordings, seconds=None, per_speaker=None, held_out=0, audio=audio)
    recipes = draw(units, noise.recordings, audio, set_name="open")
    assert len(recipes) == 180
    limited = draw(units, noise.recordings, audio, set_name="open", n_mixtures=36)
    assert set(limited) < set(recipes)
    assert set(Counter(r.speaker for r in limited).values()) == {6}
    assert set(Counter(r.noise for r in limited).values()) == {12}
    splits = {r.path: r.split for r in noise.recordings}
    assert any(len(r.noise_pieces) > 2 for r in recipes)
    for r in recipes:
        assert len({splits[p.path] for p in r.noise_pieces}) == 1
    for r in recipes[::9]:
        mixture = render(r, audio)
        ratio = mixture.speech.std(dtype=np.float64) / mixture.noise.std(dtype=np.float64)
        assert 20 * np.log10(ratio) == pytest.approx(0, abs=1e-4)
