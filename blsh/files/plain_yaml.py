"""YAML files of plain values: text, numbers, booleans, null, lists, and objects whose keys are text.

YAML can say more, and strangers' files do: tags that make Python objects, lines that refer to each other until a
kilobyte stands for a billion values, one key twice, templates that run code (YTE's ``__use_yte__``, which Snakemake
would follow in a configuration file). A file that says any of this is refused, in one line that names the place.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

__all__ = ["read_plain_yaml"]

MAX_BYTES = 1 << 17
# What a file may stand for when all that refers to something else is written out.
MAX_VALUES = 100_000
MAX_DEPTH = 40
MAX_DIGITS = 100
TEMPLATE_KEY = "__use_yte__"

_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_MERGE = _TAG + "merge"


def read_plain_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file whose top level is an object.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not YAML, or says what the module's docstring excludes; one line that names the file.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: not a file")
    with open(path, "rb") as handle:
        content = handle.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path}: larger than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
        _require_shallow(text)
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                raise ValueError("holds no keys")
            _require_plain(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a YAML file (not UTF-8 text)") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not a YAML file ({_one_line(error)})") from None
    except (ValueError, ArithmeticError, LookupError) as error:  # the last: what `!!bool maybe` gives
        raise ValueError(f"{path}: {_one_line(error)}") from None


def _require_shallow(text: str) -> None:
    # PyYAML calls itself for every level, and takes the longer for a bracket the more are open.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"line {event.start_mark.line + 1} is nested more than {MAX_DEPTH} deep")


def _require_plain(root: yaml.Node) -> None:
    n_values = 0
    unseen = [(root, 1)]
    while unseen:
        node, depth = unseen.pop()
        n_values += 1
        if n_values > MAX_VALUES:
            raise ValueError(f"stands for more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise ValueError(f"{_line(node)} is nested more than {MAX_DEPTH} deep")
        if node.tag not in _PLAIN:
            kind = node.tag.removeprefix(_TAG)
            raise ValueError(f"{_line(node)} is of the kind {kind!r:.80}; write plain values, and text in quotes")
        if isinstance(node, yaml.MappingNode):
            _require_plain_keys(node)
            unseen += [(value, depth + 1) for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            unseen += [(value, depth + 1) for value in node.value]
        elif node.tag == _TAG + "int" and len(node.value) > MAX_DIGITS:
            raise ValueError(f"{_line(node)}: {node.value:.20}… is a number of more than {MAX_DIGITS} digits")
        elif node.tag == _TAG + "float" and not math.isfinite(yaml.SafeLoader("").construct_yaml_float(node)):
            raise ValueError(f"{_line(node)}: {node.value:.80} is not a finite number")


def _require_plain_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if key.tag == _MERGE:
            continue
        if key.tag != _TAG + "str" or not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"{_line(key)} has a key that is not text; put it in quotes")
        if key.value == TEMPLATE_KEY:
            raise ValueError(f"{_line(key)}: {TEMPLATE_KEY} would run code from the file; write plain YAML")
        if key.value in seen:
            raise ValueError(f"{_line(key)} has the key {key.value!r:.80} a second time")
        seen.add(key.value)


def _line(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)[:300]
