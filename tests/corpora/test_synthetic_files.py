import threading

import numpy as np
import pytest

from blsh.corpora import generated
from blsh.files import checksums
from blsh.signal import audio
from tests.waiting import PATIENCE_S

KEY = "plan9-vax-numpy1"


@pytest.fixture
def published(tmp_path):
    table = tmp_path / "published.csv"
    table.write_text("platform,path,sha256\n")
    return table


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "corpus"


class Makers(dict):
    """Makers of short tones that count how often they are called."""

    def __init__(self, *paths):
        self.calls = []
        for number, path in enumerate(paths, start=1):
            self[path] = lambda path=path, number=number: self._make(path, number)

    def _make(self, path, number):
        self.calls.append(path)
        return 0.5 * np.sin(np.arange(400) * number / 10)


def test_platform_key_names_system_machine_and_versions():
    key = generated.platform_key("numpy")
    assert key.endswith(f"-numpy{np.__version__}")
    assert key == key.lower()


def test_an_unknown_platform_records_its_own_hashes_and_keeps_the_files(folder, published):
    makers = Makers("a/1.wav", "b.wav")
    first = generated.keep_or_make(folder, makers, key=KEY, published=published)
    assert sorted(makers.calls) == ["a/1.wav", "b.wav"]
    assert first == {path: checksums.sha256_of_file(folder / path) for path in makers}
    record = (folder / "hashes.csv").read_text()
    assert record.startswith("platform,path,sha256\n")
    assert all(sha256 in record for sha256 in first.values())

    assert generated.keep_or_make(folder, makers, key=KEY, published=published) == first
    assert len(makers.calls) == 2


def test_a_damaged_file_and_no_other_is_made_again(folder, published):
    makers = Makers("a.wav", "b.wav")
    first = generated.keep_or_make(folder, makers, key=KEY, published=published)
    (folder / "b.wav").write_bytes((folder / "b.wav").read_bytes()[:-1])
    makers.calls.clear()
    assert generated.keep_or_make(folder, makers, key=KEY, published=published) == first
    assert makers.calls == ["b.wav"]


def test_files_without_a_record_are_made_again(folder, published):
    makers = Makers("a.wav")
    generated.keep_or_make(folder, makers, key=KEY, published=published)
    (folder / "hashes.csv").unlink()
    generated.keep_or_make(folder, makers, key=KEY, published=published)
    assert makers.calls == ["a.wav", "a.wav"]


def test_a_record_of_another_platform_or_edition_does_not_count(folder, published):
    makers = Makers("a.wav")
    generated.keep_or_make(folder, makers, key=KEY, published=published)
    generated.keep_or_make(folder, makers, key="other", published=published)
    assert len(makers.calls) == 2
    published.write_text(f"platform,path,sha256\nsomewhere,a.wav,{'0' * 64}\n")
    generated.keep_or_make(folder, makers, key="other", published=published)
    assert len(makers.calls) == 3


def test_published_hashes_need_no_record(folder, published):
    makers = Makers("a.wav", "b.wav")
    made = generated.keep_or_make(folder, makers, key=KEY, published=published)
    rows = "".join(f"{KEY},{path},{sha256}\n" for path, sha256 in made.items())
    published.write_text("platform,path,sha256\n" + rows)
    assert generated.keep_or_make(folder, makers, key=KEY, published=published) == made
    assert len(makers.calls) == 2
    assert not (folder / "hashes.csv").exists()


def test_a_difference_from_the_published_bytes_is_said_and_recorded(folder, published):
    published.write_text(f"platform,path,sha256\n{KEY},a.wav,{'0' * 64}\n")
    makers = Makers("a.wav", "b.wav")
    for _ in range(2):  # the second time from the record, without making anything
        with pytest.warns(UserWarning, match=r"1 of 2 recordings differ from those published .* first a\.wav"):
            generated.keep_or_make(folder, makers, key=KEY, published=published)
    assert sorted(makers.calls) == ["a.wav", "b.wav"]


def test_what_was_made_before_a_failure_is_kept(folder, published):
    makers = Makers("a.wav", "b.wav")
    whole = makers["b.wav"]

    def fail():
        raise ValueError("no voice")

    makers["b.wav"] = fail
    with pytest.raises(ValueError, match="no voice"):
        generated.keep_or_make(folder, makers, key=KEY, published=published)
    makers["b.wav"] = whole
    generated.keep_or_make(folder, makers, key=KEY, published=published)
    assert makers.calls == ["a.wav", "b.wav"]
    assert sorted(p.name for p in folder.iterdir()) == ["a.wav", "b.wav", "hashes.csv"]


def test_two_jobs_make_the_same_and_work_at_a_time(folder, published, tmp_path):
    alone = generated.keep_or_make(tmp_path / "one", Makers("a.wav", "b.wav"), key=KEY, published=published)
    makers = Makers("a.wav", "b.wav")
    both = threading.Barrier(2, timeout=PATIENCE_S)  # passes only when two threads wait at it

    def together(make):
        both.wait()
        return make()

    waiting = {path: lambda make=make: together(make) for path, make in makers.items()}
    seen = []
    pair = generated.keep_or_make(
        folder, waiting, key=KEY, n_jobs=2, progress=lambda *n: seen.append(n), published=published
    )
    assert pair == alone
    assert seen == [(1, 2), (2, 2)]


def test_n_jobs_below_one_is_refused(folder, published):
    with pytest.raises(ValueError, match="n_jobs=0 must be at least 1"):
        generated.keep_or_make(folder, Makers("a.wav"), key=KEY, n_jobs=0, published=published)
    assert not folder.exists()


def test_files_are_16_bit_mono_at_16_khz(folder, published):
    generated.keep_or_make(folder, Makers("a.wav"), key=KEY, published=published)
    assert audio.probe(folder / "a.wav") == audio.AudioInfo(16_000, 1, 400)
    expected = np.rint(0.5 * np.sin(np.arange(400) / 10) * 32768) / 32768
    np.testing.assert_array_equal(audio.read_audio(folder / "a.wav"), expected.astype(np.float32))


def test_every_published_hash_is_of_a_recording_of_the_corpus():
    from blsh.corpora import synthetic_noise, synthetic_speech

    known = {n.path for n in synthetic_noise.NOISES} | {u.path for u in synthetic_speech.utterances()}
    lines = generated.PUBLISHED.read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in lines} == known
