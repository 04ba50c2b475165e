"""The messages of docs/troubleshooting.md are the messages of the source, word for word."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import blsh

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = re.findall(r"^### `(.+)`$", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)


@cache
def texts_of_the_source() -> tuple[str, ...]:
    """Return every text of the package, with an ellipsis for each value that is put in."""
    found = []
    for path in Path(blsh.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # The values of a logged text stand as %s.
                found.append(node.value.replace("%s", "…"))
    return tuple(found)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_page_is_one_of_the_source(message):
    assert any(message in text for text in texts_of_the_source())


def test_the_page_has_messages():
    assert len(MESSAGES) > 15
    assert len(set(MESSAGES)) == len(MESSAGES)
