"""`blsh denoise`: every form of input comes out in its own form, and every bad one as one line."""

import io
import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import soundfile

from blsh.cli import denoise as denoise_verb
from blsh.cli import main as cli
from blsh.cli import pipes
from blsh.cli.cleaning_note import CleaningNote
from blsh.denoising.denoiser import denoise
from blsh.denoising.model_file import load_model, save_model
from tests.cli.working import run_verb
from tests.denoising.making import RATE, small_model, sound
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.blsh"
    save_model(path, small_model())
    return path


@pytest.fixture
def blsh(model, capsys):
    """Run the verb in this process: status and its lines on stderr, without those of progress."""

    def run(*words: object) -> tuple[int, list[str]]:
        status = run_verb("denoise", *words, "--model", model)
        lines = capsys.readouterr().err.splitlines()
        return status, [line for line in lines if not line.startswith("files: ")]

    return run


def write(path: Path, samples: np.ndarray, rate: int = RATE, **form) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **form)
    return path


def make_tree(folder: Path) -> dict[str, np.ndarray]:
    sounds = {"a.wav": sound(4000, 1), "deep/er/b.flac": sound(5000, 2), "deep/c.OGG": sound(6000, 3)}
    for name, samples in sounds.items():
        write(folder / name, samples, **({"format": "OGG"} if name.endswith("OGG") else {}))
    (folder / "notes.txt").write_text("not a sound", encoding="utf-8")
    write(folder / ".hidden/d.wav", sound(3000))
    return sounds


FORMS = [
    ("x.wav", "WAV", "PCM_16", 16000, 1),
    ("x.wav", "WAV", "PCM_24", 44100, 2),
    ("x.wav", "WAV", "FLOAT", 8000, 3),
    ("x.wav", "WAVEX", "PCM_16", 16000, 4),
    ("x.flac", "FLAC", "PCM_24", 48000, 2),
    ("x.ogg", "OGG", "VORBIS", 22050, 1),
    ("x.opus", "OGG", "OPUS", 48000, 1),
    ("x.wav", "WAV", "PCM_16", 384000, 1),
]


@pytest.mark.parametrize(("name", "form", "subtype", "rate", "channels"), FORMS)
def test_the_form_is_kept(name, form, subtype, rate, channels, blsh, tmp_path):
    source = tmp_path / name
    samples = sound(rate // 2 + 3, channels=channels)
    with soundfile.SoundFile(source, "w", rate, channels, subtype, format=form) as file:
        if form in ("WAV", "FLAC", "OGG"):
            file.title = "a title"
        file.write(samples)
    before = source.read_bytes()
    assert blsh(source, "-o", tmp_path / f"out/{name}") == (0, [])
    with soundfile.SoundFile(source) as old, soundfile.SoundFile(tmp_path / f"out/{name}") as new:
        for what in ("format", "subtype", "samplerate", "channels", "frames", "title"):
            assert getattr(new, what) == getattr(old, what), what
        assert 0.01 < new.read().std() < 0.9 * old.read().std()
    assert source.read_bytes() == before


def test_a_file_at_16_khz_is_what_the_array_gives(blsh, tmp_path):
    samples = sound(40_000, channels=2)
    source = write(tmp_path / "x.wav", samples, subtype="FLOAT")
    for options, settings in (
        ([], {}),
        (
            ["--level", 0.02, "--bits", 11, "--strength", 0.8, "--floor", 0.1],
            {"level": 0.02, "n_bits": 11, "strength": 0.8, "floor": 0.1},
        ),
    ):
        assert blsh(source, "-o", tmp_path / "y.wav", "--overwrite", *options)[0] == 0
        cleaned, _ = soundfile.read(tmp_path / "y.wav", dtype="float32")
        np.testing.assert_allclose(cleaned, denoise(samples, small_model(), **settings), atol=1e-6)


@pytest.mark.parametrize("rate", [11025, 44100, 48000])
def test_resampling_keeps_the_signal_in_time(rate, blsh, tmp_path):
    """A strength of nearly 0 leaves what lies below 8 kHz as it is, and goes through both resamplings."""
    times = np.arange(rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 440 * times) * np.hanning(rate)).astype(np.float32)
    source = write(tmp_path / "x.wav", tone, rate, subtype="FLOAT")
    assert blsh(source, "-o", tmp_path / "y.wav", "--strength", 1e-9) == (0, [])
    np.testing.assert_allclose(soundfile.read(tmp_path / "y.wav")[0], tone, atol=2e-4)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "VORBIS", "OPUS", "FLAC"])
