import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.corpora import READERS
from blsh.mixtures import Recordings, cut_units, set_aside_speakers
from tests import naive_mixtures as naive
from tests.corpora.making import recording
from tests.mixtures.making import InMemory, noise_of

SLOT = 1600  # 0.1 s


def make(lengths_by_speaker, silent=frozenset()):
    """Recordings of the given lengths in slots; those (speaker, recording, slot) in `silent` hold silence."""
    audio = InMemory()
    recordings = []
    for speaker, lengths in lengths_by_speaker.items():
        for k, length in enumerate(lengths):
            samples = noise_of(round(length * SLOT), seed=k)
            for i in range(int(length)):
                if (speaker, k, i) in silent:
                    samples[i * SLOT : (i + 1) * SLOT] *= 5e-4
            gender = "F" if speaker < "m" else "M"
            recordings.append(audio.add(f"{speaker}/{k}.wav", samples, corpus="speech", speaker=speaker, gender=gender))
    return recordings, audio


def cut(made, **options):
    recordings, audio = made
    return cut_units(recordings, **({"seconds": 0.1, "per_speaker": 4, "held_out": 1, "audio": audio} | options))


def test_excerpts_by_hand():
    train, closed, skipped = cut(make({"anna": [2.5, 3.9], "bob": [1.0], "cleo": [0.9], "rex": [2.0]}))
    assert [(u.utterance, u.speaker, u.gender, u.piece.path, u.piece.start) for u in train] == [
        ("anna/0@0", "anna", "F", "anna/0.wav", 0),
        ("anna/0@1", "anna", "F", "anna/0.wav", SLOT),
        ("anna/1@0", "anna", "F", "anna/1.wav", 0),
        ("bob/0@0", "bob", "F", "bob/0.wav", 0),
        ("rex/0@0", "rex", "M", "rex/0.wav", 0),
    ]
    assert [u.utterance for u in closed] == ["anna/1@1", "rex/0@1"]
    assert skipped == ("cleo",)
    assert {u.piece.n_samples for u in train + closed} == {SLOT}


def test_a_silent_excerpt_is_passed_over_for_the_next():
    train, closed, skipped = cut(
        make({"anna": [6.0], "bob": [2.0]}, {("anna", 0, 1), ("bob", 0, 0), ("bob", 0, 1)}), per_speaker=3
    )
    assert [u.utterance for u in train + closed] == ["anna/0@0", "anna/0@2", "anna/0@3"]
    assert skipped == ("bob",)


@given(
    st.lists(st.floats(0.2, 5), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(0, 4),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6),
)
@settings(max_examples=60)
def test_excerpts_equal_their_twin(lengths, limit, held_out, silent):
    made = make({"anna": lengths}, {("anna", k, i) for k, i in silent})
    train, closed, skipped = cut(made, per_speaker=limit, held_out=held_out)
    expected = naive.excerpts(
        [round(length * SLOT) for length in lengths], SLOT, limit, {(k, i * SLOT) for k, i in silent}
    )
    assert [(u.piece.path, u.piece.start) for u in train + closed] == [(f"anna/{k}.wav", s) for k, s in expected]
    assert len(closed) == (min(held_out, len(expected) - 1) if expected else 0)
    assert skipped == (() if expected else ("anna",))


def test_whole_utterances():
    # The third, of 480 samples, is too short for a spectrum.
    made = make({"anna": [2.5, 0.4, 0.3, 1.0]})
    train, closed, skipped = cut(made, seconds=None, per_speaker=None)
    assert [(u.utterance, u.piece.n_samples) for u in train] == [("anna/0", 4000), ("anna/1", 640)]
    assert [u.utterance for u in closed] == ["anna/3"] and skipped == ()
    assert cut(made, seconds=None, per_speaker=None, held_out=0)[1] == ()
    assert [u.utterance for u in cut(made, seconds=None, per_speaker=2, held_out=0)[0]] == [
        "anna/0",
        "anna/1",
    ]


