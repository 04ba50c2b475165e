import pytest

from blsh.corpora import READERS, find_layout
from tests.corpora.making import noise, write


def make_musan(root):
    for k in range(2):
        write(root / "noise" / "free-sound" / f"noise-free-sound-{k:04d}.wav", noise(0.1, seed=k))
    write(root / "noise" / "sound-bible" / "noise-sound-bible-0000.wav", noise(0.1))
    write(root / "speech" / "librivox" / "speech-librivox-0000.wav", noise(0.1))
    return root


def test_free_sound_only(tmp_path):
    root = make_musan(tmp_path / "musan")
    assert find_layout("musan", tmp_path).root == root
    inner = READERS["musan"](root, corpus="noise")
    outer = READERS["musan"](tmp_path, corpus="noise")
    assert inner.skipped == () and [r.id for r in inner.recordings] == [
        "noise-free-sound-0000",
        "noise-free-sound-0001",
    ]
    assert [r.id for r in outer.recordings] == [r.id for r in inner.recordings]
    assert {(r.noise_class, r.speaker, r.licence) for r in outer.recordings} == {("free-sound", "", "CC BY 4.0")}


def test_other_files_are_skipped(tmp_path):
    make_musan(tmp_path)
    write(tmp_path / "noise" / "free-sound" / "mine.wav", noise(0.1))
    found = READERS["musan"](tmp_path, corpus="noise")
    assert [s.path for s in found.skipped] == ["noise/free-sound/mine.wav"]


def test_a_missing_folder(tmp_path):
    (tmp_path / "noise").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no noise/free-sound in .*: unpack MUSAN there"):
        READERS["musan"](tmp_path, corpus="noise")
