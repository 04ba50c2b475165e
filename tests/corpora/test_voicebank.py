import numpy as np
import pytest

from blsh.corpora import READERS, read_manifest, write_manifest
from blsh.corpora.voicebank import pairs
from tests.corpora.making import make_voicebank, noise, write


@pytest.mark.parametrize("rate", [16000, 48000])
def test_pairs(tmp_path, rate):
    make_voicebank(tmp_path, rate=rate)
    found = READERS["voicebank"](tmp_path, corpus="pairs")
    assert found.skipped == () and len(found.recordings) == 6
    assert {r.noise_class for r in found.recordings} == {""}
    joined = pairs(found.recordings)
    assert [(c.id, n.id) for c, n in joined] == [
        (f"clean/{name}", f"noisy/{name}") for name in ("p232_001", "p257_434", "p300_005")
    ]
    assert [(c.speaker, c.gender, c.split, n.split) for c, n in joined] == [
        ("p232", "M", "clean", "noisy"),
        ("p257", "F", "clean", "noisy"),
        ("p300", "", "clean", "noisy"),
    ]
    write_manifest(tmp_path / "m.csv", found)
    assert pairs(read_manifest(tmp_path / "m.csv").recordings) == joined


def test_both_sides_or_neither(tmp_path):
    make_voicebank(tmp_path / "set", ("p232_001", "p232_002", "p232_003", "p232_005"))
    (tmp_path / "set" / "noisy_testset_wav" / "p232_001.wav").unlink()
    write(tmp_path / "set" / "noisy_testset_wav" / "p232_002.wav", noise(0.2))
    write(tmp_path / "set" / "clean_testset_wav" / "p232_003.wav", np.zeros(1600))
    found = READERS["voicebank"](tmp_path, corpus="pairs")
    assert [c.id for c, _ in pairs(found.recordings)] == ["clean/p232_005"]
    reasons = {s.path.removeprefix("set/"): s.reason for s in found.skipped}
    assert reasons["clean_testset_wav/p232_001.wav"] == "it has no usable noisy partner"
    length = "clean has 1600 samples at 16000 Hz, noisy 3200 at 16000 Hz"
    assert reasons["clean_testset_wav/p232_002.wav"] == reasons["noisy_testset_wav/p232_002.wav"] == length
    assert "silent" in reasons["clean_testset_wav/p232_003.wav"]
    assert reasons["noisy_testset_wav/p232_003.wav"] == "it has no usable clean partner"
    assert [s.path for s in found.skipped] == sorted(s.path for s in found.skipped) and len(reasons) == 5


def test_errors(tmp_path):
    make_voicebank(tmp_path / "a", ["p232_001"])
    found = READERS["voicebank"](tmp_path, corpus="pairs")
    with pytest.raises(ValueError, match="pair 'p232_001': it has no usable noisy partner"):
        pairs(found.recordings[:1])
    make_voicebank(tmp_path / "b", ["p232_001"])
    with pytest.raises(ValueError, match="holds several such sets, name one: a, b"):
        READERS["voicebank"](tmp_path, corpus="pairs")
    (tmp_path / "b" / "noisy_testset_wav" / "p232_001.wav").unlink()
    with pytest.raises(
        ValueError, match=r"no usable pair .* first clean_testset_wav/p232_001\.wav: it has no usable noisy"
    ):
        READERS["voicebank"](tmp_path / "b", corpus="pairs")
    with pytest.raises(FileNotFoundError, match="no clean_testset_wav and noisy_testset_wav in"):
        READERS["voicebank"](tmp_path / "b" / "clean_testset_wav", corpus="pairs")


def test_real_recordings(corpora_folder):
    found = READERS["voicebank"](corpora_folder, corpus="pairs")
    assert found.skipped == ()
    joined = pairs(found.recordings)
    assert [(c.speaker, c.sample_rate) for c, _ in joined] == [("p287", 16000)] * 3
