import pytest

from blsh.corpora import READERS, find_layout, reader
from blsh.corpora.listing import Entry, make_listing, read_listing, write_listing
from tests.corpora.making import make_librispeech, noise, write


@pytest.fixture
def corpus(tmp_path):
    return make_librispeech(tmp_path / "data" / "LibriSpeech", n_speakers=2)


def read(folder, **options):
    return READERS["librispeech"](folder, corpus="speech", **options)


def listing_of(folder):
    return make_listing(read(folder), find_layout("librispeech", folder), folder)


def test_made_from_a_manifest(corpus):
    entries = listing_of(corpus)
    assert [e.id for e in entries] == ["11-7-0000", "11-7-0001", "12-7-0000", "12-7-0001"]
    assert entries[0].path == "train-clean-100/11/7/11-7-0000.flac"
    assert {e.layout for e in entries} == {"librispeech"}
    assert listing_of(corpus.parent) == entries


@pytest.mark.parametrize("level", ["corpus", "parent"])
def test_a_listing_restricts_a_corpus(corpus, tmp_path, level):
    write_listing(tmp_path / "list.csv", listing_of(corpus)[1:3])
    folder = corpus if level == "corpus" else corpus.parent
    found = read(folder, listing=tmp_path / "list.csv")
    assert [r.id for r in found.recordings] == ["11-7-0001", "12-7-0000"]
    assert found.skipped == ()


def test_changed_and_missing_files_are_skipped(corpus, tmp_path):
    entries = listing_of(corpus)
    write_listing(tmp_path / "list.csv", entries)
    changed, gone = (corpus / entry.path for entry in entries[:2])
    write(changed, noise(0.5, seed=77))
    gone.unlink()
    found = read(corpus, listing=tmp_path / "list.csv")
    assert [r.id for r in found.recordings] == ["12-7-0000", "12-7-0001"]
    assert [s.path for s in found.skipped] == [entry.path for entry in entries[:2]]
    reason = found.skipped[0].reason
    assert reason.startswith("sha256 ") and f"differs from the listed {entries[0].sha256}" in reason
    assert found.skipped[1].reason == "does not exist"


def test_nothing_left_is_an_error(corpus, tmp_path):
    write_listing(tmp_path / "list.csv", [Entry("x", "librispeech", "a/b/c/x.flac", "00" * 32)])
    with pytest.raises(ValueError, match=r"has no usable recording in .* among those listed in .*list\.csv: 1 files"):
        read(corpus, listing=tmp_path / "list.csv")


def test_rows_of_other_layouts_do_not_count(corpus, tmp_path):
    other = [Entry("x", "esc-10", "a/x.ogg", "00" * 32)]
    write_listing(tmp_path / "list.csv", [*other, *listing_of(corpus)])
    assert len(read(corpus, listing=tmp_path / "list.csv").recordings) == 4
    write_listing(tmp_path / "list.csv", other)
    with pytest.raises(ValueError, match=r"list\.csv lists no file of layout 'librispeech' \(it has: 'esc-10'\)"):
        read(corpus, listing=tmp_path / "list.csv")


def test_options_and_listing_both_restrict(corpus, tmp_path):
    make_librispeech(corpus, split="dev-clean", n_speakers=1)
    write_listing(tmp_path / "list.csv", listing_of(corpus))
    found = read(corpus, listing=tmp_path / "list.csv", splits=["dev-clean"])
    assert {r.split for r in found.recordings} == {"dev-clean"} and found.skipped == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "x,librispeech,../x.flac," + "00" * 32,
            r"row 1 of .*list\.csv: path='\.\./x\.flac' must stay inside",
        ),
        ("x,librispeech,x.flac,123", r"row 1 of .*sha256='123' is not 64"),
        (",librispeech,x.flac," + "00" * 32, r"row 1 of .*id='', layout='librispeech': both must be given"),
        ("\n".join(["x,librispeech,x.flac," + "00" * 32] * 2), r"row 2 of .*'x\.flac' is listed twice"),
    ],
)
def test_bad_listings(tmp_path, row, message):
    (tmp_path / "list.csv").write_text(f"id,layout,path,sha256\n{row}\n")
    with pytest.raises(ValueError, match=message):
        read_listing(tmp_path / "list.csv", "librispeech")


def test_readers_by_name():
    speech = {"librispeech", "timit", "voicebank", "synthetic_speech"}
    assert set(READERS) == speech | {"esc", "duan", "demand", "musan", "synthetic_noise"} | {"folder"}
    assert reader("esc") is READERS["esc"]
    with pytest.raises(ValueError, match=r"corpus reader 'wsj' is unknown: choose one of librispeech"):
        reader("wsj")
    with pytest.raises(ValueError, match=r"'synthetic_noise' has no layouts to list"):
        find_layout("synthetic_noise", None)