def test_strength_0_gives_the_samples_back_as_they_are_stored(subtype, blsh, tmp_path):
    """At 48 kHz, with sound above 8 kHz, and where there is nothing to clean: short, silent."""
    form = {"VORBIS": ("ogg", "VORBIS"), "OPUS": ("opus", "OPUS"), "FLAC": ("flac", "PCM_24")}.get(subtype)
    suffix, kind = form or ("wav", subtype)
    rng = np.random.default_rng(4)
    for number, samples in enumerate(
        (0.1 * rng.standard_normal((9000, 2)), np.zeros((9000, 2)), 0.1 * np.ones((99, 2)))
    ):
        source = write(
            tmp_path / f"{number}.{suffix}",
            samples,
            48_000,
            subtype=kind,
            format="OGG" if form and suffix != "flac" else None,
        )
        target = tmp_path / f"out/{number}.{suffix}"
        assert blsh(source, "-o", target, "--strength", 0) == (0, [])
        assert target.read_bytes() == source.read_bytes()
    source = write(tmp_path / "nan.wav", np.array([0.0, np.nan] * 999), subtype="FLOAT")
    assert blsh(source, "-o", tmp_path / "out/nan.wav", "--strength", 0)[0] == 2


def test_strength_and_floor_weigh_what_lies_above_8_khz(blsh, tmp_path):
    """Its gain is max(floor, 1 − strength): nothing is left at full strength."""
    times = np.arange(48_000) / 48_000
    high = (0.1 * np.sin(2 * np.pi * 15_000 * times)).astype(np.float32)
    low = sound(16_000).repeat(3)
    source = write(tmp_path / "x.wav", low + high, 48_000, subtype="FLOAT")
    middle = slice(9_000, 39_000)
    for strength, floor, gain in ((1, 0, 0), (0.75, 0, 0.25), (0.75, 0.5, 0.5), (1, 0.125, 0.125)):
        words = ("--strength", strength, "--floor", floor, "--overwrite")
        assert blsh(source, "-o", tmp_path / "y.wav", *words) == (0, [])
        cleaned = soundfile.read(tmp_path / "y.wav")[0]
        found = 2 * (cleaned * np.sin(2 * np.pi * 15_000 * times))[middle].mean()
        assert found == pytest.approx(0.1 * gain, abs=1e-4)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_folder_keeps_its_tree_and_finished_files_are_skipped(n_jobs, blsh, tmp_path):
    sounds = make_tree(tmp_path / "in")
    out = tmp_path / "out"
    status, lines = blsh(tmp_path / "in", "-o", out, "--jobs", n_jobs)
    assert status == 0 and lines == [f"1 files in {tmp_path / 'in'} are not WAV, FLAC or Ogg and left out"]
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {*sounds, "denoised.json"}
    np.testing.assert_allclose(soundfile.read(out / "a.wav")[0], denoise(sounds["a.wav"], small_model()), atol=1e-4)
    times = {name: (out / name).stat().st_mtime_ns for name in sounds}

    (out / "a.wav").unlink()
    assert blsh(tmp_path / "in", "-o", out)[1][-1] == "2 of 3 files are finished and skipped"
    assert {name for name in sounds if (out / name).stat().st_mtime_ns != times[name]} == {"a.wav"}
    assert blsh(tmp_path / "in", "-o", out)[1][-1] == "3 of 3 files are finished and skipped"

    for time_ns in (time.time_ns() + 10**10, 0):  # another input of the same name, newer or older
        os.utime(tmp_path / "in/a.wav", ns=(time_ns, time_ns))
        assert blsh(tmp_path / "in", "-o", out)[1][-1] == "2 of 3 files are finished and skipped"
    for options in (["--strength", 0.5], ["--strength", 0.5, "--overwrite"]):
        assert "skipped" not in " ".join(blsh(tmp_path / "in", "-o", out, *options)[1])


def test_files_made_with_other_settings_are_not_taken_for_finished(blsh, tmp_path):
    """Also those that were made with --overwrite in between, and those of another model."""
    folder, out = tmp_path / "in", tmp_path / "out"
    write(folder / "a.wav", sound(4000))
    made = {}
    for strength, more in ((1, []), (0.2, ["--overwrite"]), (1, []), (0.2, [])):
        assert "skipped" not in " ".join(blsh(folder, "-o", out, "--strength", strength, *more)[1])
        made.setdefault(strength, set()).add((out / "a.wav").read_bytes())
    assert len(made[1]) == len(made[0.2]) == 1 and made[1] != made[0.2]
    save_model(tmp_path / "other.blsh", small_model(seed=5))
    words = ["denoise", str(folder), "-o", str(out), "--strength", "0.2", "--model", str(tmp_path / "other.blsh")]
    assert run_verb(*words) == 0 and (out / "a.wav").read_bytes() not in made[0.2]


