"""The cache of compiled kernels: nothing stale, nothing lost by its failures, and a word when it costs time."""

import errno
import importlib
import inspect
import logging
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
import threading
import time
from types import FunctionType

import numba
import pytest
from numba.core.caching import InTreeCacheLocator
from numba.core.dispatcher import Dispatcher

import blsh
from blsh.files import _kernel_cache, _kernel_parts

compiles = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT")
ONCE = "compiling the kernels for this machine, once: about ten seconds"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that writes modules and imports `kernel_of_test` as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(_kernel_cache, "_told", set())
    written = set()

    def load(**sources: str):
        for name, text in sources.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        written.update(sources)
        for name in written:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        _kernel_parts._hash_of_file.cache_clear()
        return importlib.import_module("kernel_of_test")

    yield load
    for name in written:
        sys.modules.pop(name, None)


TWICE = {"kernel_of_test": "from blsh.files.kernels import njit\n@njit()\ndef twice(x):\n    return 2 * x\n"}


def hits_and_misses(kernel) -> tuple[int, int]:
    return kernel.stats.cache_hits.total(), kernel.stats.cache_misses.total()


@compiles
def test_a_kernel_is_compiled_once_and_read_afterwards(load):
    first, second = load(**TWICE), load()
    assert (first.twice(3), second.twice(3)) == (6, 6)
    assert (hits_and_misses(first.twice), hits_and_misses(second.twice)) == ((0, 1), (1, 0))


KERNEL = """
    from blsh.files.kernels import njit
    from part_of_test import part
    @njit()
    def kernel(x):
        return {use}
"""
PARTS = {
    "a kernel": ("part(x)", "from blsh.files.kernels import njit\n@njit()\ndef part(x):\n    return x + {n}"),
    "a number": ("x + part", "part = {n}"),
    "an array": ("x + part[1]", "import numpy as np\npart = np.array([0, {n}])"),
    "an intrinsic": (
        "x + part()",
        """
        from numba import types
        from numba.extending import intrinsic
        @intrinsic
        def part(context):
            return types.int64(), lambda context, builder, signature, arguments: context.get_constant(types.int64, {n})
        """,
    ),
    "a kernel of a kernel": (
        "part(x)",
        """
        from blsh.files.kernels import njit
        from part_of_part_of_test import number
        def make():
            @njit()
            def inner(x):
                return x + number
            return inner
        inner = make()
        @njit()
        def part(x):
            return inner(x)
        """,
    ),
}


@compiles
@pytest.mark.parametrize("kind", PARTS)
def test_a_change_of_a_part_compiles_what_holds_it_again(kind, load):
    use, part = PARTS[kind]
    found = []
    for n in (1, 1, 5):
        sources = {"kernel_of_test": KERNEL.format(use=use), "part_of_test": part.format(n=n)}
        kernel = load(**sources, part_of_part_of_test=f"number = {n}").kernel
        found.append((kernel(10), *hits_and_misses(kernel)))
    assert found == [(11, 0, 1), (11, 1, 0), (15, 0, 1)]


@compiles
def test_what_a_kernel_takes_from_elsewhere_is_something_that_can_be_followed(load):
    kernel = load(kernel_of_test=KERNEL.format(use="x + part[0]"), part_of_test="part = 1, 2").kernel
    with pytest.raises(TypeError, match="kernel kernel uses part, a tuple: follow it"):
        kernel(1)


def _functions_of(function: FunctionType) -> set[FunctionType]:
    functions: dict[FunctionType, None] = {}
    _kernel_parts._follow(function, functions, set())
    return set(functions)


@compiles
def test_all_that_the_packages_kernels_borrow_is_followed():
    """What is borrowed is found here in another way: by the words of a kernel's source."""
    names = [found.name for found in pkgutil.walk_packages(blsh.__path__, "blsh.") if "__main__" not in found.name]
    n_borrowed = 0
    for module in map(importlib.import_module, names):
        found = {name: inspect.unwrap(value) for name, value in vars(module).items() if _may_be_part(value)}
        own = [value for value in vars(module).values() if isinstance(value, Dispatcher)]
        for kernel in {inspect.unwrap(kernel) for kernel in own if kernel.py_func.__module__ == module.__name__}:
            words = set(re.findall(r"\w+", inspect.getsource(kernel)))
            borrowed = {found[name] for name in words & found.keys() if found[name].__module__ != module.__name__}
            assert borrowed <= _functions_of(kernel), kernel
            assert _kernel_parts.stamp_of_parts(kernel)
            n_borrowed += len(borrowed)
    assert n_borrowed >= 5


def _may_be_part(value: object) -> bool:
    return isinstance(value, Dispatcher) or type(value).__name__ == "_Intrinsic"


def shared_files(folder, function=lambda: None) -> _kernel_cache._SharedFiles:
    return _kernel_cache._SharedFiles(str(folder), "kernel", 0, function)


