"""Fail points in what Snakemake writes about itself: Python imports this module at its start if it finds it.

Snakemake keeps locks, marks of unfinished jobs and a record of each finished file in `.snakemake/`. A kill between or
within those writes must lose nothing either, so each gets a fail point, in Snakemake's process alone.
"""

import importlib.abc
import importlib.util
import json
import sys

from scheduler_points import POINTS

MODULE = "snakemake.persistence.file"


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (execute(module), _add_points(module.FilePersistence))
        return spec


def _add_points(persistence) -> None:
    from blsh.files.fail_points import FAIL_POINTS, fail_point

    FAIL_POINTS.update(POINTS)
    write_locks, mark, write_record = persistence._write_locks, persistence._mark_incomplete, persistence._write_record

    def write_locks_and_pass(self, lock_type, keys):
        write_locks(self, lock_type, keys)
        fail_point("scheduler.locked")

    def mark_and_pass(self, key, external_jobid):
        mark(self, key, external_jobid)
        fail_point("scheduler.marked")

    def write_record_by_halves(self, key, record):
        text = json.dumps(dict(record.items()), default=str)
        with open(self._record_path(self._metadata_path, key), "w") as handle:
            handle.write(text[: len(text) // 2])
        fail_point("scheduler.recording")
        write_record(self, key, record)
        fail_point("scheduler.recorded")

    persistence._write_locks = write_locks_and_pass
    persistence._mark_incomplete = mark_and_pass
    persistence._write_record = write_record_by_halves


sys.meta_path.insert(0, _Finder())
