"""A configuration file is data: no verb runs what stands in one, and none hands one on unread."""

from pathlib import Path

import pytest

from blsh.cli.main import main

DEMO = (Path(__file__).resolve().parents[2] / "config/demo.yaml").read_text(encoding="utf-8")
CODE = "?touch(): 1\n__definitions__:\n  - open('ran', 'w').close()\n"


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"__use_yte__: true\n{CODE}{DEMO}", "line 1: __use_yte__ would run code from the file; write plain YAML"),
        (f"{DEMO}<<: {{__use_yte__: true}}\n{CODE}", "__use_yte__ would run code from the file"),
        (DEMO.replace("  name: demo", "  name: demo\n  __use_yte__: true"), "__use_yte__ would run code"),
        (
            f"{DEMO}seed: !!python/object/apply:os.system ['touch ran']\n",
            "is of the kind 'python/object/apply:os.system'",
        ),
    ],
)
def test_code_in_a_configuration_file_is_refused(tmp_path, monkeypatch, capsys, verb, text, message):
    monkeypatch.chdir(tmp_path)
    Path("evil.yaml").write_text(text)
    assert main([verb, "--configfile", "evil.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"blsh {verb}: evil.yaml: ") and message in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["evil.yaml"]


@pytest.mark.parametrize(
    "words", [["--configfiles", "evil.yaml"], ["--configfiles=evil.yaml"], ["--configf", "evil.yaml"]]
)
def test_no_further_file_reaches_snakemake(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(DEMO)
    Path("evil.yaml").write_text(f"__use_yte__: true\n{CODE}")
    assert main(["run", "--configfile", "good.yaml", *words]) == 2
    assert f"blsh run: {words[0]}: give one --configfile" in capsys.readouterr().err
    assert not Path("ran").exists()
