"""Where a cluster stands, for whoever looks into a stall: what the scheduler says, and what each busy worker does.

Each is asked with patience of its own: one worker that hangs keeps nobody from telling what the others are at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from flatpipe.engines.clusters.starting import answered
from flatpipe.engines.engine import EngineState
from flatpipe.errors import RunGivenUp
from flatpipe.stop import StopRequest
from flatpipe.text import counted, in_bytes
from flatpipe.work.worker import ProcessState, process_state

_SECONDS, _ALL_SECONDS = 3.0, 20.0
# ^ for one answer, which takes milliseconds; and for all of them
_MOST_WORKERS, _MOST_KEYS = 50, 10
# ^ that are told one by one; of the others how many they are

Value = TypeVar("Value")


def cluster_state(client: Any) -> EngineState:
    """What scheduler and workers are at, as far as they answer within half a minute."""
    until = time.monotonic() + _ALL_SECONDS
    scheduler = _asked("the scheduler", partial(client.sync, client.scheduler.identity, n_workers=-1))
    processing = _asked("the scheduler", client.processing)
    if isinstance(scheduler, str) or isinstance(processing, str):
        return EngineState({}, f"{scheduler if isinstance(scheduler, str) else processing}\n")
    busy = sorted(address for address, keys in processing.items() if keys)
    states = _states(client, busy, until)
    found = {
        image: seconds
        for state in states.values()
        if not isinstance(state, str)
        for image, seconds in state.busy.items()
    }
    lines = [*_scheduler_lines(scheduler["workers"], processing), *_worker_lines({**states, "here": process_state()})]
    return EngineState(found, "\n".join(lines) + "\n")


def _states(client: Any, addresses: Iterable[str], until: float) -> dict[str, ProcessState | str]:
    """What each worker answers, or why it does not."""
    states: dict[str, ProcessState | str] = {}
    for address in list(addresses)[:_MOST_WORKERS]:
        if time.monotonic() > until:
            states[address] = "not asked any more: others took too long"
            continue
        answer = _asked("it", partial(client.run, process_state, workers=[address], on_error="return"))
        states[address] = _state_in(answer, address)
    return states


def _state_in(answer: dict[str, Any] | str, address: str) -> ProcessState | str:
    found = answer if isinstance(answer, str) else answer.get(address)
    return found if isinstance(found, ProcessState | str) else f"it has ended, or cannot answer: {found!r}"


def _asked(whom: str, ask: Callable[[], Value]) -> Value | str:
    """The answer, or why there is none."""
    try:
        return answered(whom, ask, StopRequest(), _SECONDS)
    except RunGivenUp:
        return f"{whom} has not answered for {_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever ails a cluster that stalls, it is part of its state
        return f"{whom} cannot answer: {type(error).__name__}: {error}"


def _scheduler_lines(workers: dict[str, dict[str, Any]], processing: dict[str, Any]) -> Iterator[str]:
    yield f"the scheduler knows {counted(len(workers), 'worker')}"
    chosen = sorted(workers, key=lambda address: (not processing.get(address), address))
    for address in chosen[:_MOST_WORKERS]:
        metrics, keys = workers[address].get("metrics", {}), processing.get(address, ())
        words = [f"  {address}: {counted(len(keys), 'task')}", f"memory {in_bytes(metrics.get('memory', 0))}"]
        words += [f"CPU {metrics.get('cpu', 0):.0f} %", f"last seen {_ago(workers[address])} s ago"]
        yield ", ".join(words)
        yield from (f"    {key}" for key in list(keys)[:_MOST_KEYS])
    if len(chosen) > _MOST_WORKERS:
        yield f"  and {len(chosen) - _MOST_WORKERS:,} more"


def _ago(worker: dict[str, Any]) -> str:
    return f"{max(0.0, time.time() - worker.get('last_seen', 0.0)):.1f}"


def _worker_lines(states: dict[str, ProcessState | str]) -> Iterator[str]:
    for address, state in states.items():
        yield f"\n{address}"
        if isinstance(state, str):
            yield f"  {state}"
        else:
            yield from (f"  at {image} for {seconds:.1f} s" for image, seconds in state.busy.items())
            yield state.stacks
