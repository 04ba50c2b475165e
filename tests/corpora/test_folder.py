import pytest

from blsh.corpora import READERS
from blsh.corpora.manifest import Skipped
from tests.corpora.making import noise, write


@pytest.fixture
def tree(tmp_path):
    for path in (
        "train/anna/1.wav",
        "train/anna/deep/2.wav",
        "test/bob/1.WAV",
        "test/carla.flac",
        "stray.wav",
    ):
        write(tmp_path / path, noise(0.2))
    (tmp_path / "train" / "anna" / "notes.txt").write_text("ignored")
    (tmp_path / "train" / "anna" / "._1.wav").write_text("ignored")
    return tmp_path


def read(folder, **options):
    return READERS["folder"](folder, corpus="mine", **options)


def test_speakers(tree):
    found = read(tree / "train", levels=["speaker"])
    assert [(r.path, r.id, r.speaker, r.gender, r.split, r.noise_class, r.licence) for r in found.recordings] == [
        ("anna/1.wav", "anna/1", "anna", "", "", "", "unknown"),
        ("anna/deep/2.wav", "anna/deep/2", "anna", "", "", "", "unknown"),
    ]
    assert found.skipped == ()


def test_splits_and_speakers(tree):
    found = read(tree, levels=["split", "speaker"], licence="CC0")
    assert [(r.path, r.split, r.speaker) for r in found.recordings] == [
        ("test/bob/1.WAV", "test", "bob"),
        ("test/carla.flac", "test", "carla"),
        ("train/anna/1.wav", "train", "anna"),
        ("train/anna/deep/2.wav", "train", "anna"),
    ]
    assert {r.licence for r in found.recordings} == {"CC0"}
    assert found.skipped == (Skipped("stray.wav", "lies above the folders of level 'split'"),)


def test_classes_and_files_that_are_a_class_of_their_own(tmp_path):
    for path in ("rain/1.wav", "rain/2.wav", "wind.wav"):
        write(tmp_path / path, noise(0.2))
    found = read(tmp_path, levels=["class"])
    assert [(r.path, r.noise_class, r.speaker) for r in found.recordings] == [
        ("rain/1.wav", "rain", ""),
        ("rain/2.wav", "rain", ""),
        ("wind.wav", "wind", ""),
    ]


def test_genders_as_a_level(tmp_path):
    for path in ("F/anna/1.wav", "M/bob/1.wav", "x/kim/1.wav"):
        write(tmp_path / path, noise(0.2))
    found = read(tmp_path, levels=["gender", "speaker"])
    assert [(r.speaker, r.gender) for r in found.recordings] == [("anna", "F"), ("bob", "M")]
    assert found.skipped == (Skipped("x/kim/1.wav", "gender 'x' is not F, M or empty"),)


def test_table(tree):
    (tree / "mine.csv").write_text(
        "path,speaker,gender,split,class,licence\n"
        "train/anna/1.wav,anna,F,train,,CC0\n"
        "stray.wav,,,,wind,\n"
        "gone.wav,anna,F,train,,\n"
    )
    found = read(tree, table="mine.csv", licence="own")
    assert [(r.path, r.speaker, r.gender, r.split, r.noise_class, r.licence) for r in found.recordings] == [
        ("stray.wav", "", "", "", "wind", "own"),
        ("train/anna/1.wav", "anna", "F", "train", "", "CC0"),
    ]
    assert found.skipped == (Skipped("gone.wav", "does not exist"),)


def test_a_table_needs_few_columns(tree):
    (tree / "mine.csv").write_text("class,path\nwind,stray.wav\n")
    (found,) = read(tree, table="mine.csv").recordings
    assert (found.noise_class, found.licence) == ("wind", "unknown")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,speaker\nx.wav,anna\n", r"column 'path'"),
        ("path,speaker\n../x.wav,anna\n", r"row 1 of .*mine\.csv: path='\.\./x\.wav' must stay inside"),
        ("path,speaker\nx.wav,anna\nx.wav,bob\n", r"row 2 of .*path 'x\.wav' is listed twice"),
        ("path,speaker,gender\nx.wav,anna,female\n", r"row 1 of .*gender 'female' is not F, M or empty"),
        ("path, class\nx.wav,a\n", r"mine\.csv has no column 'speaker' or 'class' \(it has: 'path', ' class'\); add"),
        ("path,speaker\nx.wav,\n", r"row 1 of .*has neither a speaker nor a class"),
    ],
)
def test_bad_tables(tree, text, message):
    (tree / "mine.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tree, table="mine.csv")


@pytest.mark.parametrize(
    "content", [b"path,speaker\n\xff,a\n", b"pa\xffth,speaker\n", "path,speaker\n".encode("utf-16")]
)
def test_a_table_that_is_no_utf8(tree, content):
    (tree / "mine.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.csv is not the table that is needed: it is not UTF-8 text") as caught:
        read(tree, table="mine.csv")
    assert str(caught.value).isprintable()


def test_options_must_say_what_is_there(tree):
    with pytest.raises(ValueError, match=r"needs exactly one of 'levels' .* and 'table'"):
        read(tree)
    with pytest.raises(ValueError, match=r"needs exactly one of"):
        read(tree, levels=["speaker"], table="mine.csv")
    with pytest.raises(ValueError, match=r"level 'talker' is unknown: choose from split, speaker, gender, class"):
        read(tree, levels=["talker"])
    with pytest.raises(ValueError, match=r"levels=\['split'\] must name 'speaker' or 'class'"):
        read(tree, levels=["split"])
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read(tree, table="none.csv")


def test_links_are_followed_and_circles_end(tree, tmp_path):
    (tree / "train" / "anna" / "again").symlink_to(tree / "train")
    (tree / "linked").symlink_to(tree / "test")
    found = read(tree, levels=["split", "speaker"])
    assert [r.path for r in found.recordings if r.split in ("train", "linked")] == [
        "linked/bob/1.WAV",
        "linked/carla.flac",
        "train/anna/1.wav",
        "train/anna/deep/2.wav",
    ]


def test_the_order_is_that_of_the_paths(tmp_path):
    for name in ("b", "a", "B", "a-b", "a/b"):
        write(tmp_path / f"{name}.wav", noise(0.2))
    paths = [r.path for r in read(tmp_path, levels=["class"]).recordings]
    assert paths == sorted(paths) and len(paths) == 5