def tree_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_recordings_that_blsh_did_not_make_are_never_replaced_unasked(blsh, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "archive"
    make_tree(folder)
    write(out / "a.wav", sound(7000, 9))
    write(out / "deep/c.OGG", sound(7000, 9), format="OGG")
    before = tree_of(out)
    status, lines = blsh(folder, "-o", out)
    assert status == 2 and "a.wav (the first of 2 files) would be replaced" in lines[-1] and "--overwrite" in lines[-1]
    assert tree_of(out) == before
    assert blsh(folder, "-o", out, "--overwrite")[0] == 0
    cleaned = tree_of(out)
    assert cleaned["a.wav"] != before["a.wav"] and cleaned["deep/c.OGG"] != before["deep/c.OGG"]
    assert blsh(folder, "-o", out)[1][-1] == "3 of 3 files are finished and skipped"

    write(out / "a.wav", sound(500, 1))  # edited by hand since
    edited = tree_of(out)
    for more in ([], ["--strength", 0.5]):
        status, lines = blsh(folder, "-o", out, *more)
        assert status == 2 and "a.wav would be replaced" in lines[-1]
    assert tree_of(out) == edited


def test_one_recording_never_replaces_another_unasked(blsh, tmp_path):
    source, other = write(tmp_path / "a.wav", sound(4000)), write(tmp_path / "b.wav", sound(4000, 1))
    before = other.read_bytes()
    status, lines = blsh(source, "-o", other)
    assert status == 2 and len(lines) == 1 and "b.wav exists: give another output, or --overwrite" in lines[0]
    assert other.read_bytes() == before
    assert blsh(source, "-o", other, "--overwrite") == (0, []) and other.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]  # and no note


def test_a_pipe_gets_the_file_when_it_is_whole(blsh, tmp_path):
    source = write(tmp_path / "a.wav", sound(60_000))
    assert blsh(source, "-o", tmp_path / "b.wav") == (0, [])
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        assert blsh(source, "-o", tmp_path / "pipe") == (0, [])
        assert read.result() == (tmp_path / "b.wav").read_bytes()
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_second_folder_with_the_same_names_is_not_taken_for_the_first(blsh, tmp_path):
    monday, tuesday, out = tmp_path / "monday", tmp_path / "tuesday", tmp_path / "out"
    for seed, folder in enumerate((monday, tuesday)):
        write(folder / "1.wav", sound(4000, seed))
        os.utime(folder / "1.wav", ns=(0, 0))  # of the same size and time
    assert blsh(monday, "-o", out) == (0, [])
    before = tree_of(out)
    write(tuesday / "2.wav", sound(4000, 2))
    status, lines = blsh(tuesday, "-o", out)
    assert status == 2 and f"1.wav was made from {monday / '1.wav'}, and {tuesday / '1.wav'} would" in lines[0]
    assert tree_of(out) == before
    assert blsh(tuesday / "2.wav", "-o", out) == (0, [])  # another name is no harm
    assert blsh(tuesday, "-o", out, "--overwrite") == (0, [])
    np.testing.assert_allclose(soundfile.read(out / "1.wav")[0], denoise(sound(4000, 1), small_model()), atol=1e-4)


def test_recordings_and_cleaned_ones_may_move_together(blsh, tmp_path):
    make_tree(tmp_path / "here/in")
    assert blsh(tmp_path / "here/in", "-o", tmp_path / "here/out")[0] == 0
    (tmp_path / "here").rename(tmp_path / "there")
    assert blsh(tmp_path / "there/in", "-o", tmp_path / "there/out")[1][-1] == "3 of 3 files are finished and skipped"


@pytest.mark.parametrize("text", ['{\n  "code_version": "0.1.0",\n  "strength": 1.0\n}\n', '["mine"]', "\xff", "{"])
def test_a_note_that_does_not_tell_the_sources_is_one_line(text, blsh, tmp_path):
    """The note of an older version, and what is no note."""
    folder, out = tmp_path / "in", tmp_path / "out"
    write(folder / "a.wav", sound(4000))
    write(out / "a.wav", sound(4000))
    (out / "denoised.json").write_text(text, encoding="latin-1")
    before = tree_of(out)
    status, lines = blsh(folder, "-o", out)
    assert status == 2 and len(lines) == 1 and "does not say what each file was made from" in lines[0]
    assert tree_of(out) == before
    assert blsh(folder, "-o", out, "--overwrite") == (0, [])
    assert blsh(folder, "-o", out)[1] == ["1 of 1 files are finished and skipped"]