def test_the_order_of_the_manifest_does_not_matter():
    recordings, audio = make({"rex": [2.0, 3.0], "anna": [4.0]})
    assert cut((recordings[::-1], audio)) == cut((recordings, audio))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, r"seconds=0\.0 must lie in 0\.0321…1e\+06: shorter speech has no spectrum"),
        ({"seconds": 512 / 16000}, r"seconds=0\.032 must lie in 0\.0321"),
        ({"seconds": float("nan")}, r"seconds=nan must lie in"),
        ({"seconds": 1e308}, r"seconds=1e\+308 must lie in"),
        ({"per_speaker": 0}, "per_speaker=0 must be at least 1"),
        ({"held_out": -1}, "held_out=-1 must be at least 0"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        cut(make({"anna": [2.0]}), **options)


def test_recordings_must_be_speech():
    with pytest.raises(ValueError, match=r"rain/1\.wav of corpus 'noise' has no speaker"):
        cut_units(
            [recording("rain/1.wav", corpus="noise", speaker="", noise_class="rain")],
            seconds=None,
            per_speaker=None,
            held_out=0,
            audio=InMemory(),
        )


def test_two_utterances_of_one_name_are_an_error():
    twice = [recording("x.wav", corpus=corpus) for corpus in ("one", "two")]
    with pytest.raises(ValueError, match=r"utterance 'x' occurs twice: two corpora use one name"):
        cut_units(twice, seconds=None, per_speaker=None, held_out=0, audio=InMemory())


def speakers(n_women, n_men, n_unknown=0):
    genders = {"f": ("F", n_women), "m": ("M", n_men), "u": ("", n_unknown)}
    return [
        recording(f"{letter}{i}/{k}.wav", speaker=f"{letter}{i}", gender=gender)
        for letter, (gender, n) in genders.items()
        for i in range(n)
        for k in range(2)
    ]


def by_gender(recordings):
    return {gender: len({r.speaker for r in recordings if r.gender == gender}) for gender in "FM"}


@pytest.mark.parametrize(
    ("n_women", "n_men", "n", "expected"),
    [
        (5, 5, 4, {"F": 2, "M": 2}),
        (5, 6, 5, {"F": 2, "M": 3}),
        (6, 5, 5, {"F": 3, "M": 2}),
        (2, 9, 6, {"F": 1, "M": 5}),
        (1, 4, 3, {"F": 0, "M": 3}),
        (5, 5, 8, {"F": 4, "M": 4}),
        (5, 5, 0, {"F": 0, "M": 0}),
    ],
)
def test_speakers_are_set_aside_in_balance(n_women, n_men, n, expected, rng):
    everyone = speakers(n_women, n_men)
    aside, rest = set_aside_speakers(everyone, n, rng=rng)
    assert by_gender(aside) == expected
    assert not {r.speaker for r in aside} & {r.speaker for r in rest}
    assert sorted(aside + rest, key=everyone.index) == everyone and len(aside) == 2 * n


@given(st.integers(1, 8), st.integers(1, 8), st.data())
def test_one_of_each_gender_is_left(n_women, n_men, data):
    n = data.draw(st.integers(0, n_women + n_men - 2))
    aside, rest = set_aside_speakers(speakers(n_women, n_men), n, rng=np.random.default_rng(n))
    assert sum(by_gender(aside).values()) == n
    assert min(by_gender(rest).values()) >= 1
    women, men = by_gender(aside).values()
    assert abs(women - men) <= 1 or min(by_gender(rest).values()) == 1


def test_setting_aside_depends_on_the_draw_only():
    everyone = speakers(9, 9)
    one, same, other = (
        set_aside_speakers(e, 6, rng=np.random.default_rng(s))[0]
        for e, s in ((everyone, 1), (everyone[::-1], 1), (everyone, 2))
    )
    assert {r.speaker for r in one} == {r.speaker for r in same} != {r.speaker for r in other}


@pytest.mark.parametrize(
    ("everyone", "n", "message"),
    [
        (speakers(3, 0), 1, r"no male speaker among 3: add some or set balance_gender to false"),
        (speakers(0, 3), 1, r"no female speaker among 3"),
        (speakers(2, 2, 1), 1, r"gender of 1 of 5 speakers is unknown, first 'u0'"),
        (speakers(2, 2), 3, r"n=3 speakers cannot be set aside from 4: at least one woman and one man"),
        (speakers(2, 2), 4, r"n=4 speakers cannot be set aside from 4: at least one must be left"),
        (speakers(2, 2), -1, r"n=-1 speakers cannot be set aside"),
    ],
)
def test_what_cannot_be_balanced(everyone, n, message, rng):
    with pytest.raises(ValueError, match=message):
        set_aside_speakers(everyone, n, rng=rng)


def test_without_balance_gender_does_not_matter(rng):
    aside, rest = set_aside_speakers(speakers(3, 0, 1), 3, balance_gender=False, rng=rng)
    assert len({r.speaker for r in aside}) == 3 and len({r.speaker for r in rest}) == 1


def test_a_speaker_has_one_gender(rng):
    both = [recording("a/1.wav", gender="F"), recording("a/2.wav", gender="M")]
    with pytest.raises(ValueError, match=r"speaker '19' has the genders 'F' and 'M': correct one \(a/2\.wav"):
        set_aside_speakers(both, 0, balance_gender=False, rng=rng)


def test_real_recordings(corpora_folder, rng):
    """One utterance of each of 251 speakers: 8 are shorter than 3 s, and 25 validate."""
    manifest = READERS["librispeech"](corpora_folder, corpus="speech", splits=["train-clean-100"])
    audio = Recordings([manifest], {"speech": corpora_folder})
    options = {"seconds": 3.0, "per_speaker": 4, "held_out": 1, "audio": audio}
    train, closed, skipped = cut_units(manifest.recordings, **options)
    assert (len(train), len(closed), len(skipped)) == (630, 223, 8)
    validation, rest = set_aside_speakers(manifest.recordings, 25, rng=rng)
    assert by_gender(validation) == {"F": 12, "M": 13}
    train, closed, skipped = cut_units(rest, **options)
    assert len({u.speaker for u in train}) + len(skipped) == 226
    assert 540 < len(train) < 600
