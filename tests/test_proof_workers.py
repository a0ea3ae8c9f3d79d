"""Spreading tasks over processes: what comes through, and that nothing is left behind."""

import multiprocessing
import os
import signal
import time
from ctypes import ArgumentError

import pytest

from proofs.workers import WorkerLost, spread

LOST = (
    "a worker process was ended from outside, perhaps for want of memory; "
    "try again with fewer jobs."
)
SECONDS = 60


# Tasks; a worker finds them by the name of this module.


def squares(start, stop):
    return [number * number for number in range(start, stop)]


def process(_):
    return [os.getpid()]


def failing(number):
    if number == 3:
        raise ValueError(f"task {number} failed")
    return [number]


def killed(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return [number]


def interrupted(number):
    os.kill(os.getpid(), signal.SIGINT)
    return [number]


def after(seconds, number):
    time.sleep(seconds)
    return [number]


def waiting(path, name):
    while not path.exists():
        time.sleep(0.01)
    return [name]


def children():
    return multiprocessing.active_children()


def wait_until_none_is_left():
    """The workers that were ended, ended; within a while."""
    end = time.monotonic() + SECONDS
    while children():
        assert time.monotonic() < end, "workers are left"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _nothing_left():
    assert not children()
    yield
    wait_until_none_is_left()


# In this process.


def test_one_job_keeps_the_order_and_this_process():
    found = list(spread(squares, [(0, 3), (5, 5), (3, 5)], 1))
    assert found == [0, 1, 4, 9, 16]
    assert set(spread(process, [(0,), (1,)], 1)) == {os.getpid()}


def test_one_task_needs_no_worker():
    assert list(spread(process, [(0,)], 8)) == [os.getpid()]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_task_gives_nothing(jobs):
    assert list(spread(squares, [], jobs)) == []


def test_one_job_works_when_it_is_asked():
    done = []

    def task(number):
        done.append(number)
        return [number]

    items = spread(task, [(number,) for number in range(5)], 1)
    assert done == []
    assert [next(items), next(items)] == [0, 1]
    assert done == [0, 1]
    items.close()
    assert done == [0, 1]


def test_an_error_ends_one_job():
    items = spread(failing, [(2,), (3,), (4,)], 1)
    assert next(items) == 2
    with pytest.raises(ValueError, match=r"^task 3 failed$"):
        next(items)


def test_ctrl_c_inside_the_solver_is_ctrl_c():
    """The solver's library is called through ctypes, which reports Ctrl-C as a bad argument."""

    def disguised():
        raise ArgumentError("argument 1: KeyboardInterrupt: ")

    with pytest.raises(KeyboardInterrupt):
        list(spread(disguised, [()], 1))

    def wrong():
        raise ArgumentError("argument 1: TypeError: wrong type")

    with pytest.raises(ArgumentError, match="wrong type"):
        list(spread(wrong, [()], 1))


# In workers.


def test_two_jobs_do_all_tasks_elsewhere():
    tasks = [(start, start + 3) for start in range(0, 30, 3)]
    found = list(spread(squares, tasks, 2))
    assert sorted(found) == [number * number for number in range(30)]
    # What one task gives stays together and in order.
    firsts = [start * start for start, _ in tasks]
    for first, (start, stop) in zip(firsts, tasks, strict=True):
        at = found.index(first)
        assert found[at : at + 3] == squares(start, stop)


def test_two_jobs_use_two_processes_at_most():
    found = set(spread(process, [(number,) for number in range(12)], 2))
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_items_come_as_tasks_end(tmp_path):
    """The first task waits for what is done when the second has ended."""
    sign = tmp_path / "sign"
    items = spread(waiting, [(sign, "first"), (tmp_path, "second")], 2)
    assert next(items) == "second"
    sign.touch()
    assert list(items) == ["first"]


def test_an_error_of_a_task_comes_through():
    with pytest.raises(ValueError, match=r"^task 3 failed$"):
        list(spread(failing, [(number,) for number in range(2, 6)], 2))


def test_a_worker_that_is_killed_is_missed():
    with pytest.raises(WorkerLost) as failure:
        list(spread(killed, [(number,) for number in range(2, 6)], 2))
    assert str(failure.value) == LOST


def test_closing_ends_the_workers_and_their_work():
    """The slow tasks would take an hour; of those not begun none is."""
    items = spread(after, [(0, "quick"), *[(3600, "slow")] * 4], 2)
    assert next(items) == "quick"
    assert children()
    start = time.monotonic()
    items.close()
    wait_until_none_is_left()
    assert time.monotonic() - start < SECONDS


def test_ctrl_c_is_left_to_the_parent():
    """A terminal sends it to all; a worker that died of it would be taken for lost."""
    assert sorted(spread(interrupted, [(number,) for number in range(4)], 2)) == [0, 1, 2, 3]


def test_ctrl_c_is_held_back_from_this_process_only_while_workers_start():
    items = spread(after, [(0, 1), (0, 2)], 2)
    next(items)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
    items.close()
