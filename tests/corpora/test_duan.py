import pytest

from blsh.corpora import READERS, find_layout
from blsh.corpora.duan import CLASSES, noise_class
from tests.corpora.making import noise, write

NAMES = [
    "birds",
    "Casino",
    "cicadas",
    "ComputerKeyboard",
    "eating chips",
    "frogs",
    "jungle",
    "machine-gun",
    "motorcycles",
    "ocean",
]


def make_duan(folder, names=NAMES):
    for k, name in enumerate(names):
        write(folder / f"{name}.wav", noise(0.1, seed=k, rate=8000), 8000)
    return folder


def test_labels(tmp_path):
    make_duan(tmp_path)
    (tmp_path / "readme.txt").write_text("notes")
    found = READERS["duan"](tmp_path, corpus="noise")
    assert found.skipped == ()
    assert sorted(r.noise_class for r in found.recordings) == list(CLASSES)
    assert [r.noise_class for r in sorted(found.recordings, key=lambda r: r.path.lower())] == list(CLASSES)
    assert all(
        r.id == r.noise_class and (r.speaker, r.split, r.sample_rate) == ("", "", 8000) for r in found.recordings
    )


def test_the_parent_gives_the_same(tmp_path):
    make_duan(tmp_path / "noises")
    assert find_layout("duan", tmp_path).root == tmp_path / "noises"
    assert {r.id for r in READERS["duan"](tmp_path, corpus="noise").recordings} == set(CLASSES)
    make_duan(tmp_path / "copy", NAMES[:1])
    with pytest.raises(ValueError, match="in several folders, name one: copy, noises"):
        READERS["duan"](tmp_path, corpus="noise")


def test_classes(tmp_path):
    make_duan(tmp_path, NAMES[:3])
    found = READERS["duan"](tmp_path, corpus="noise", classes=["casino", "birds"])
    assert [r.noise_class for r in found.recordings] == ["casino", "birds"]
    with pytest.raises(ValueError, match="class 'rain' is not in"):
        READERS["duan"](tmp_path, corpus="noise", classes=["rain"])


def test_missing_noises_say_how_to_get_them(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"ask the authors of Duan, Mysore, Smaragdis 2012") as error:
            READERS["duan"](folder, corpus="noise")
        assert "\n" not in str(error.value)
    make_duan(tmp_path, NAMES[:8])
    with pytest.raises(FileNotFoundError, match="lacks the noises motorcycles, ocean: ask the authors"):
        READERS["duan"](tmp_path, corpus="noise")


def test_two_spellings_of_one_noise(tmp_path):
    make_duan(tmp_path, [*NAMES, "machine_guns"])
    found = READERS["duan"](tmp_path, corpus="noise")
    assert [s.path for s in found.skipped] == ["machine_guns.wav"]
    assert "is taken by machine-gun.wav" in found.skipped[0].reason


@pytest.mark.parametrize(("name", "noise"), [("MACHINEGUNS", "machine_guns"), ("eating_chips", "eating_chips")])
def test_spellings(name, noise):
    assert noise_class(name) == noise
    with pytest.raises(ValueError, match="is none of Duan's noises"):
        noise_class(f"{name} 2")
