"""Where the code that runs here comes from: pinned by hash, licensed as docs/licences.md says, and without pickles."""

from __future__ import annotations

import ast
import io
import pickle
import re
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from blsh.corpora import (
    READERS,
    demand,
    duan,
    esc,
    librispeech,
    musan,
    synthetic_noise,
    synthetic_speech,
    timit,
    voicebank,
)
from blsh.corpora.sources import SOURCES
from blsh.files import load_array, load_stamped, load_unstamped, tables

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LICENCES = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Torch has a step of its own in the Makefile: its builds differ in size by gigabytes.
TORCH = re.search(r"^TORCH \?= (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
# Installed by a large build of torch only.
PROPRIETARY = re.compile(r"nvidia-.*|cuda-.*|triton")


# A package is listed with the first of these that needs it.
GROUPS = ("run", "demo", "dev", "torch", "cluster", "long", "bench")


def locked() -> dict[str, Requirement]:
    lines = re.findall(r"^([^#\s][^\\\n]*)", LOCK, re.MULTILINE)
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def closure(requirements: list[str]) -> set[str]:
    """Names of these packages and of all that they need here, as far as they are installed."""
    found: set[str] = set()
    unseen = [(Requirement(text), "") for text in requirements]
    while unseen:
        requirement, extra = unseen.pop()
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate(default_environment() | {"extra": extra})
        if not applies or (name in found and not requirement.extras):
            continue
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        unseen += [(Requirement(text), wanted) for text in needs for wanted in {"", *requirement.extras}]
    return found


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading of docs/licences.md by their first cell."""
    section = LICENCES.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]
    return {row[0]: row[1:] for row in table[2:]}


# The lock


def test_every_file_in_the_lock_has_a_hash():
    entries = re.split(r"\n(?=\S)", LOCK.split("\n", 1)[1].strip())
    for entry in entries:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ; [^\\]+)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+", entry), (
            entry[:200]
        )
    assert len(entries) == len(locked()) > 50


def test_the_lock_names_no_index_and_not_torch():
    assert not re.search(r"https?:|file:|index|find-links|trusted-host", LOCK)
    assert "torch" not in locked() and TORCH.startswith("torch==")


def test_the_lock_holds_all_that_the_project_asks_for():
    extras = PROJECT["optional-dependencies"]
    pinned = locked()
    for text in [*PROJECT["dependencies"], *extras["demo"], *extras["dev"]]:
        wanted = Requirement(text)
        pin = pinned[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(next(iter(pin.specifier)).version), f"{text}: run 'make lock'"
    needed = closure([*PROJECT["dependencies"], *extras["demo"], *extras["dev"]])
    assert needed <= set(pinned), f"{sorted(needed - set(pinned))}: run 'make lock'"


# Licences


def stated_licence(name: str) -> str:
    """What an installed package says in its metadata, or else in the first line of its licence file."""
    found = metadata.distribution(name)
    if expression := found.metadata.get("License-Expression"):
        return expression
    classifiers = [
        c.rpartition(" :: ")[2] for c in found.metadata.get_all("Classifier") or [] if c.startswith("License ")
    ]
    if classifiers:
        return ", ".join(classifiers)
    if text := (found.metadata.get("License") or "").strip():
        return text.splitlines()[0]
    for file in found.files or []:
        if "licen" in file.name.lower() and ".dist-info" in str(file):
            return f"{file.read_text().strip().splitlines()[0]} (file)"
    return "nothing"


def test_every_dependency_is_listed_with_its_licence():
    listed = rows("Software")
    groups = {"run": PROJECT["dependencies"], "torch": [TORCH], **PROJECT["optional-dependencies"]}
    assert set(groups) == set(GROUPS)
    needed = {group: closure(requirements) for group, requirements in groups.items()}
    names = set.union(*needed.values()) | set(locked())
    names = {name for name in names if not PROPRIETARY.fullmatch(name)}
    wrong = []
    for name in sorted(names):
        try:
            found = stated_licence(name)
            found += "; see above" * (found == "nothing")
        except metadata.PackageNotFoundError:
            found = listed.get(name, ["?"])[0]  # of another system, or of an extra that is not installed
        used = next((group for group in GROUPS if name in needed[group]), listed.get(name, ["", "-"])[1])
        if listed.get(name, [])[:2] != [found, used]:
            wrong.append(f"| {name} | {found} | {used} |")
    assert not wrong, "docs/licences.md lacks, after a look at their licences:\n" + "\n".join(wrong)
    # What an extra needs is only known where the extra is installed.
    unneeded = {name for name in set(listed) - names if listed[name][1] not in ("torch", "cluster", "long", "bench")}
    assert not unneeded, f"docs/licences.md lists what nothing needs: {sorted(unneeded)}"


def test_every_source_of_data_is_listed_with_its_licence():
    listed = rows("Recordings")
    frame = tables.read_csv(SOURCES, {"corpus": str, "licence": str})
    for corpus, licence in set(zip(frame["corpus"], frame["licence"], strict=True)):
        assert licence and licence in listed[corpus][0], f"{corpus}: {licence}"
    stated = {
        "librispeech": librispeech.LICENCE,
        "timit": timit.LICENCE,
        "voicebank": voicebank.LICENCE,
        "esc": esc.LICENCE_ESC50,
        "duan": duan.LICENCE,
        "demand": demand.LICENCE,
        "musan": musan.LICENCE,
        "synthetic_speech": synthetic_speech.LICENCE,
        "synthetic_noise": synthetic_noise.LICENCE,
    }
    for corpus, licence in stated.items():
        assert licence in listed[corpus][0], f"{corpus}: {licence}"
    assert set(listed) == set(READERS)
    assert esc.LICENCE_ESC10 in listed["esc"][0]


# No pickle: a file that is read must not be able to run code

MODULES_OF_PICKLES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
}
# Calls that read pickles, or run text as code, by the end of their dotted name.
FORBIDDEN_CALLS = re.compile(
    r"(.*\.)?(read_pickle|to_pickle|unsafe_load|full_load|literal_eval|fromregex|genfromtxt)|(eval|exec|compile|__import__)"
    r"|torch\.(load|save|jit\.load|package.*)|yaml\.(load|load_all)|os\.(system|popen)|.*\.(extractall|unpack_archive)"
)
NUMPY_LOADS = re.compile(r"(np|numpy)\.(load|save|savez|savez_compressed|lib\.format\.\w+)")


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def dangers(source: str) -> list[str]:
    """Imports and calls of a module's source that read pickles or run text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"line {node.lineno} imports {name}" for name in names if name.split(".")[0] in MODULES_OF_PICKLES]
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        arguments = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
        if FORBIDDEN_CALLS.fullmatch(name) or arguments.get("allow_pickle") or arguments.get("shell"):
            found.append(f"line {node.lineno} calls {name}")
        elif NUMPY_LOADS.fullmatch(name) and name.endswith(".load") and arguments.get("allow_pickle") is not False:
            found.append(f"line {node.lineno} calls {name} without allow_pickle=False")
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "blsh").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_reads_pickles_or_runs_text(path):
    assert not dangers(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import torch\ntorch.load('x', weights_only=True)",
        "import yaml\nyaml.load(x, Loader=L)",
        "pd.read_pickle('x')",
        "eval('1')",
        "subprocess.run('ls', shell=True)",
        "archive.extractall()",
    ],
)
def test_such_a_module_would_be_seen(source):
    assert len(dangers(source)) == 1


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_files_with_pickles_are_refused_and_not_run(tmp_path):
    bomb = Bomb(tmp_path / "ran")
    objects = np.empty(1, object)
    objects[0] = bomb
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", P=objects, b=objects, a=objects)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(tmp_path / "stamped.npz", "w") as archive:
        archive.writestr("stamp.json", '{"kind": "k", "version": 1, "metadata": {}, "sha256": ""}')
        archive.writestr("a.npy", header.getvalue() + pickle.dumps(bomb))
    (tmp_path / "whole").write_bytes(pickle.dumps(bomb))
    readers = {
        "x.npy": [load_array, lambda path: load_array(path, mapped=True)],
        "x.npz": [lambda path: load_unstamped(path, ["a"]), *model_readers()],
        "stamped.npz": [lambda path: load_stamped(path, "k", 1), *model_readers()],
        "whole": [load_array, lambda path: load_unstamped(path, ["a"]), *model_readers(), tables.read_parquet],
    }
    for name, of_this in readers.items():
        for read in of_this:
            with pytest.raises(ValueError, match=re.escape(name)):
                read(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    with open(tmp_path / "whole", "rb") as handle:
        pickle.load(handle).close()
    assert (tmp_path / "ran").exists(), "the test's own bomb is none"


def model_readers():
    from blsh.denoising.model_file import load_model
    from blsh.hashing.brought import read_brought_projections
    from blsh.hashing.projections import load_projections

    return [load_projections, load_model, lambda path: read_brought_projections(path, {"stft": 513})]
