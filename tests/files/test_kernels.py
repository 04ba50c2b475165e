import importlib
import pkgutil
import sys
import threading
import time
from types import SimpleNamespace

import numba
import pytest
from numba.core.dispatcher import Dispatcher

import blsh
from blsh.files import kernels

compiles = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of a kernel; return a function that imports it as a new process would."""
    path = tmp_path / "kernel_of_test.py"
    path.write_text("from blsh.files.kernels import njit\n@njit()\ndef twice(x):\n    return 2 * x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def load():
        sys.modules.pop(path.stem, None)
        return importlib.import_module(path.stem)

    yield load
    sys.modules.pop(path.stem, None)


@compiles
def test_a_kernel_is_compiled_once_and_read_afterwards(module):
    first, second = module(), module()
    assert (first.twice(3), second.twice(3)) == (6, 6)
    assert (first.twice.stats.cache_hits.total(), second.twice.stats.cache_hits.total()) == (0, 1)


@compiles
def test_a_change_of_a_part_compiles_what_holds_it_again(module, monkeypatch):
    module().twice(3)
    monkeypatch.setattr(kernels, "_stamp_of_parts", lambda: "after an edit")
    changed = module()
    assert changed.twice(3) == 6
    assert changed.twice.stats.cache_misses.total() == 1


def test_the_stamp_is_that_of_the_modules_with_parts(tmp_path, monkeypatch):
    (tmp_path / "hashing").mkdir()
    (tmp_path / "files").mkdir()
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "files/kernels.py"))
    stamps = []
    for name, text in [("_heap", "one"), ("_heap", "two"), ("search", "three")]:
        (tmp_path / f"hashing/{name}.py").write_text(text, encoding="utf-8")
        stamps.append(kernels._stamp_of_parts.__wrapped__())
    assert stamps[0] != stamps[1] == stamps[2]


@compiles
def test_what_becomes_part_of_other_modules_kernels_is_in_modules_with_an_underscore():
    names = [found.name for found in pkgutil.walk_packages(blsh.__path__, "blsh.") if "__main__" not in found.name]
    borrowed = {
        kernel.py_func.__module__
        for name in names
        for kernel in vars(importlib.import_module(name)).values()
        if isinstance(kernel, Dispatcher) and kernel.py_func.__module__ != name
    }
    assert borrowed
    assert all(name.startswith("blsh.hashing._") for name in borrowed)


@pytest.mark.parametrize("verb", ["save", "load"])
def test_an_index_has_one_user_at_a_time(tmp_path, verb):
    users, most = [], []

    def use(*_):
        users.append(1)
        most.append(len(users))
        time.sleep(0.005)
        users.pop()

    def make():
        files = SimpleNamespace(_index_path=tmp_path / "index", _source_stamp=0, save=use, load=use)
        return kernels._SharedFiles(files)

    arguments = ("key", "data") if verb == "save" else ("key",)
    (tmp_path / "index.lock").touch()
    threads = [threading.Thread(target=getattr(make(), verb), args=arguments) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_before_anything_was_compiled_there_is_nothing_to_read(tmp_path):
    for name in ("no folder/index", "index"):
        files = SimpleNamespace(_index_path=tmp_path / name, _source_stamp=0)
        assert kernels._SharedFiles(files).load("key") is None
    assert not list(tmp_path.iterdir())  # to read writes nothing


def test_a_folder_that_cannot_lock_is_named_with_the_remedy(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(kernels.fcntl, "flock", refuse)
    files = SimpleNamespace(_index_path=tmp_path / "index", _source_stamp=0)
    with pytest.raises(OSError, match=r"index\.lock cannot be locked: set NUMBA_CACHE_DIR to a folder on a local disk"):
        kernels._SharedFiles(files).save("key", "data")
