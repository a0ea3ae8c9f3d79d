"""Spreading tasks over worker processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from ctypes import ArgumentError
from typing import Any, TypeVar

Item = TypeVar("Item")


class WorkerLost(Exception):
    """A worker process ended before its work was done."""


def spread(
    task: Callable[..., list[Item]], arguments: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[Item]:
    """The items of `task(*arguments)` for each entry, in the order in which tasks end.

    One job, or one entry, runs in this process.  Closing the iterator ends the workers.  Raises
    WorkerLost if one of them is killed from outside.
    """
    if jobs == 1 or len(arguments) <= 1:
        for each in arguments:
            try:
                items = task(*each)
            except ArgumentError as error:
                # The solver is called through ctypes, which takes Ctrl-C for a bad argument.
                if KeyboardInterrupt.__name__ in str(error):
                    raise KeyboardInterrupt from error
                raise
            yield from items
        return
    # A forked child of a process with threads may hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(arguments)), mp_context=context)
    done = False
    try:
        with _interrupts_held_back():
            futures = [pool.submit(task, *each) for each in arguments]
        for future in as_completed(futures):
            yield from future.result()
        done = True
    except BrokenProcessPool as error:
        raise WorkerLost(
            "a worker process was ended from outside, perhaps for want of memory; "
            "try again with fewer jobs."
        ) from error
    finally:
        if not done:
            for child in multiprocessing.active_children():
                child.terminate()
        pool.shutdown(wait=done, cancel_futures=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold back Ctrl-C; a process started meanwhile inherits that and leaves it to its parent.

    An initializer would come too late for a Ctrl-C while a worker still imports.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
