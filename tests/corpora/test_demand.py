import pytest

from blsh.corpora import READERS
from tests.corpora.making import noise, write


def make_demand(root, environments=("DKITCHEN", "TBUS"), channels=(1, 2, 16)):
    for k, environment in enumerate(environments):
        for channel in channels:
            write(root / environment / f"ch{channel:02d}.wav", noise(0.1, seed=20 * k + channel))
    return root


@pytest.mark.parametrize("channel", [1, 16])
def test_one_channel(tmp_path, channel):
    make_demand(tmp_path)
    found = READERS["demand"](tmp_path, corpus="noise", channel=channel)
    assert found.skipped == ()
    assert [(r.id, r.noise_class) for r in found.recordings] == [
        (f"DKITCHEN/ch{channel:02d}", "DKITCHEN"),
        (f"TBUS/ch{channel:02d}", "TBUS"),
    ]
    assert {r.licence for r in found.recordings} == {"CC BY-SA 3.0"}


def test_deeper_folders_and_two_rates(tmp_path):
    make_demand(tmp_path / "demand" / "TBUS_16k", ["TBUS"], [1])
    write(tmp_path / "demand" / "TBUS_48k" / "TBUS" / "ch01.wav", noise(0.1, rate=48000), 48000)
    write(tmp_path / "demand" / "SCAFE" / "ch01.wav", noise(0.1, rate=48000), 48000)
    found = READERS["demand"](tmp_path, corpus="noise")
    assert [(r.id, r.sample_rate) for r in found.recordings] == [("SCAFE/ch01", 48000), ("TBUS/ch01", 16000)]
    assert [s.path for s in found.skipped] == ["demand/TBUS_48k/TBUS/ch01.wav"]


def test_classes(tmp_path):
    make_demand(tmp_path)
    found = READERS["demand"](tmp_path, corpus="noise", classes=["TBUS"])
    assert [r.id for r in found.recordings] == ["TBUS/ch01"]
    with pytest.raises(ValueError, match=r"class 'TCAR' is not in .*: it has DKITCHEN, TBUS"):
        READERS["demand"](tmp_path, corpus="noise", classes=["TCAR"])


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="is empty"):
        READERS["demand"](tmp_path, corpus="noise")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"no ENVIRONMENT/chNN\.wav .* unpack DEMAND's 16 kHz archives there"):
        READERS["demand"](tmp_path, corpus="noise")
    make_demand(tmp_path, channels=[1])
    for channel in (0, 17):
        with pytest.raises(ValueError, match=f"channel={channel} is not one of DEMAND's microphones 1 to 16"):
            READERS["demand"](tmp_path, corpus="noise", channel=channel)
    with pytest.raises(ValueError, match="no usable recording"):
        READERS["demand"](tmp_path, corpus="noise", channel=2)
