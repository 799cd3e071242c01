"""The state of one process."""

from __future__ import annotations

import pickle

from flatpipe.work.worker import Worker, stop_run, this_worker


def test_there_is_one_worker_in_a_process() -> None:
    """Whoever asks gets the same one, also what was sent here by a driver."""
    pickle.loads(pickle.dumps(stop_run))("sent")

    assert this_worker() is this_worker()
    assert this_worker().is_stopped("sent")


def test_stopped_runs_do_not_pile_up() -> None:
    """A worker of a shared cluster that lives through many runs remembers the last ones only."""
    worker = Worker()
    for number in range(1000):
        worker.stop(f"run {number}")

    assert worker.is_stopped("run 999")
    assert sum(worker.is_stopped(f"run {number}") for number in range(1000)) <= 100
