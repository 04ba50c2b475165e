from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from blsh.corpora import READERS, find_layout
from blsh.corpora.listing import make_listing, write_listing
from blsh.corpora.timit import (
    REGIONS,
    Speaker,
    balanced_speakers,
    open_speakers,
    random_speakers,
    select_speakers,
    sentence_of,
    speakers_of,
)
from tests.corpora.making import noise, recording, write

# Women and men of each region, from the data set's own table of speakers.
TRAIN = {1: (14, 24), 2: (23, 53), 3: (20, 56), 4: (15, 53), 5: (25, 45), 6: (13, 22), 7: (18, 59), 8: (8, 14)}
TEST = {1: (4, 7), 2: (8, 18), 3: (3, 23), 4: (16, 16), 5: (11, 17), 6: (3, 8), 7: (8, 15), 8: (3, 8)}
SENTENCES = ("SA1", "SI1027", "SX37")


def write_sphere(path: Path, samples: np.ndarray) -> None:
    """A NIST SPHERE file as on the LDC's disc: 1024 bytes of text, then 16-bit samples."""
    levels = np.rint(samples * 32767).astype("<i2")
    fields = [
        "NIST_1A",
        "   1024",
        "database_id -s5 TIMIT",
        "database_version -s3 1.0",
        "channel_count -i 1",
        f"sample_count -i {len(levels)}",
        "sample_rate -i 16000",
        f"sample_min -i {levels.min()}",
        f"sample_max -i {levels.max()}",
        "sample_n_bytes -i 2",
        "sample_byte_format -s2 01",
        "sample_sig_bits -i 16",
        "end_head",
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(fields).encode().ljust(1024) + levels.tobytes())


def make_timit(root: Path, *, lower: bool = False, form: str = "sphere", sentences=SENTENCES) -> Path:
    """One speaker of each region in each split, women in odd regions."""
    for s, split in enumerate(("TRAIN", "TEST")):
        for k in range(1, 9):
            speaker = f"{'FM'[k % 2 == 0]}AB{'CD'[s]}{k}"
            for j, sentence in enumerate(sentences):
                name = f"{split}/DR{k}/{speaker}/{sentence}.WAV"
                path = root / (name.lower() if lower else name)
                samples = noise(0.05, seed=100 * s + 10 * k + j)
                if form == "sphere":
                    write_sphere(path, samples)
                else:
                    converted = write(path.with_name(path.name + ".wav"), samples)
                    if form == "riff":
                        converted.rename(path)
    return root


def invented(counts: dict[int, tuple[int, int]]) -> list[Speaker]:
    return [
        Speaker(f"DR{region}", gender, f"{gender}{region}{k:03d}")
        for region, pair in counts.items()
        for gender, n in zip("FM", pair, strict=True)
        for k in range(n)
    ]


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("form", ["sphere", "riff", "wav.wav"])
def test_labels(tmp_path, lower, form):
    make_timit(tmp_path, lower=lower, form=form)
    found = READERS["timit"](tmp_path, corpus="speech")
    assert found.skipped == () and len(found.recordings) == 2 * 8 * 3
    assert Counter(r.split for r in found.recordings) == {"train": 24, "test": 24}
    by_id = {r.id: r for r in found.recordings}
    first = by_id["TRAIN/DR2/MABC2/SX37"]
    assert (first.speaker, first.gender, first.noise_class, first.seconds) == ("MABC2", "M", "", 0.05)
    assert first.licence == "LDC User Agreement (LDC93S1)"
    assert by_id["TEST/DR7/FABD7/SA1"].gender == "F"


def test_sphere_and_riff_hold_the_same_samples(tmp_path):
    from blsh.signal.audio import read_audio

    samples = noise(0.05)
    write_sphere(tmp_path / "a.WAV", samples)
    write(tmp_path / "b.wav", np.rint(samples * 32767) / 32768)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.WAV"), read_audio(tmp_path / "b.wav"))


