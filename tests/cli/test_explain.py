"""`blsh explain` on a model that was heard in two small corpora made here."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from blsh.cli.main import main
from blsh.denoising.model_file import save_model
from tests.denoising.making import RATE, small_model, sound


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags, self.references, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def work(tmp_path):
    model = small_model(with_origins=True)
    save_model(tmp_path / "my.blsh", model)
    save_model(tmp_path / "bare.blsh", replace(model, origins=None))
    soundfile.write(tmp_path / "in.wav", sound(2 * RATE, seed=3, channels=2), RATE)
    for number, path in enumerate(('speech/anna/a, "b".wav', "noise/rain/1.wav", "noise/rain/2.wav")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / path, sound(48000, seed=10 + number), RATE)
    return tmp_path


def explained(work, *arguments: str) -> Page:
    assert main(["explain", str(work / "in.wav"), "-o", str(work / "why.html"), *arguments]) == 0
    return Page((work / "why.html").read_text())


def test_the_page_is_whole_and_refers_to_nothing(work):
    folders = ["--folder", f"speech={work / 'speech'}", f"noise={work / 'noise'}"]
    page = explained(work, "--model", str(work / "my.blsh"), "--at", "1.25", *folders)
    assert all(reference.startswith("data:") for reference in page.references)
    assert page.tags.count("img") == 3
    assert page.tags.count("audio") == 2 + 10
    assert "Why in.wav sounds as it does at 1.25 s" in page.text
    assert "anna" in page.text and "rain" in page.text


def test_without_recordings_the_neighbours_are_named_and_not_heard(work):
    page = explained(work, "--model", str(work / "my.blsh"))
    assert page.tags.count("audio") == 2 and "anna" in page.text and "with --folder" in page.text


def test_without_origins_the_rows_are_numbers(work):
    page = explained(work, "--model", str(work / "bare.blsh"), "--bits", "7")
    assert "anna" not in page.text and "A code of 7 bits" in page.text
    assert "does not say where" in page.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "2.5"], "in.wav: seconds=2.5 lies outside the recording of 2.00 s"),
        (["--bits", "41"], "n_bits=41 must lie in 1…40"),
        (["--folder", "speech=x"], "the folder of corpus 'noise' is missing; add noise=FOLDER"),
    ],
)
def test_bad_input_is_one_line(work, capsys, arguments, message):
    command = ["explain", str(work / "in.wav"), "--model", str(work / "my.blsh"), "-o", str(work / "why.html")]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (work / "why.html").exists()


def test_a_recording_is_never_turned_into_a_page(work, capsys):
    (work / "link.wav").symlink_to(work / "in.wav")
    before = (work / "in.wav").read_bytes()
    folder = ["--folder", f"speech={work / 'speech'}", f"noise={work / 'noise'}"]
    for output in ("in.wav", "link.wav", "noise/rain/1.wav", "my.blsh"):
        command = ["explain", str(work / "in.wav"), "--model", str(work / "my.blsh"), *folder, "--overwrite"]
        assert main([*command, "-o", str(work / output)]) == 2
        error = capsys.readouterr().err
        assert f"{output} is an input" in error and error.count("\n") == 1
    assert (work / "in.wav").read_bytes() == before and soundfile.info(work / "noise/rain/1.wav").frames == 48000


def test_a_page_is_replaced_when_that_is_asked_for(work, capsys):
    explained(work, "--model", str(work / "my.blsh"), "--at", "1.25")
    command = ["explain", str(work / "in.wav"), "--model", str(work / "my.blsh"), "-o", str(work / "why.html")]
    before = (work / "why.html").read_bytes()
    assert main(command) == 2
    assert "why.html exists: give another output, or --overwrite" in capsys.readouterr().err
    assert (work / "why.html").read_bytes() == before
    assert main([*command, "--overwrite", "--at", "0.5"]) == 0
    assert (work / "why.html").read_bytes() != before


def test_an_input_that_is_no_sound(work, capsys):
    (work / "in.wav").write_bytes(np.arange(100, dtype=np.uint8).tobytes())
    assert main(["explain", str(work / "in.wav"), "--model", str(work / "my.blsh"), "-o", str(work / "w.html")]) == 2
    assert "in.wav" in capsys.readouterr().err
