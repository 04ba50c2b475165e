import math
from dataclasses import replace

import pytest

from blsh.mixtures.recipes import CROSS_FADE, Piece, read_recipes, write_recipes
from tests.counting import calls_of
from tests.mixtures.making import recipe


def recipes():
    return (
        recipe(),
        recipe(noise="rain", snr_db=-5.0, noise_pieces=(Piece("noise", "r.ogg", 3, 800),)),
        recipe(utterance="007", speaker="007", gender="", snr_db=0.1 + 0.2),
    )


def test_round_trip(tmp_path):
    write_recipes(tmp_path / "train.csv", recipes())
    assert read_recipes(tmp_path / "train.csv") == recipes()
    assert read_recipes(tmp_path / "train.csv", corpora=["speech", "noise"]) == recipes()
    first = (tmp_path / "train.csv").read_text(encoding="utf-8").splitlines()[1]
    assert first == (
        "train,19-198-0000@0,19,F,dog,0.0,0.05,speech,a/b.flac,10,800,"
        '"[[""noise"", ""x/é, 1.ogg"", 0, 400], [""noise"", ""x/2.ogg"", 7, 560]]"'
    )


def test_a_pair_of_recordings_has_no_snr(tmp_path):
    pair = recipe(snr_db=math.nan, noise="recorded", noise_pieces=(Piece("speech", "noisy/b.flac", 10, 800),))
    write_recipes(tmp_path / "pairs.csv", [pair])
    (again,) = read_recipes(tmp_path / "pairs.csv")
    assert again.is_pair and replace(again, snr_db=0.0) == replace(pair, snr_db=0.0)
    with pytest.raises(ValueError, match=r"pairs\.csv: .*occurs twice"):
        write_recipes(tmp_path / "pairs.csv", [pair, replace(pair, snr_db=float("nan"))])


def test_no_recipes_at_all(tmp_path):
    write_recipes(tmp_path / "train.csv", [])
    assert read_recipes(tmp_path / "train.csv") == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            ",speech,a/b.flac,10,800,",
            ",speech,a/b.flac,-1,800,",
            r"row 1 of .*start=-1, n_samples=800 is no region",
        ),
        (",speech,a/b.flac,", ",speech,../b.flac,", r"row 1 of .*path='\.\./b\.flac' must stay inside"),
        (
            ",speech,a/b.flac,",
            ",voices,a/b.flac,",
            r"row 1 of .*corpus 'voices' is unknown: there are noise, speech",
        ),
        ('""x/2.ogg"", 7,', '""x/2.ogg"", -7,', r"row 1 of .*start=-7, n_samples=560 is no region"),
        ('""x/2.ogg"", 7,', '""/x/2.ogg"", 7,', r"row 1 of .*is not a relative path"),
        (
            '""x/2.ogg"", 7,',
            '""x/2.ogg"", 7.5,',
            r"row 1 of .*start=7\.5, n_samples=560: both must be integers",
        ),
        (
            '""x/2.ogg"", 7,',
            '""x/2.ogg"", true,',
            r"row 1 of .*start=True, n_samples=560: both must be integers",
        ),
        ('""x/2.ogg"", 7,', "null, 7,", r"row 1 of .*path=None do not name a recording"),
        (
            '""x/2.ogg"", 7, 560]',
            '""x/2.ogg"", 7]',
            r"row 1 of .*no list of \[corpus, path, start, n_samples\]",
        ),
        (
            '""x/2.ogg"", 7, 560]',
            '""x/2.ogg"", 7, 561]',
            r"row 1 of .*noise has 801 samples and the speech 800",
        ),
        ('""x/2.ogg"", 7, 560]]', '""x/2.ogg"", 7, 560', r"row 1 of .*noise_pieces is no JSON"),
        ('"[[""noise""', '"{[""noise""', r"row 1 of .*noise_pieces is no JSON"),
        ('"[[""noise""', '"' + "[" * 100_000, r"row 1 of .*noise_pieces is no JSON"),
        (",F,dog,", ",X,dog,", r"row 1 of .*gender='X'"),
        (",F,dog,", ",F,,", r"row 1 of .*noise is empty"),
        (",0.0,0.05,", ",inf,0.05,", r"row 1 of .*snr_db=inf is not finite"),
        (",0.0,0.05,", ",,0.05,", r"row 1 of .*snr_db is missing: only a pair"),
        (",0.0,0.05,", ",0.0,0.06,", r"row 1 of .*seconds=0\.06 differs from the speech's 800 samples"),
        ("007,007", "19-198-0000@0,19", r"row 3 of .*occurs twice"),
        (",snr_db,", ",snr,", r"train\.csv .*column 'snr_db'"),
    ],
)
def test_a_tampered_table_is_one_clear_error(tmp_path, old, new, message):
    path = tmp_path / "train.csv"
    write_recipes(path, (*recipes()[:2], recipe(utterance="007", speaker="007")))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_recipes(path, corpora=["speech", "noise"])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.csv"):
        read_recipes(tmp_path / "train.csv")


def test_two_recipes_of_one_key_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"row 2 of .*occurs twice"):
        write_recipes(tmp_path / "train.csv", [recipe(), recipe()])
    assert not (tmp_path / "train.csv").exists()


def test_a_recipe_takes_little_to_read_among_however_many(tmp_path):
    """13,000 recipes, as there are in the papers, took 0.5 s; the work is counted, which no other work disturbs."""
    n_calls = {}
    for n_recipes in (1000, 4000):
        write_recipes(tmp_path / "train.csv", [recipe(utterance=f"u{k}") for k in range(n_recipes)])
        n_calls[n_recipes] = calls_of(lambda: read_recipes(tmp_path / "train.csv", corpora=["speech", "noise"]))
    assert 3000 < n_calls[4000] - n_calls[1000] < 3000 * 130  # 82 each, when counted


@pytest.mark.parametrize("lengths", [(CROSS_FADE - 1, 801), (320, 319, 481), (800 - 1 + 160, 161 - 2 + 0)])
def test_pieces_must_hold_their_cross_fades(lengths):
    pieces = tuple(Piece("noise", f"{i}.ogg", 0, n) for i, n in enumerate(lengths))
    with pytest.raises(ValueError, match=r"too few for \d cross-fades of 160"):
        recipe(noise_pieces=pieces)


def test_noise_must_be_there():
    with pytest.raises(ValueError, match="noise_pieces is empty"):
        recipe(noise_pieces=())


@pytest.mark.parametrize("digits", [20, 400, 4000])
def test_numbers_have_an_end(tmp_path, digits):
    number = 10**digits
    path = tmp_path / "train.csv"
    write_recipes(path, [recipe()])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(", 0, 400]", f", 0, {number}]"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"row 1 of .*train\.csv: start=0, n_samples=[0-9]+ is no region") as caught:
        read_recipes(path)
    assert len(str(caught.value)) < 600