def test_sa_sentences_are_kept_or_dropped(tmp_path):
    make_timit(tmp_path)
    kinds = Counter(sentence_of(r.id).kind for r in READERS["timit"](tmp_path, corpus="speech").recordings)
    assert kinds == {"SA": 16, "SI": 16, "SX": 16}
    dropped = READERS["timit"](tmp_path, corpus="speech", sa="drop", splits=["test"])
    assert Counter(sentence_of(r.id).kind for r in dropped.recordings) == {"SI": 8, "SX": 8}
    assert dropped.skipped == ()
    with pytest.raises(ValueError, match="sa='no' is not one of keep, drop"):
        READERS["timit"](tmp_path, corpus="speech", sa="no")


def test_levels_above_give_the_same_ids(tmp_path):
    inner = make_timit(tmp_path / "LDC93S1" / "TIMIT" / "data", sentences=["SX1"])
    assert find_layout("timit", tmp_path).root == inner
    outer = READERS["timit"](tmp_path, corpus="speech").recordings
    assert [r.id for r in outer] == [r.id for r in READERS["timit"](inner, corpus="speech").recordings]
    assert outer[0].path == "LDC93S1/TIMIT/data/TEST/DR1/FABD1/SX1.WAV"


def test_the_original_is_taken_of_a_converted_pair(tmp_path):
    make_timit(tmp_path, sentences=["SX1"])
    make_timit(tmp_path, sentences=["SX1"], form="wav.wav")
    found = READERS["timit"](tmp_path, corpus="speech")
    assert found.skipped == () and {Path(r.path).name for r in found.recordings} == {"SX1.WAV"}


def test_a_listing_takes_a_part(tmp_path):
    make_timit(tmp_path, sentences=["SX1"])
    whole = READERS["timit"](tmp_path, corpus="speech")
    entries = make_listing(whole, find_layout("timit", tmp_path), tmp_path)[:3]
    write_listing(tmp_path / "listing.csv", entries)
    for path in tmp_path.glob("TRAIN/DR5"):
        path.rename(tmp_path / "away")
    part = READERS["timit"](tmp_path, corpus="speech", listing=tmp_path / "listing.csv")
    assert part.recordings == whole.recordings[:3]


def test_strange_and_damaged_files_are_skipped(tmp_path):
    make_timit(tmp_path, sentences=["SX1"])
    write_sphere(tmp_path / "TRAIN" / "DR1" / "FABC1" / "NOTE.WAV", noise(0.05))
    path = tmp_path / "TRAIN" / "DR1" / "FABC1" / "SX1.WAV"
    path.write_bytes(path.read_bytes()[:-10])
    found = READERS["timit"](tmp_path, corpus="speech")
    reasons = {s.path: s.reason for s in found.skipped}
    assert set(reasons) == {"TRAIN/DR1/FABC1/NOTE.WAV", "TRAIN/DR1/FABC1/SX1.WAV"}
    assert "not of the form" in reasons["TRAIN/DR1/FABC1/NOTE.WAV"]
    assert "truncated" in reasons["TRAIN/DR1/FABC1/SX1.WAV"]


def test_missing_folders_say_how_to_get_timit(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"TIMIT is sold by the LDC as LDC93S1") as error:
            READERS["timit"](folder, corpus="speech")
        assert "\n" not in str(error.value)
    (tmp_path / "TRAIN").mkdir()
    with pytest.raises(FileNotFoundError, match="no TRAIN/DR1 or TEST/DR1"):
        READERS["timit"](tmp_path, corpus="speech")


def test_missing_regions_and_splits_and_two_cases(tmp_path):
    make_timit(tmp_path, sentences=["SX1"])
    for region in ("DR3", "DR7"):
        (tmp_path / "TEST" / region).rename(tmp_path / region)
    with pytest.raises(ValueError, match="TEST lacks the dialect regions DR3, DR7: copy all of LDC93S1"):
        READERS["timit"](tmp_path, corpus="speech")
    assert len(READERS["timit"](tmp_path, corpus="speech", splits=["train"]).recordings) == 8
    with pytest.raises(ValueError, match=r"split 'dev' is not in .*: it has test, train"):
        READERS["timit"](tmp_path, corpus="speech", splits=["dev"])
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match="holds both TRAIN and train: keep one"):
        READERS["timit"](tmp_path, corpus="speech")


