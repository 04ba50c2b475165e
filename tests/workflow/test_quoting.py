"""Shell commands of the rules: no text reaches a shell that is not quoted."""

import re
from pathlib import Path
from string import Formatter

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
RULES = {
    name: text for path in (ROOT / "workflow/rules").glob("*.smk") for name, text in RULE.findall(path.read_text())
}
# Parameters that quote themselves as text, and whole numbers.
QUOTED = re.compile(r"blsh_rules\.(\w+_settings|\w+_flags?|flag)\(")


def section(rule: str, name: str) -> str:
    found = re.search(rf"^    {name}:\n(.*?)(?=^    \S|\Z)", RULES[rule], re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def parameters(rule: str) -> dict[str, str]:
    return dict(
        re.findall(r"^        (\w+)=(.*?)(?=^        \w|\Z)", section(rule, "params"), re.MULTILINE | re.DOTALL)
    )


def fields(rule: str) -> list[tuple[str, str]]:
    command = "".join(re.findall(r'"(.*)"', section(rule, "shell")))
    return [(name, spec) for _, name, spec, _ in Formatter().parse(command) if name is not None]


@pytest.mark.parametrize("rule", RULES)
def test_every_field_of_a_shell_command_is_quoted(rule):
    own = parameters(rule)
    assert ("log", "q") in fields(rule)
    for name, spec in fields(rule):
        kind, _, parameter = name.partition(".")
        is_quoted = spec == "q" or name == "threads" or (kind == "params" and QUOTED.search(own[parameter]))
        assert is_quoted, f"{{{name}}} of the rule {rule} reaches the shell as it is: write {{{name}:q}}"


@pytest.mark.parametrize("rule", RULES)
def test_commands_and_costs_are_found_by_the_rules_name(rule):
    """`blsh status` looks for earlier times under the rule's name."""
    assert re.match(rf'\s*f"\{{(DATA|RESULTS)\}}/benchmarks/{rule}[/.]', section(rule, "benchmark"))


def test_a_workflow_has_no_other_shell():
    texts = {
        path: path.read_text()
        for path in (ROOT / "workflow").rglob("*")
        if path.suffix in ("", ".smk") and path.is_file()
    }
    assert sum(len(re.findall(r"^    shell:$", text, re.MULTILINE)) for text in texts.values()) == len(RULES)
    others = re.findall(r"shell(?:\.prefix)?\((.*)", texts[ROOT / "workflow/Snakefile"])
    assert others == ['"export PATH={VERBS:q}:$PATH; ")', ""]  # the second is `partial_command`, tested beside it
    assert not re.search(r"^    (run|script|notebook|wrapper):", "".join(texts.values()), re.MULTILINE)
