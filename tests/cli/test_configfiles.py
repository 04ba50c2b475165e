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


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize(
    "words",
    [
        ["--configfile", "good.yaml", "evil.yaml"],
        ["--configfile", "good.yaml", "--configfiles", "evil.yaml"],
        ["--configfiles=evil.yaml"],
        ["--profile", "profile"],
    ],
)
def test_no_file_is_read_otherwise(tmp_path, monkeypatch, capsys, verb, words):
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(DEMO)
    Path("evil.yaml").write_text(f"__use_yte__: true\n{CODE}")
    Path("profile").mkdir()
    Path("profile/profile.yaml").write_text("configfile: [good.yaml, evil.yaml]\n")
    assert main([verb, *words]) == 2
    assert capsys.readouterr().err.startswith(f"blsh {verb}: evil.yaml: line 1: __use_yte__ would run code")
    assert not Path("ran").exists()