def test_speakers_of_a_manifest(tmp_path):
    make_timit(tmp_path)
    speakers = speakers_of(READERS["timit"](tmp_path, corpus="speech").recordings, "train")
    assert speakers[:2] == (Speaker("DR1", "F", "FABC1"), Speaker("DR2", "M", "MABC2"))
    assert [s.region for s in speakers] == list(REGIONS)
    with pytest.raises(ValueError, match=r"id='a/b' is not of the form TRAIN/DR1/FCJF0/SA1"):
        sentence_of("a/b")


def test_balanced_training_speakers_of_all_of_timit(rng):
    everyone = invented(TRAIN)
    assert len(everyone) == 462
    chosen = balanced_speakers(everyone, rng=rng)
    assert len(set(chosen.speakers)) == 158
    assert Counter((s.region, s.gender) for s in chosen.speakers) == {
        (region, gender): 8 if (region, gender) == ("DR8", "F") else 10 for region in REGIONS for gender in "FM"
    }
    assert chosen.found == "158 of 160 training speakers (10 F and 10 M of each of 8 regions): DR8 has 8 F"


def test_open_speakers_of_all_of_timit(rng):
    everyone = invented(TEST)
    assert len(everyone) == 168
    whole = open_speakers(everyone, rng=rng, n_dropped=0)
    assert Counter(s.gender for s in whole.speakers) == {"F": 56, "M": 56}
    chosen = open_speakers(everyone, rng=rng)
    assert len(set(chosen.speakers)) == 110
    assert chosen.found == (
        "110 test speakers (min(F, M) x 2 of each region: DR1 8, DR2 16, DR3 6, DR4 32, DR5 22, DR6 6, DR7 16, DR8 6; "
        "2 dropped)"
    )


@pytest.mark.parametrize(
    ("rule", "split", "counts", "n_chosen"),
    [("authors_train", "train", TRAIN, 158), ("authors_test", "test", TEST, 110)],
)
def test_a_rule_divides_recordings_by_speaker(rng, rule, split, counts, n_chosen):
    recordings = []
    for n, speaker in enumerate(invented(counts)):
        name = f"{speaker.gender}A{chr(65 + n // 26)}{chr(65 + n % 26)}0"
        ids = [f"{split.upper()}/{speaker.region}/{name}/SX{k}" for k in (1, 2)]
        recordings += [recording(f"{one}.wav", id=one, split=split, speaker=name) for one in ids]
    chosen, others, found = select_speakers(recordings, rule, rng=rng)
    assert sorted([*chosen, *others], key=recordings.index) == recordings
    assert list(chosen) == sorted(chosen, key=recordings.index)
    names = {r.speaker for r in chosen}
    assert len(names) == n_chosen and not names & {r.speaker for r in others}
    assert found.startswith(f"{n_chosen} ")
    alone = [r for r in recordings if r.speaker.startswith("F")]
    if rule == "authors_test":
        with pytest.raises(
            ValueError, match=r"the rule authors_test finds no speaker among 56: 0 test speakers .*; leave"
        ):
            select_speakers(alone, rule, rng=rng)


def test_random_speakers(rng):
    chosen = random_speakers(invented(TRAIN), rng=rng)
    women = sum(s.gender == "F" for s in chosen.speakers)
    assert len(set(chosen.speakers)) == 160
    assert chosen.found == f"160 of 160 training speakers at random ({women} F, {160 - women} M) among 462"
    assert len(random_speakers(invented({1: (2, 3)}), rng=rng).speakers) == 5


@pytest.mark.parametrize("draw", [balanced_speakers, random_speakers, open_speakers])
def test_draws_depend_on_the_generator_and_not_on_the_order(draw):
    everyone = invented(TRAIN)
    first = draw(everyone, rng=np.random.default_rng(3))
    assert draw(everyone[::-1], rng=np.random.default_rng(3)) == first
    assert draw(everyone, rng=np.random.default_rng(4)).speakers != first.speakers


def test_invalid_numbers_of_speakers(rng):
    with pytest.raises(ValueError, match="per_gender=0"):
        balanced_speakers([], rng=rng, per_gender=0)
    with pytest.raises(ValueError, match="n_speakers=0"):
        random_speakers([], rng=rng, n_speakers=0)
    with pytest.raises(ValueError, match="n_dropped=-1"):
        open_speakers([], rng=rng, n_dropped=-1)
