from collections import Counter

import pytest

from blsh.corpora import READERS, find_layout
from blsh.corpora.manifest import Skipped
from tests.corpora.making import make_librispeech, noise, write


def test_labels(tmp_path):
    make_librispeech(tmp_path, n_speakers=3)
    found = READERS["librispeech"](tmp_path, corpus="speech")
    assert found.skipped == ()
    assert [r.id for r in found.recordings] == [f"{s}-7-{k:04d}" for s in (11, 12, 13) for k in (0, 1)]
    first = found.recordings[0]
    assert first.path == "train-clean-100/11/7/11-7-0000.flac"
    assert (first.corpus, first.split, first.speaker, first.gender) == (
        "speech",
        "train-clean-100",
        "11",
        "F",
    )
    assert (first.noise_class, first.licence, first.seconds) == ("", "CC BY 4.0", 0.5)
    assert [r.gender for r in found.recordings] == ["F", "F", "M", "M", "F", "F"]


def test_the_parent_gives_the_same_ids(tmp_path):
    make_librispeech(tmp_path / "LibriSpeech")
    inner = READERS["librispeech"](tmp_path / "LibriSpeech", corpus="speech").recordings
    outer = READERS["librispeech"](tmp_path, corpus="speech").recordings
    assert [r.id for r in inner] == [r.id for r in outer]
    assert [f"LibriSpeech/{r.path}" for r in inner] == [r.path for r in outer]
    assert find_layout("librispeech", tmp_path).root == tmp_path / "LibriSpeech"


def test_splits(tmp_path):
    make_librispeech(tmp_path, split="dev-other", n_speakers=1)
    make_librispeech(tmp_path, split="train-clean-100", n_speakers=2)
    found = READERS["librispeech"](tmp_path, corpus="speech", splits=["dev-other"])
    assert Counter(r.split for r in found.recordings) == {"dev-other": 2}
    with pytest.raises(ValueError, match=r"split 'test-clean' is not in .*: it has dev-other, train-clean-100"):
        READERS["librispeech"](tmp_path, corpus="speech", splits=["test-clean"])


def test_names_of_folders_do_not_break_a_message_into_lines(tmp_path):
    make_librispeech(tmp_path, n_speakers=1, seconds=0.02)
    (tmp_path / "a\nb/1").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"split 'dev' is not in \S+: it has a\\nb, \S+$"):
        READERS["librispeech"](tmp_path, corpus="speech", splits=["dev"])


def test_a_missing_table_of_speakers_is_an_error(tmp_path):
    make_librispeech(tmp_path)
    (tmp_path / "SPEAKERS.TXT").unlink()
    with pytest.raises(FileNotFoundError, match=r"no SPEAKERS\.TXT in .*put the data set's own table"):
        READERS["librispeech"](tmp_path, corpus="speech")


def test_a_speaker_who_is_not_in_the_table_is_skipped(tmp_path):
    make_librispeech(tmp_path, n_speakers=1)
    write(tmp_path / "train-clean-100" / "99" / "1" / "99-1-0000.flac", noise(0.5))
    found = READERS["librispeech"](tmp_path, corpus="speech")
    assert found.skipped == (Skipped("train-clean-100/99/1/99-1-0000.flac", "speaker '99' is not in SPEAKERS.TXT"),)


def test_a_damaged_table_is_an_error(tmp_path):
    make_librispeech(tmp_path)
    (tmp_path / "SPEAKERS.TXT").write_text("; comment\n11 | female | x | 1 | y\n")
    with pytest.raises(ValueError, match=r"line 2 of .*SPEAKERS\.TXT is not 'ID \| F or M"):
        READERS["librispeech"](tmp_path, corpus="speech")


def test_real_recordings(corpora_folder):
    found = READERS["librispeech"](corpora_folder, corpus="speech")
    assert found.skipped == ()
    train = [r for r in found.recordings if r.split == "train-clean-100"]
    assert Counter(r.gender for r in train) == {"F": 125, "M": 126}
    assert len({r.speaker for r in train}) == len(train) == 251
    test = Counter(r.speaker for r in found.recordings if r.split == "test-other")
    assert len(test) == 6 and set(test.values()) == {10}
    assert [sum(r.seconds < limit for r in train) for limit in (12, 6, 3)] == [71, 28, 8]
