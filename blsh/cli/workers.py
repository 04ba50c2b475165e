"""Worker processes, each with a pipe that brings it one task at a time, and that none of them outlives.

When the pipe closes, the worker ends at once and removes what it had begun to write. It closes when all is done, when
the parent stops, and when the parent is killed in whatever way; no worker has more than the task that it works on. A
terminal sends Ctrl-C to the workers too: they do not hear it, so that the parent alone decides.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import TypeVar

from blsh.files.atomic import remove_unfinished

__all__ = ["in_processes"]

Task = TypeVar("Task")
Result = TypeVar("Result")

_SECONDS_TO_END = 10.0


def in_processes(
    work: Callable[[Task], Result], tasks: Iterable[Task], n_workers: int, of_killed: Callable[[Task], Result]
) -> Iterator[tuple[Task, Result]]:
    """Do all tasks in processes of their own, and yield each with its result as soon as it is done.

    Processes and not threads: the latter would share one interpreter. They are spawned, so `work` is a function of a
    module, or a `functools.partial` of one. Close the generator to stop.

    Parameters
    ----------
    work
        Takes a task and returns its result. What it raises is raised here.
    tasks
        The next is taken from here when a process is free to begin it.
    n_workers : int > 0
        No more than there are tasks, or the others start for nothing.
    of_killed
        Makes the result of a task whose process was killed; another process takes the tasks that are left.

    Raises
    ------
    OSError
        If a process was killed before it had a task.
    """
    left = iter(tasks)
    at_work: dict[Connection, list[Task]] = {}  # one task, or none while the process starts
    processes: list[tuple[Connection, BaseProcess]] = []

    def start() -> None:
        processes.append(_start(work))
        at_work[processes[-1][0]] = []

    try:
        for _ in range(n_workers):
            start()
        while at_work:
            for pipe in wait(list(at_work)):
                given = at_work.pop(pipe)
                try:
                    result = pipe.recv()
                except (EOFError, ConnectionError):
                    if not given:
                        raise OSError("a process for --jobs ended while it started; use fewer --jobs") from None
                    start()
                    yield given[0], of_killed(given[0])
                    continue
                if isinstance(result, BaseException):
                    raise result
                for task in left:
                    at_work[pipe] = [task]
                    with suppress(ConnectionError):  # then its end is noticed when it should answer
                        pipe.send(task)
                    break
                else:
                    pipe.close()
                if given:
                    yield given[0], result
    finally:
        for pipe, _ in processes:
            pipe.close()
        for _, process in processes:
            process.join(_SECONDS_TO_END)
            process.kill()


def _start(work: Callable) -> tuple[Connection, BaseProcess]:
    context = get_context("spawn")
    resource_tracker.ensure_running()  # the first start would do it, and let Ctrl-C through again
    pipe, end = context.Pipe()
    process = context.Process(target=_serve, args=(end, work), daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        end.close()
    return pipe, process


def _serve(pipe: Connection, work: Callable[[Task], Result]) -> None:
    """Work in this process until the pipe closes."""
    logging.getLogger("blsh").setLevel(logging.ERROR)  # the parent has said that it compiles
    tasks: SimpleQueue = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    with suppress(ConnectionError):
        pipe.send(None)
        while True:
            try:
                result = work(tasks.get())
            except Exception as error:
                error.add_note(traceback.format_exc())
                result = error
            pipe.send(result)


def _receive(pipe: Connection, tasks: SimpleQueue) -> None:
    with suppress(EOFError, ConnectionError):
        while True:
            tasks.put(pipe.recv())
    remove_unfinished()
    os._exit(0)
