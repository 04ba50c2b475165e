from collections import Counter
from pathlib import Path

import pytest

from blsh.corpora import READERS, find_layout
from blsh.corpora.esc import ESC10_CATEGORIES
from tests.corpora.making import noise, write

CLIPS = [
    ("Dog bark", "dog", "1-100-A", 0),
    ("Dog bark", "dog", "2-101-B", 0),
    ("Sea waves", "sea_waves", "5-7-A", 11),
]


def make_esc10(root: Path) -> Path:
    for k, (folder, _, clip, _) in enumerate(CLIPS):
        write(root / f"{k:03d} - {folder}" / f"{clip}.ogg", noise(0.5, seed=k, rate=44100), 44100)
    return root


def make_esc50(root: Path, *, rows: tuple[str, ...] = ("3-9-C-30.wav,3,30,door_knock,False,9,C",)) -> Path:
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for k, (_, category, clip, target) in enumerate(CLIPS):
        fold, source, take = clip.split("-")
        name = f"{clip}-{target}.wav"
        lines.append(f"{name},{fold},{target},{category},True,{source},{take}")
        write(root / "audio" / name, noise(0.5, seed=k, rate=44100), 44100)
    write(root / "audio" / "3-9-C-30.wav", noise(0.5, seed=9, rate=44100), 44100)
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join([*lines, *rows]) + "\n")
    return root


def test_both_layouts_give_the_same_labels(tmp_path):
    ten = READERS["esc"](make_esc10(tmp_path / "ten"), corpus="noise")
    fifty = READERS["esc"](make_esc50(tmp_path / "fifty"), corpus="noise")
    assert ten.skipped == fifty.skipped == ()

    def labels(found):
        return {(r.id, r.split, r.noise_class, r.speaker, r.gender, r.licence) for r in found.recordings}

    assert labels(ten) == {
        ("1-100-A", "fold-1", "dog", "", "", "CC BY 3.0"),
        ("2-101-B", "fold-2", "dog", "", "", "CC BY 3.0"),
        ("5-7-A", "fold-5", "sea_waves", "", "", "CC BY 3.0"),
    }
    assert labels(fifty) - labels(ten) == {("3-9-C", "fold-3", "door_knock", "", "", "CC BY-NC 3.0")}
    assert {find_layout("esc", tmp_path / name).name for name in ("ten", "fifty")} == {"esc-10", "esc-50"}


def test_classes(tmp_path):
    make_esc50(tmp_path)
    found = READERS["esc"](tmp_path, corpus="noise", classes=["door_knock", "sea_waves"])
    assert [r.noise_class for r in found.recordings] == ["door_knock", "sea_waves"]
    with pytest.raises(ValueError, match=r"class 'cat' is not in .*: it has dog, door_knock, sea_waves"):
        READERS["esc"](tmp_path, corpus="noise", classes=["cat"])


def test_the_parent_may_be_given_if_it_holds_one_layout(tmp_path):
    make_esc10(tmp_path / "ESC-10-master")
    found = READERS["esc"](tmp_path, corpus="noise")
    assert found.recordings[0].path == "ESC-10-master/000 - Dog bark/1-100-A.ogg"
    make_esc50(tmp_path / "ESC-50-master")
    with pytest.raises(ValueError, match=r"several ESC layouts, name one: ESC-10-master, ESC-50-master"):
        READERS["esc"](tmp_path, corpus="noise")


def test_neither_layout_is_an_error(tmp_path):
    write(tmp_path / "rain" / "1.wav", noise(0.5))
    with pytest.raises(FileNotFoundError, match=r"holds neither ESC-10 .* nor ESC-50"):
        READERS["esc"](tmp_path, corpus="noise")


def test_files_that_do_not_belong_are_skipped(tmp_path):
    make_esc10(tmp_path / "ten")
    write(tmp_path / "ten" / "000 - Dog bark" / "my dog.ogg", noise(0.5))
    write(tmp_path / "ten" / "011 - Cat" / "1-1-A.ogg", noise(0.5))
    reasons = {s.path: s.reason for s in READERS["esc"](tmp_path / "ten", corpus="noise").skipped}
    assert reasons == {
        "000 - Dog bark/my dog.ogg": "name 'my dog' is not of the form FOLD-ID-TAKE",
        "011 - Cat/1-1-A.ogg": "not in a folder of one of ESC-10's ten classes",
    }
    make_esc50(tmp_path / "fifty", rows=())
    (skipped,) = READERS["esc"](tmp_path / "fifty", corpus="noise").skipped
    assert (skipped.path, skipped.reason) == ("audio/3-9-C-30.wav", "not in meta/esc50.csv")


def test_a_damaged_table_is_an_error(tmp_path):
    make_esc50(tmp_path, rows=("3-9-C-30.wav,3,30,door_knock,maybe,9,C",))
    with pytest.raises(ValueError, match=r"column 'esc10' of .*esc50\.csv holds values other than True and False"):
        READERS["esc"](tmp_path, corpus="noise")


def test_real_recordings(corpora_folder):
    found = READERS["esc"](corpora_folder / "ESC-10", corpus="noise")
    assert found.skipped == ()
    counts = Counter((r.noise_class, r.split) for r in found.recordings)
    assert len(counts) == 40 and set(counts.values()) == {8}
    assert {r.noise_class for r in found.recordings} == set(ESC10_CATEGORIES.values())
    # 1440 s are left of 1603 s: 72 of the 320 files are padded by more than 10 ms, 7 of them at the start.
    lengths = {r.id: (r.start / r.sample_rate, r.seconds) for r in found.recordings}
    assert lengths["1-100032-A"] == pytest.approx((2.2281, 0.3597), abs=1e-3)
    assert sum(seconds for _, seconds in lengths.values()) == pytest.approx(1440.0, abs=0.5)
    assert sum(start > 0.01 for start, _ in lengths.values()) == 7