@pytest.mark.parametrize("verb", ["save", "load"])
def test_an_index_has_one_user_at_a_time(tmp_path, verb, monkeypatch):
    users, most = [], []

    def use(*_):
        users.append(1)
        most.append(len(users))
        time.sleep(0.005)
        users.pop()
        return {}

    monkeypatch.setattr(_kernel_cache._SharedFiles, "_load_index", use)
    arguments = ("key", "data") if verb == "save" else ("key",)
    (tmp_path / "kernel.nbi.lock").touch()
    threads = [threading.Thread(target=getattr(shared_files(tmp_path), verb), args=arguments) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_before_anything_was_compiled_there_is_nothing_to_read(tmp_path):
    for folder in (tmp_path / "no folder", tmp_path):
        assert shared_files(folder).load("key") is None
    assert not list(tmp_path.iterdir())  # to read writes nothing


def test_an_index_never_names_an_older_files_number(tmp_path, monkeypatch):
    """Where a write fails, or the process is killed, between the two files."""
    shared_files(tmp_path).save("key", "old code")
    changed = _kernel_cache._SharedFiles(str(tmp_path), "kernel", "another source", lambda: None)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for write in ("_save_data", "_save_index"):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr(changed, write, fail)
            changed.save("key", "new code")
        assert changed.load("key") is None
    changed.save("key", "new code")
    assert changed.load("key") == "new code"


@compiles
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", [0, 40])
def test_a_damaged_file_is_made_again(suffix, left, load, tmp_path):
    load(**TWICE).twice(3)
    (path,) = (tmp_path / "__pycache__").glob(f"*{suffix}")
    with open(path, "r+b") as file:
        file.truncate(left)
    for expected in ((0, 1), (1, 0)):
        kernel = load().twice
        assert kernel(3) == 6 and hits_and_misses(kernel) == expected


# --- what is told


@compiles
def test_the_first_compilation_of_a_process_is_told(load, caplog):
    caplog.set_level(logging.INFO, "blsh")
    kernel = load(**TWICE).twice
    assert not caplog.messages
    assert kernel(3) == 6 and kernel(0.5) == 1.0
    assert caplog.messages == [ONCE]
    caplog.clear()
    _kernel_cache._told.clear()
    assert load().twice(3) == 6
    assert not caplog.messages


def fail_to_write(*_):
    raise OSError(errno.EROFS, "Read-only file system")


@compiles
@pytest.mark.parametrize("at", ["_SharedFiles._save_data", "_SharedFiles._save_index", "fcntl.flock"])
def test_what_cannot_be_kept_works_and_is_told_once(at, load, monkeypatch, caplog):
    module = load(**TWICE)
    owner, _, name = at.partition(".")
    monkeypatch.setattr(getattr(_kernel_cache, owner), name, fail_to_write)
    assert module.twice(3) == 6 and module.twice(0.5) == 1.0
    (message,) = caplog.messages  # of warnings
    assert "Read-only file system" in message and "set NUMBA_CACHE_DIR to a folder on a local disk" in message
    monkeypatch.undo()
    assert hits_and_misses(module.twice) == (0, 2)


@compiles
def test_with_no_folder_to_write_to_kernels_are_compiled_at_each_start(load, monkeypatch, caplog, tmp_path):
    """As in a container whose file system is read-only, and for a user without a home."""
    monkeypatch.setattr(InTreeCacheLocator, "ensure_cache_path", fail_to_write)
    for locator in _kernel_cache._Results._locator_classes:
        monkeypatch.setattr(locator, "ensure_cache_path", fail_to_write)
    caplog.set_level(logging.INFO, "blsh")
    for _ in range(2):
        _kernel_cache._told.clear()
        kernel = load(**TWICE).twice
        assert kernel(3) == 6 and hits_and_misses(kernel) == (0, 1)
    assert len(caplog.messages) == 2 and all("at each start" in message for message in caplog.messages)
    assert not list(tmp_path.glob("*/*.nb?"))


@compiles
def test_a_folder_that_cannot_be_written_is_read(load, monkeypatch, caplog):
    """A container's image may hold what was compiled when it was made."""
    load(**TWICE).twice(3)
    _kernel_cache._told.clear()
    for locator in _kernel_cache._Results._locator_classes:
        monkeypatch.setattr(locator, "ensure_cache_path", fail_to_write)
    kernel = load().twice
    assert kernel(3) == 6 and hits_and_misses(kernel) == (1, 0)
    assert not caplog.messages


@compiles
def test_a_wrong_place_for_the_cache_is_an_error(load, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "Nowhere", raising=False)
    with pytest.raises(ValueError, match=r"Nowhere.*: unset NUMBA_CACHE_LOCATOR_CLASSES"):
        load(**TWICE)


def test_kernels_that_run_uncompiled_say_so():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    code = "import blsh.hashing"
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stderr == "NUMBA_DISABLE_JIT is set: the kernels run uncompiled, thousands of times slower\n"


def test_the_decorator_alone_reads_and_writes_nothing(load, tmp_path):
    load(**TWICE)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["kernel_of_test.py"]
