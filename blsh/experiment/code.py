"""Which code a job runs: the imports of the package, and a fingerprint of each module.

Snakemake reruns a job when its rule changes, but does not see an edit in an imported package. Every rule
therefore carries, as a parameter, the fingerprints of all modules that its verb imports, directly or through
others. A fingerprint is a hash of the module's syntax tree without docstrings: comments, formatting and
documentation rerun nothing. The same walk checks that a room imports only from the rooms before it.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

__all__ = ["ROOMS", "code_of", "imports_of", "modules"]

PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = (
    "files",
    "signal",
    "corpora",
    "mixtures",
    "hashing",
    "denoising",
    "evaluation",
    "reporting",
    "experiment",
    "cli",
)


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("blsh", *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    """Return the package's modules that a module's source imports by name, at its top or inside functions.

    ``from blsh.signal import stft`` counts as ``blsh.signal`` (and as ``blsh.signal.stft`` where that is a module).
    Strings of the form ``"blsh.room.module"`` count too: they name modules that are imported when needed.
    """
    found = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{modules()[module]}:{node.lineno}: relative import; write the full name")
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("blsh."):
            found.add(node.value)
    return frozenset(name for name in found if name in modules() and name != module)


@cache
def code_of(*roots: str) -> dict[str, str]:
    """Return the fingerprints of the import closure of some modules, by module name.

    A package's own ``__init__`` belongs to the closure only where it is imported by name: inside blsh, modules name
    the modules that they need, so that a job depends on little more than what it runs.
    """
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        if module not in modules():
            raise ValueError(f"module={module!r} is not part of the package; name one of blsh's modules")
        seen.add(module)
        waiting.extend(imports_of(module))
    return {module: _fingerprint(module) for module in sorted(seen)}


@cache
def _tree(module: str) -> ast.Module:
    path = modules()[module]
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _fingerprint(module: str) -> str:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
