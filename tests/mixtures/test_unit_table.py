import pytest

from blsh.mixtures.recipes import Piece
from blsh.mixtures.unit_table import SOURCES, read_units, write_units
from blsh.mixtures.units import SpeechUnit

HEADER = "source,utterance,speaker,gender,corpus,path,start,n_samples"


def unit(number: int, **changes) -> SpeechUnit:
    values = {
        "utterance": f"00{number}@1",
        "speaker": "007",
        "gender": "F",
        "piece": Piece("speech", "a/é, 1.flac", 16000 * number, 16000),
    }
    return SpeechUnit(**(values | changes))


def test_units_come_back_in_their_order(tmp_path):
    units = {
        "train": (unit(2), unit(1)),
        "closed": (),
        "validation": (unit(3, gender="", speaker="NA"),),
        "open": (unit(4, gender="M"),),
    }
    path = tmp_path / "new" / "units.csv"
    write_units(path, units)
    assert read_units(path) == units
    assert path.read_text(encoding="utf-8").splitlines() == [
        HEADER,
        'train,002@1,007,F,speech,"a/é, 1.flac",32000,16000',
        'train,001@1,007,F,speech,"a/é, 1.flac",16000,16000',
        'validation,003@1,NA,,speech,"a/é, 1.flac",48000,16000',
        'open,004@1,007,M,speech,"a/é, 1.flac",64000,16000',
    ]


def test_sources_that_have_no_units_are_there(tmp_path):
    write_units(tmp_path / "units.csv", {"open": [unit(1)]})
    found = read_units(tmp_path / "units.csv")
    assert tuple(found) == SOURCES
    assert [len(members) for members in found.values()] == [0, 0, 0, 1]
    write_units(tmp_path / "none.csv", {})
    assert read_units(tmp_path / "none.csv") == dict.fromkeys(SOURCES, ())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "test,u,s,F,speech,a.wav,0,10",
            r"row 1 of .*source=.test. is none of train, closed, validation, open; run",
        ),
        ("open,u,s,F,speech,a.wav,zero,10", r"column 'start' of row 1 is 'zero', not int"),
        ("open,u,s,F,speech,a.wav,-1,10", r"start=-1, n_samples=10 is no region"),
        ("open,u,s,F,speech,../a.wav,0,10", r"row 1 of .*units.csv: path='\.\./a\.wav' must stay inside"),
        ("open,u,s,X,speech,a.wav,0,10", r"row 1 of .*units.csv: utterance='u', speaker='s', gender='X': need"),
        ("open,,s,F,speech,a.wav,0,10", r"row 1 of .*units.csv: utterance='', speaker='s'"),
        ("open,u,s", r"3 fields and the header 8"),
    ],
)
def test_wrong_rows(tmp_path, row, message):
    path = tmp_path / "units.csv"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(ValueError, match=message):
        read_units(path)


def test_missing_files_and_columns(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_units(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_text("source,utterance\nopen,u\n")
    with pytest.raises(ValueError, match=r"odd.csv is not the table that is needed: column 'speaker'"):
        read_units(tmp_path / "odd.csv")
