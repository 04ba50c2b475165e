from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.corpora.manifest import (
    Manifest,
    Skipped,
    check_path,
    read_manifest,
    skipped_path,
    without_suffix,
    write_manifest,
)
from tests.corpora.making import recording


def manifest() -> Manifest:
    first = recording("007/x.wav", speaker="007", licence='CC BY 4.0, "as is"')
    second = recording("é/ümlaut, comma.flac", seconds=1 / 3, n_samples=14700, sample_rate=44100, id="NA", split="")
    third = recording("rain/1.ogg", speaker="", gender="", noise_class="rain", start=5, channels=2)
    return Manifest((first, second, third), (Skipped("bad.wav", "holds no samples"),))


def test_round_trip(tmp_path):
    path = tmp_path / "manifests" / "speech.csv"
    write_manifest(path, manifest())
    assert read_manifest(path) == manifest()
    assert skipped_path(path) == tmp_path / "manifests" / "speech.skipped.csv"
    assert path.read_text(encoding="utf-8").splitlines()[0] == (
        "path,corpus,split,speaker,gender,class,start,n_samples,seconds,sample_rate,channels,sha256,licence,id"
    )
    assert skipped_path(path).read_text() == "path,reason\nbad.wav,holds no samples\n"


def test_round_trip_without_skipped_files(tmp_path):
    whole = Manifest(manifest().recordings)
    write_manifest(tmp_path / "speech.csv", whole)
    assert read_manifest(tmp_path / "speech.csv") == whole


def test_same_bytes_twice(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_manifest(tmp_path / name, manifest())
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("007/x.wav", "../x.wav", r"row 1 of .*speech\.csv: path='\.\./x\.wav' must stay inside its folder"),
        ("007/x.wav", "/etc/x.wav", r"row 1 .*is not a relative path"),
        ("007/x.wav", "C:/x.wav", r"row 1 .*is not a relative path"),
        ("007/x.wav", "a//x.wav", r"row 1 .*must stay inside its folder"),
        ("007/x.wav", "a\\x.wav", r"row 1 .*is not a relative path"),
        (",F,,0,16000,", ",X,,0,16000,", r"row 1 .*gender='X' is not"),
        (",F,,0,16000,", ",F,,-1,16000,", r"row 1 .*start=-1, n_samples=16000 is no region"),
        (",F,,0,16000,", ",F,,0,0,", r"row 1 .*n_samples=0 is no region"),
        (",F,,0,16000,", ",F,,zero,16000,", r"speech\.csv .*'start' of row 1 is 'zero'"),
        (",F,,0,16000,1.0,", ",F,,0,16000,2.0,", r"row 1 .*seconds=2\.0 differs from n_samples=16000"),
        (",F,,0,16000,1.0,", ",F,,0,16000,,", r"row 1 .*seconds=nan differs"),
        ("ab" * 32, "xy" * 32, r"row 1 .*is not 64 lower-case hexadecimal digits"),
        (",corpus,", ",corps,", r"column 'corpus'"),
        ("rain/1.ogg", "007/x.wav", r"speech\.csv: path='007/x\.wav' occurs twice in corpus 'speech'"),
    ],
)
def test_a_tampered_manifest_is_one_clear_error(tmp_path, old, new, message):
    path = tmp_path / "speech.csv"
    write_manifest(path, manifest())
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_manifest(path)
    assert "\n" not in str(caught.value)


def test_a_missing_half_is_an_error(tmp_path):
    write_manifest(tmp_path / "speech.csv", manifest())
    skipped_path(tmp_path / "speech.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"speech\.skipped\.csv"):
        read_manifest(tmp_path / "speech.csv")


def test_ids_are_unique_within_a_corpus():
    with pytest.raises(ValueError, match=r"id='a/b' occurs twice in corpus 'speech'"):
        Manifest((recording("a/b.wav"), recording("a/b.flac")))
    other = replace(recording("a/b.flac"), corpus="other")
    assert len(Manifest((recording("a/b.wav"), other)).recordings) == 2


def test_length_at_16_khz_is_rounded_down():
    assert recording(n_samples=44101, sample_rate=44100, seconds=44101 / 44100).n_samples_16k == 16000
    assert recording(n_samples=8001, sample_rate=8000, seconds=8001 / 8000).n_samples_16k == 16002


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b/c.wav", "a.b/c"),
        ("c", "c"),
        ("a/.hidden", "a/.hidden"),
        ("x.tar.gz", "x.tar"),
        ("a.b/c", "a.b/c"),
    ],
)
def test_without_suffix(path, expected):
    assert without_suffix(path) == expected


@given(st.lists(st.sampled_from(["a", "b c", "..", ".", "", "ä", "x.wav", "..."]), min_size=1, max_size=5))
def test_a_path_is_accepted_only_if_it_stays_inside(tmp_path_factory, parts):
    path = "/".join(parts)
    folder = tmp_path_factory.getbasetemp()
    inside = (folder / path).resolve().is_relative_to(folder.resolve())
    try:
        check_path(path)
    except ValueError:
        return
    assert inside and (folder / path).relative_to(folder).as_posix() == path


def test_names_that_are_not_text_are_refused():
    for name in ("a\nb.wav", "a\udcff.wav", "a\x00.wav", "a\x9b2J.wav", "a\u2028b", "gnp.\u202ewav"):
        with pytest.raises(ValueError, match="control character or is not text") as caught:
            check_path(name)
        assert str(caught.value).isprintable()
    check_path("日本 é\xa0·.wav")


def test_a_path_has_an_end():
    check_path("d/" * 500 + "x.wav")
    with pytest.raises(ValueError, match=r"of 2005 characters exceeds 1024") as caught:
        check_path("d/" * 1000 + "x.wav")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("field", ["gender", "sha256"])
def test_a_value_of_kilobytes_is_not_shown_whole(field):
    with pytest.raises(ValueError, match=field) as caught:
        recording(**{field: "x" * 5000})
    assert len(str(caught.value)) < 300
