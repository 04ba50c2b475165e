"""How verbs end: foreseen and unforeseen errors, also while importing, and standard streams that are no good."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile

from blsh.cli import main as cli
from blsh.cli.failures import describe
from blsh.denoising.model_file import save_model
from tests.cli.working import run_verb
from tests.denoising.making import RATE, small_model, sound

NAME = os.fsdecode(b"caf\xe9")


@pytest.fixture
def verb(monkeypatch):
    """Make `info` raise an error: when it is imported, when its parser is built, or when it runs."""

    def failing(error: BaseException, when: str) -> None:
        def fail(*_):
            raise error

        module = SimpleNamespace(__doc__="x", EXAMPLE="x", add_arguments=lambda _: None, run=lambda _: None)
        if when == "imported":
            monkeypatch.setattr(cli, "_import_verb", fail)
        else:
            setattr(module, {"built": "add_arguments", "run": "run"}[when], fail)
            monkeypatch.setattr(cli, "_import_verb", lambda _: module)

    return failing


FORESEEN = {
    "a value": (ValueError("x=3 must be\nat most 2"), "x=3 must be at most 2"),
    "a value of nothing": (ValueError(), "ValueError"),
    "a type": (TypeError("x is no number"), "x is no number"),
    "no file": (FileNotFoundError(errno.ENOENT, "No such file", "a.csv"), "a.csv does not exist; correct the path"),
    "no permission": (PermissionError(errno.EACCES, "Permission denied", "a.csv"), "a.csv: Permission denied"),
    "a full disk": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device; free some space"),
    "memory": (MemoryError("Unable to allocate 27 GiB"), "not enough memory (Unable to allocate 27 GiB); ask for less"),
    "a library": (ModuleNotFoundError("No module named 'torch'", name="torch"), "No module named 'torch'; install"),
    "a name": (UnicodeEncodeError("utf-8", f"a,b\nc,{NAME},d\n", 9, 10, "?"), "a name is not UTF-8 and cannot be"),
    "control characters": (ValueError("\x1b[31mred\u2028"), "\\x1b[31mred"),
}
UNFORESEEN = {
    "a key": (KeyError("mel"), "(KeyError: 'mel')"),
    "no attribute": (AttributeError("'NoneType' object has no attribute 'x'"), "(AttributeError: 'NoneType' object"),
    "our own import": (ImportError("cannot import name 'x'", name="blsh.cli.info"), "(ImportError: cannot import"),
    "recursion": (RecursionError("maximum recursion depth exceeded"), "(RecursionError: maximum"),
}


@pytest.mark.parametrize("when", ["imported", "built", "run"])
@pytest.mark.parametrize("case", [*FORESEEN, *UNFORESEEN])
def test_an_error_is_one_line(verb, case, when, capsys):
    error, line = (FORESEEN | UNFORESEEN)[case]
    verb(error, when)
    assert run_verb("info") == (2 if case in FORESEEN else 70)
    said = capsys.readouterr().err
    start = "blsh info: " if case in FORESEEN else "blsh info: internal error "
    assert said.startswith(start + line) and said.count("\n") == 1 and said[:-1].isprintable()
    assert case in FORESEEN or said.endswith("; run with --debug and report it\n")


@pytest.mark.parametrize("error", [KeyError("mel"), ValueError("x")])
@pytest.mark.parametrize("when", ["imported", "built", "run"])
def test_debug_shows_the_traceback(verb, error, when):
    verb(error, when)
    with pytest.raises(type(error)):
        run_verb("info", "--debug")


@pytest.mark.parametrize("when", ["imported", "run"])
def test_an_interruption_is_one_line(verb, when, capsys):
    verb(KeyboardInterrupt(), when)
    assert run_verb("info") == 130
    assert capsys.readouterr().err == "blsh info: stopped; run the same command again to continue\n"


def test_what_nobody_reads_is_no_error(verb, capsys):
    verb(BrokenPipeError(errno.EPIPE, "Broken pipe"), "run")
    assert run_verb("info", "--debug") == 141
    assert capsys.readouterr() == ("", "")
    assert describe(BrokenPipeError()) == (141, "")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.blsh"
    save_model(path, small_model())
    return path


def blsh(*words: object, redirection: str = "", **streams) -> subprocess.CompletedProcess:
    """Run a verb in a process of its own, whose streams a shell redirects."""
    command = f'exec "$@" {redirection}'
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    call = ["sh", "-c", command, "sh", sys.executable, "-m", "blsh", *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(call, env=environment, timeout=300, check=False, **streams)


def test_a_reader_that_has_gone(model):
    for words in (["info", model], ["--help"], ["info", "--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        told = blsh(*words, stdout=writer)
        os.close(writer)
        assert (told.returncode, told.stderr) == (141, b"")


def test_a_full_standard_output(model):
    for words, name in ((["info", model], "blsh info"), (["--help"], "blsh")):
        told = blsh(*words, redirection=">/dev/full")
        line = f"{name}: No space left on device (standard output); free some space and run the same command again\n"
        assert (told.returncode, told.stderr.decode()) == (2, line)


@pytest.mark.parametrize(
    ("redirection", "name", "status"), [(">&-", "", 0), ("<&- 2>&-", ".none", 2), ("2>/dev/full", ".none", 2)]
)
def test_closed_streams(model, redirection, name, status):
    told = blsh("info", f"{model}{name}", redirection=redirection)
    assert (told.returncode, told.stdout, told.stderr) == (status, b"", b"")


def test_a_closed_stream_does_not_get_what_is_written_to_files(model, tmp_path):
    """The first file that is opened would get the number of the closed stream."""
    told = blsh("export-c", model, "-o", tmp_path / "device", redirection=">&- 2>&- <&-")
    assert told.returncode == 0
    assert blsh("export-c", model, "-o", tmp_path / "again").returncode == 0
    for path in (tmp_path / "device").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_recording_for_a_closed_stream_is_refused(model, tmp_path):
    soundfile.write(tmp_path / "x.wav", sound(4000), RATE)
    for words in (["denoise", tmp_path / "x.wav", "-o", "-"], ["denoise", "--stream"]):
        told = blsh(*words, "--model", model, redirection=">&-", stdin=subprocess.DEVNULL)
        assert told.returncode == 2 and b"standard output is closed" in told.stderr and told.stderr.count(b"\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_not_utf_8_is_printed(model, tmp_path, encoding, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    path = tmp_path / NAME
    path.write_bytes(model.read_bytes())
    told = blsh("info", path, "--log-command")
    assert told.returncode == 0 and told.stdout.count(b"caf\\udce9") == 2


def test_a_recording_whose_name_is_not_utf_8_is_cleaned(model, tmp_path):
    soundfile.write(tmp_path / "x.wav", sound(4000), RATE)
    (tmp_path / "x.wav").rename(tmp_path / f"{NAME}.wav")
    assert run_verb("denoise", tmp_path / f"{NAME}.wav", "--model", model, "-o", tmp_path / f"{NAME} 2.wav") == 0
    assert soundfile.info(os.fsencode(tmp_path / f"{NAME} 2.wav")).frames == 4000


def test_a_text_that_is_not_utf_8_is_refused_before_it_is_stored(tmp_path, capsys):
    assert (
        run_verb("manifest", "--reader", "esc", "--corpus", NAME, "--folder", tmp_path, "-o", tmp_path / "x.csv") == 2
    )
    assert r"argument --corpus: 'caf\udce9' is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("threads", ["0", "-1", "many", "nan"])
def test_threads_are_looked_at_before_all_else(threads, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["info", "--threads", threads])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1 and said.startswith("blsh info: argument --threads: ")