KILLS = [("denoise, '_try_task', 'before'", False), ("NoteLines, 'add', 'after'", False)]
KILLS += [("denoise, 'denoise_file', 'after'", True)]


@pytest.mark.parametrize(("place", "is_there"), KILLS)
def test_a_killed_run_is_continued_and_what_came_since_is_never_replaced_unasked(
    place, is_there, blsh, model, tmp_path
):
    """Before the third file is whole, between its line in the note and its name, and after that."""
    for number in range(4):
        write(tmp_path / f"in/{number}.wav", sound(4000, number))
    code = (
        "import os, sys\nfrom blsh.cli import denoise\nfrom blsh.cli.cleaning_note import NoteLines\n"
        "from blsh.cli.main import main\n"
        "place, name, moment = PLACE\n"
        "count, true = iter(range(9)), getattr(place, name)\n"
        "def kill_at_the_third(*words, **more):\n"
        "    is_third = next(count) == 2\n"
        "    if is_third and moment == 'before': os.kill(os.getpid(), 9)\n"
        "    result = true(*words, **more)\n"
        "    if is_third: os.kill(os.getpid(), 9)\n"
        "    return result\n"
        "setattr(place, name, kill_at_the_third)\n"
        "main(sys.argv[1:])"
    ).replace("PLACE", place)
    words = ["denoise", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--model", str(model)]
    assert subprocess.run([sys.executable, "-c", code, *words], capture_output=True, timeout=300).returncode == -9
    assert (tmp_path / "out/2.wav").exists() is is_there
    with open(tmp_path / "out/denoised.json", "ab") as note:
        note.write(b'{"target": "1.w')  # a line that was torn
    if not is_there:
        write(tmp_path / "out/2.wav", sound(4000, 9))
        mine = (tmp_path / "out/2.wav").read_bytes()
        status, lines = blsh(tmp_path / "in", "-o", tmp_path / "out")
        assert status == 2 and "2.wav would be replaced" in lines[0]
        assert (tmp_path / "out/2.wav").read_bytes() == mine
        (tmp_path / "out/2.wav").unlink()
    n_done = 2 + is_there
    assert blsh(tmp_path / "in", "-o", tmp_path / "out") == (0, [f"{n_done} of 4 files are finished and skipped"])
    assert blsh(tmp_path / "in", "-o", tmp_path / "out") == (0, ["4 of 4 files are finished and skipped"])


def test_what_appeared_after_a_file_failed_is_somebody_elses(blsh, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.wav").write_bytes(b"not a sound")
    assert blsh(tmp_path / "in", "-o", tmp_path / "out")[0] == 1
    write(tmp_path / "in/a.wav", sound(4000))
    write(tmp_path / "out/a.wav", sound(4000, 1))
    status, lines = blsh(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 2 and "a.wav would be replaced" in lines[0]


def test_two_runs_at_a_time_do_not_write_into_one_folder(blsh, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    write(folder / "a.wav", sound(4000))
    late = CleaningNote(out, {})
    with CleaningNote(out, {}).continued():
        for more in ([], ["--overwrite"]):
            status, lines = blsh(folder, "-o", out, *more)
            assert status == 2 and len(lines) == 1 and f"another blsh denoise writes into {out}: wait" in lines[0]
        with pytest.raises(ValueError, match="another blsh denoise writes"), late.continued():
            pass
    with pytest.raises(ValueError, match="has just written into"), late.continued():
        pass
    assert blsh(folder, "-o", out, "--jobs", 2) == (0, [])
    assert blsh(folder, "-o", out) == (0, ["1 of 1 files are finished and skipped"])


def test_a_damaged_line_of_the_note_is_no_line(blsh, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    write(folder / "a.wav", sound(4000))
    assert blsh(folder, "-o", out) == (0, [])
    note = out / "denoised.json"
    head, line = note.read_text(encoding="utf-8").splitlines()
    for key in json.loads(line):
        short = {name: value for name, value in json.loads(line).items() if name != key}
        for broken in (short, {**short, key: None}):
            note.write_text(f"{head}\n{json.dumps(broken)}\n", encoding="utf-8")
            status, lines = blsh(folder, "-o", out)
            assert status == 2 and "a.wav would be replaced" in lines[0]
    note.write_text(f'{head}\n[]\n{line}\n{{"target": "a.wav", "begun": null}}\n', encoding="utf-8")
    assert blsh(folder, "-o", out) == (0, ["1 of 1 files are finished and skipped"])


@pytest.mark.parametrize("spoil", [Path.unlink, lambda note: os.truncate(note, 0), lambda note: rmtree(note.parent)])
def test_a_note_that_vanishes_under_the_run_stops_it_in_one_line(spoil, blsh, tmp_path, monkeypatch):
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in "abc":
        write(folder / f"{name}.wav", sound(4000))
    true = denoise_verb.denoise_file

    def then_spoil(*words, **more):
        true(*words, **more)
        spoil(out / "denoised.json")

    monkeypatch.setattr(denoise_verb, "denoise_file", then_spoil)
    status, lines = blsh(folder, "-o", out)
    assert status == 2 and len(lines) == 1 and f"{out / 'denoised.json'} was removed or emptied" in lines[0]
    assert not (out / "b.wav").exists()
    monkeypatch.undo()
    if (out / "a.wav").exists():
        status, lines = blsh(folder, "-o", out)
        assert status == 2 and "a.wav would be replaced" in lines[0] and "--overwrite" in lines[0]
    assert blsh(folder, "-o", out, "--overwrite") == (0, [])
    assert blsh(folder, "-o", out) == (0, ["3 of 3 files are finished and skipped"])


def test_a_folder_in_the_place_of_the_note_is_refused_before_the_first_file(blsh, tmp_path):
    write(tmp_path / "in/a.wav", sound(4000))
    write(tmp_path / "in/denoised.json/b.wav", sound(4000))
    status, lines = blsh(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 2 and len(lines) == 1 and "is the note of the output folder; rename the folder" in lines[0]
    assert not (tmp_path / "out").exists()


def test_links_to_folders_are_followed_and_circles_end(blsh, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "in/out"
    write(tmp_path / "elsewhere/a.wav", sound(4000))
    write(folder / "real/b.wav", sound(4000))
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(folder)
    (folder / "again").symlink_to(folder / "real")  # cleaned once, where it lies
    (folder / "cleaned").symlink_to(out)
    for _ in range(2):
        assert blsh(folder, "-o", out)[0] == 0
        assert set(tree_of(out)) == {"linked/a.wav", "real/b.wav", "denoised.json"}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_file_that_fails_is_told_at_the_end_and_the_others_are_done(n_jobs, blsh, tmp_path):
    make_tree(tmp_path / "in")
    (tmp_path / "in/bad.wav").write_bytes(b"not a sound")
    write(tmp_path / "in/silent.wav", np.zeros(5000, np.float32))
    status, lines = blsh(tmp_path / "in", "-o", tmp_path / "out", "--jobs", n_jobs)
    assert status == 1 and len(lines) == 3
    assert "bad.wav cannot be decoded" in lines[1] and "silent.wav: the signal is silent" in lines[2]
    assert sorted(p.name for p in (tmp_path / "out").rglob("*.*")) == ["a.wav", "b.flac", "c.OGG", "denoised.json"]


def test_what_a_killed_process_had_begun_is_removed_later(blsh, tmp_path):
    make_tree(tmp_path / "in")
    begun = tmp_path / "out/deep/.c-0123abcd.tmp.OGG"
    begun.parent.mkdir(parents=True)
    begun.touch()
    os.utime(begun, (0, 0))
    assert blsh(tmp_path / "in", "-o", tmp_path / "out")[0] == 0
    assert not begun.exists()


def test_several_files_go_to_a_folder(blsh, tmp_path):
    paths = [write(tmp_path / f"in/{name}.wav", sound(2000)) for name in "ab"]
    assert blsh(*paths, "-o", tmp_path / "out")[0] == 0
    assert blsh(paths[0], "-o", f"{tmp_path}/other/") == (0, [])
    assert [p.name for p in sorted((tmp_path / "other").iterdir())] == ["a.wav", "denoised.json"]


def spoil_with_nan(path: Path) -> Path:
    samples = sound(3000)
    samples[1234] = np.nan
    return write(path, samples, subtype="FLOAT")


def cut_short(path: Path) -> Path:
    write(path, sound(3000))
    path.write_bytes(path.read_bytes()[:-1000])
    return path


def wav_of_rate(path: Path, rate: int) -> Path:
    write(path, sound(3000))
    data = bytearray(path.read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    return path


def two_in_one(path: Path) -> Path:
    path.write_bytes(2 * write(path, sound(3000)).read_bytes())
    return path


BAD_FILES = {
    "not audio": (lambda path: (path.write_bytes(b"hello" * 100), path)[1], "cannot be decoded"),
    "empty file": (lambda path: (path.write_bytes(b""), path)[1], "cannot be decoded"),
    "no samples": (lambda path: write(path, np.zeros(0)), "holds no samples"),
    "one sample": (lambda path: write(path, np.array([0.5])), "x.wav: the signal is silent or constant"),
    "short": (lambda path: write(path, sound(512)), "x.wav: the signal has 512 samples"),
    "silence": (lambda path: write(path, np.zeros(9000)), "x.wav: the signal is silent"),
    "NaN": (spoil_with_nan, "x.wav: samples hold NaN"),
    "truncated": (cut_short, "truncated"),
    "1 Hz": (lambda path: wav_of_rate(path, 1), "sample_rate=1 Hz"),
    "2 MHz": (lambda path: wav_of_rate(path, 2_000_000), "sample_rate=2000000 Hz"),
    "two in one": (two_in_one, "holds a second recording, from byte 6044 on"),
    "65 channels": (lambda path: write(path, sound(600, channels=65)), "x.wav: channels=65 must lie in 1…64"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_line(kind, blsh, tmp_path):
    make, message = BAD_FILES[kind]
    source = make(tmp_path / "x.wav")
    before = source.read_bytes()
    status, lines = blsh(source, "-o", tmp_path / "y.wav")
    assert status == 2 and len(lines) == 1 and message in lines[0], lines
    assert source.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_bad_requests_are_one_line(blsh, tmp_path, model):
    source = write(tmp_path / "in/x.wav", sound(2000))
    other = write(tmp_path / "in2/x.wav", sound(2000))
    (tmp_path / "empty").mkdir()
    linked = tmp_path / "link.wav"
    linked.symlink_to(source)
    hard = tmp_path / "hard/x.wav"
    hard.parent.mkdir()
    os.link(source, hard)
    requests = {
        "is an input": [source, "-o", source],
        "is an input: recordings": [source, "-o", source.parent],
        "are never overwritten": [source, "-o", linked],
        "x.wav is an input: recordings": [source, "-o", hard.parent],
        "would both become": [source, other, "-o", tmp_path / "out"],
        "is a file: several": [source, other, "-o", linked],
        "does not exist": [tmp_path / "none.wav", "-o", tmp_path / "y.wav"],
        "holds no sound file": [tmp_path / "empty", "-o", tmp_path / "y"],
        "must end in '.wav'": [source, "-o", tmp_path / "y.flac"],
        "n_bits=41 must lie in 1…40": [source, "-o", tmp_path / "y.wav", "--bits", 41],
        "--strength: '2' must be a finite number of at least 0 and at most 1": [
            source,
            "-o",
            tmp_path / "y.wav",
            "--strength",
            2,
        ],
        "--floor: '-1' must be a finite number of at least 0": [source, "-o", tmp_path / "y.wav", "--floor", -1],
        "--level: '0' must be a finite number above 0": [source, "-o", tmp_path / "y.wav", "--level", 0],
        "--jobs: '0' must be a whole number in 1…1024": [source, "-o", tmp_path / "y.wav", "--jobs", 0],
        "IN or -o OUT is missing": [source],
        "one input and one output": ["-", source, "-o", tmp_path / "y.wav"],
        "leave out IN": ["--stream", source],
        "--rate: '1' must be a whole number in 1000…1000000": ["--stream", "--rate", 1],
        "--channels: '0' must be a whole number in 1…64": ["--stream", "--channels", 0],
        "cannot lie in it": [source, "-o", source / "y.wav"],
    }
    for message, words in requests.items():
        status, lines = blsh(*words)
        assert status == 2 and len(lines) == 1 and message in lines[0], (message, lines)
    assert not (tmp_path / "y.wav").exists() and not (tmp_path / "out").exists()


def test_a_bad_model_is_one_line(tmp_path, model, capsys):
    source = write(tmp_path / "x.wav", sound(2000))
    whole = model.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for name, data in {"cut": whole[:-99], "flipped": bytes(flipped), "not one": b"x", "empty": b""}.items():
        path = tmp_path / f"{name}.blsh"
        path.write_bytes(data)
        assert cli.main(["denoise", str(source), "-o", str(tmp_path / "y.wav"), "--model", str(path)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and str(path) in lines[0]
    assert not (tmp_path / "y.wav").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_one_line(blsh, tmp_path):
    source = write(tmp_path / "x.wav", sound(2000))
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    source.chmod(0o000)
    assert blsh(source, "-o", tmp_path / "y.wav")[0] == 2
    source.chmod(0o400)
    status, lines = blsh(source, "-o", locked / "y.wav")
    assert status == 2 and len(lines) == 1 and "Permission denied" in lines[0]


@pytest.fixture
def piped(model, tmp_path, monkeypatch, capsys):
    """Run the verb in this process with files in the place of its pipes: status, stdout and lines on stderr."""

    def run(data: bytes, *words: object) -> tuple[int, bytes, list[str]]:
        taken, given = tmp_path / "taken", tmp_path / "given"
        given.write_bytes(data)
        with monkeypatch.context() as patch, open(given) as stdin, open(taken, "w") as stdout:
            patch.setattr(cli, "_set_threads", lambda argv: None)
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", stdout)
            status = cli.main(["denoise", "--model", str(model), *map(str, words)])
        return status, taken.read_bytes(), capsys.readouterr().err.splitlines()

    return run


def test_a_sound_file_goes_through_pipes(piped, model, tmp_path):
    source = write(tmp_path / "x.flac", sound(20_000))
    expected = denoise(soundfile.read(source, dtype="float32")[0], load_model(model))
    status, out, lines = piped(source.read_bytes(), "-", "-o", "-")
    assert status == 0 and not lines
    with soundfile.SoundFile(io.BytesIO(out)) as file:
        assert (file.format, file.subtype) == ("FLAC", "PCM_16")
        np.testing.assert_allclose(file.read(), expected, atol=1e-4)
    status, out, lines = piped(b"not a sound", "-", "-o", "-")
    assert status == 2 and not out and len(lines) == 1 and "denoise: stdin cannot be decoded" in lines[0]


@pytest.mark.parametrize("placeholder", [0xFFFFFFFF, 0x80000000, 0x7FFFF000, 0])
def test_a_sound_file_from_a_program_that_did_not_know_its_length(placeholder, piped, blsh, tmp_path):
    path = write(tmp_path / "x.wav", sound(20_000))
    _, expected, _ = piped(path.read_bytes(), "-", "-o", "-")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = placeholder.to_bytes(4, "little")
    status, out, lines = piped(bytes(data), "-", "-o", "-")
    assert status == 0 and not lines and out == expected
    assert soundfile.info(io.BytesIO(out)).frames == 20_000
    path.write_bytes(data)
    assert blsh(path, "-o", tmp_path / "y.wav") == (0, [])
    assert (tmp_path / "y.wav").read_bytes() == expected
    status, out, lines = piped(bytes(data[:-1]), "-", "-o", "-")
    assert status == 2 and not out and len(lines) == 1
    assert "stdin is truncated, its header leaves the length open" in lines[0]


def test_flac_from_a_program_that_did_not_know_its_length(piped, tmp_path):
    data = write(tmp_path / "x.flac", sound(20_000)).read_bytes()
    _, expected, _ = piped(data, "-", "-o", "-")
    length = int.from_bytes(data[18:26], "big") >> 36 << 36  # after 28 bits of other things
    assert piped(data[:18] + length.to_bytes(8, "big") + data[26:], "-", "-o", "-") == (0, expected, [])


def test_a_stream_of_raw_samples(piped, model):
    samples = sound(16_000, channels=2)
    _, out, _ = piped(samples.tobytes(), "--stream", "--channels", 2, "--format", "f32")
    expected = denoise(samples, load_model(model), level=load_model(model).level)
    np.testing.assert_array_equal(np.frombuffer(out, "<f4").reshape(-1, 2), expected)
    levels = np.rint(samples * 32768).astype("<i2")
    status, out, _ = piped(levels.tobytes(), "--stream", "--channels", 2, "--rate", 8000, "--level", 0.1)
    assert status == 0 and len(out) == levels.nbytes


@pytest.mark.parametrize("form", ["s16", "s32", "f32"])
def test_strength_0_gives_a_raw_stream_back(form, piped):
    data = np.random.default_rng(0).integers(-(2**31), 2**31, 6000).astype("<i4").tobytes()
    data = sound(6000).tobytes() if form == "f32" else data
    words = ("--stream", "--strength", 0, "--rate", 48_000, "--channels", 2, "--format", form)
    assert piped(data, *words) == (0, data, [])


@pytest.mark.parametrize(
    ("data", "words", "message"),
    [
        (b"", [], "stdin holds no samples"),
        (b"\0" * 99, [], "the signal has 49 samples"),
        (sound(2000).tobytes() + b"\0", ["--format", "f32"], "ended within a sample of 4 bytes"),
        (np.full(2000, np.nan, "<f4").tobytes(), ["--format", "f32"], "NaN"),
    ],
    ids=["empty", "short", "cut", "NaN"],
)
def test_a_bad_stream_is_one_line(data, words, message, piped):
    status, _, lines = piped(data, "--stream", *words)
    assert status == 2 and len(lines) == 1 and message in lines[0]


def python(code: str, *words: object) -> subprocess.CompletedProcess:
    """Run code in a process of its own."""
    call = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(call, capture_output=True, timeout=PATIENCE_S, check=True)


@pytest.mark.parametrize(
    ("words", "reads_stdin", "writes_stdout"),
    [
        (["{file}", "-o", "-"], False, True),
        (["-", "-o", "-"], True, True),
        (["--stream"], True, True),
        (["-", "-o", "{file}", "--overwrite"], True, False),
    ],
)
def test_a_stream_never_replaces_the_file_that_it_is_made_from(words, reads_stdin, writes_stdout, model, tmp_path):
    """As the shell does with ``>>`` and ``<>``."""
    source = write(tmp_path / "x.wav", sound(20_000), subtype="PCM_16")
    before = source.read_bytes()
    call = [sys.executable, "-m", "blsh", "denoise", "--model", str(model)]
    with open(source, "rb") as stdin, open(source, "ab") as stdout:
        told = subprocess.run(
            [*call, *(word.format(file=source) for word in words)],
            stdin=stdin if reads_stdin else subprocess.DEVNULL,
            stdout=stdout if writes_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
    lines = [line for line in told.stderr.splitlines() if not line.startswith("compiling the kernels")]
    assert told.returncode == 2 and len(lines) == 1 and "is the input: inputs are never overwritten" in lines[0]
    assert source.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_an_empty_name_is_not_the_folder_at_hand(model, tmp_path, monkeypatch, capsys):
    """What a shell makes of a variable that is not set."""
    write(tmp_path / "x.wav", sound(20_000))
    monkeypatch.chdir(tmp_path)
    assert run_verb("denoise", "--model", model, "", "-o", "out") == 2
    assert "'' names no file or folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["--stream"], ["-", "-o", "-"]])
def test_a_reader_that_has_gone_ends_it_quietly(words, model, tmp_path):
    source = write(tmp_path / "x.wav", sound(200_000), subtype="PCM_16")
    reader, writer = os.pipe()
    os.close(reader)
    call = [sys.executable, "-m", "blsh", "denoise", "--model", str(model), *words]
    with open(source, "rb") as handle:
        told = subprocess.run(call, stdin=handle, stdout=writer, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    os.close(writer)
    lines = [line for line in told.stderr.splitlines() if not line.startswith(b"compiling the kernels")]
    assert (told.returncode, lines) == (141, [])


def test_a_full_disk_is_one_line(model, tmp_path):
    """A limit on the size of files stands in for the disk."""
    sources = [write(tmp_path / name, sound(60_000)) for name in ("x.wav", "x.flac", "x.ogg")]
    code = (
        "import resource, sys; from blsh.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "model, *sources = sys.argv[1:]\n"
        "print([main(['denoise', x, '-o', x.replace('x.', 'y.'), '--model', model]) for x in sources])"
    )
    told = python(code, model, *sources)
    assert told.stdout.strip() == b"[2, 2, 2]"
    assert told.stderr.count(b"cannot be written") == told.stderr.count(b"\n") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.flac", "x.ogg", "x.wav"]


def test_memory_does_not_grow_with_the_length(model, tmp_path):
    """Five minutes take what ten seconds took, but for what the allocator keeps."""
    for seconds in (10, 300):
        with soundfile.SoundFile(tmp_path / f"{seconds}.wav", "w", RATE, 1) as file:
            for first in range(0, seconds, 10):
                file.write(sound(10 * RATE, seed=first))
    code = (
        "import resource, sys; from blsh.cli.main import main\n"
        "for source in sys.argv[2:]:\n"
        "    status = main(['denoise', source, '-o', source + '.wav', '--model', sys.argv[1]])\n"
        "    print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    short, long = python(code, model, tmp_path / "10.wav", tmp_path / "300.wav").stdout.splitlines()
    peaks = [int(line.split()[1]) for line in (short, long)]
    assert short.startswith(b"0 ") and long.startswith(b"0 ")
    assert peaks[1] < peaks[0] + 10_000  # KiB: the long file's samples as float32 would take 19 MB


def test_torch_and_pandas_are_not_loaded(model, tmp_path):
    source = write(tmp_path / "x.wav", sound(2000))
    code = (
        "import sys; from blsh.cli.main import main; main(sys.argv[1:]); "
        "print([name for name in ('torch', 'pandas', 'librosa', 'matplotlib', 'pyarrow') if name in sys.modules])"
    )
    told = python(code, "denoise", source, "-o", tmp_path / "y.wav", "--model", model)
    assert told.stdout.strip() == b"[]"


def test_raw_integers_are_rounded_and_clipped():
    packed = pipes._packed(np.array([[-2.0], [-1.0], [0.25 / 32768], [0.6 / 32768], [1.0]]), "<i2", 2.0**15)
    assert np.frombuffer(packed, "<i2").tolist() == [-32768, -32768, 0, 1, 32767]
    assert np.frombuffer(pipes._packed(np.array([[1.0]]), "<i4", 2.0**31), "<i4").tolist() == [2**31 - 1]
