"""The examples of docs/api.md, in their order, on a recording made here."""

import doctest
from pathlib import Path

import pytest

from tests.corpora.making import write
from tests.denoising.making import sound

PAGE = Path(__file__).parents[2] / "docs/api.md"


def test_the_examples_run_and_print_what_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(Path("noisy.wav"), sound(32_000))
    # A fence is no output of the example before it.
    text = PAGE.read_text(encoding="utf-8").replace("```", "\n")
    test = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) > 30
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    if results.failed:
        pytest.fail(capsys.readouterr().out)
