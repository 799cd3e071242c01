"""The execution section -> a Dask client with checked workers, and all of it closed again that was opened here."""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dask
import distributed
from dask.utils import parse_timedelta
from distributed.comm import CommClosedError

from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.engines.clusters.deploy import LOCAL_CLUSTER, most_workers, started_cluster
from flatpipe.engines.clusters.engine import ClusterEngine
from flatpipe.engines.clusters.fork_server import FORK_SERVER_SETTINGS, fork_server
from flatpipe.engines.clusters.preflight import check_workers
from flatpipe.engines.clusters.quiet import LastWords, quiet_logs, safe_import_path, same_environment
from flatpipe.engines.clusters.replacement import LOST_WORKER_TIMEOUT, Replacement
from flatpipe.engines.clusters.scratch import SCRATCH, private_folder, same_import_path
from flatpipe.engines.clusters.security import check_credentials, credentials_for
from flatpipe.engines.clusters.starting import NONE_COMES, answered, check_processes, left_running
from flatpipe.engines.clusters.worker_setup import WorkerSetup
from flatpipe.engines.opening import Opening
from flatpipe.errors import RunGivenUp
from flatpipe.stop import StopRequest

_LOOK_SECONDS = 2.0
# ^ between looks at workers that are lost while others are waited for
_GRACE_SECONDS = 2.0
# ^ after which a connection that has not kept to its own limit is left
PATIENCE = "distributed.scheduler.no-workers-timeout"
_SETUPS, _SETUP_SECONDS, _FORGET_SECONDS = 5, 300.0, 10.0
# ^ tries to set up workers that end meanwhile; patience with each try, for kernels may be compiled, if wait_for.timeout
#   is not longer; with those that are to forget it
DASK_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    # ^ the driver counts deaths itself: Dask blames every task that a dead worker had queued, we try them apart
    PATIENCE: "15 minutes",
    # ^ without it a run whose workers are all gone waits for ever
    LOST_WORKER_TIMEOUT: "15s",
    # ^ Dask's own default, named here because lost workers are replaced soon after it
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    # ^ only records travel; decoded images are in our own bounded cache, which Dask cannot spill
    "distributed.worker.memory.pause": False,
    # ^ a paused worker counts as there and never goes on: nobody but its next task empties that cache
    "distributed.comm.timeouts.connect": "60s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "500ms",
    # ^ looks at itself that Dask takes 2 to 100 times a second in every process, for pages that nobody opens
    "distributed.admin.low-level-log-length": 50,
    # ^ messages, transitions and events that the scheduler keeps to be looked at: a message holds a whole bundle of
    #   images, and Dask's 1,000 for each worker let its memory grow for the first 16,000 images
}


@contextlib.contextmanager
def configured_cluster(opening: Opening) -> Iterator[ClusterEngine]:
    """An engine of the cluster that execution.cluster describes, its workers checked.

    Raises ConfigError when the section cannot work here, RunGivenUp when the cluster does not come up.
    """
    section = opening.section
    with contextlib.ExitStack() as stack:
        if section.class_ == LOCAL_CLUSTER and section.kwargs.get("processes", True):
            stack.enter_context(safe_import_path())
            check_processes()
        stack.enter_context(same_import_path())
        folder = stack.enter_context(private_folder(_scratch_place(section)))
        settings = {**DASK_SETTINGS, **FORK_SERVER_SETTINGS, **section.dask_config, SCRATCH: folder}
        stack.enter_context(dask.config.set(settings))
        stack.enter_context(same_environment())
        said = stack.enter_context(quiet_logs())
        if section.class_ == LOCAL_CLUSTER:
            stack.enter_context(fork_server())
        client, replacement = _connected(stack, opening)
        _wait_for_workers(client, replacement, opening, said)
        opening.listener.preparing("checking the workers")
        check = partial(check_workers, client, opening.settings, opening.largest)
        answered("the check of the workers", check, opening.stop, _answer_seconds(opening))
        identity = client.scheduler_info(n_workers=0)
        opening.listener.connected(identity["n_workers"], identity["total_threads"], client.dashboard_link or "")
        here = identity["total_threads"]
        foreseen = most_workers(section) * max(1, here // max(1, identity["n_workers"]))
        engine = ClusterEngine(opening, client, max(1, here, foreseen), patience(), replacement)
        stack.callback(engine.close)
        yield engine


def _scratch_place(section: ClusterSection) -> str | None:
    """Below which folder Dask's files of this machine lie, if the section names one."""
    given = section.kwargs.get("local_directory") if section.class_ == LOCAL_CLUSTER else None
    return given or section.dask_config.get(SCRATCH)


def _connected(stack: contextlib.ExitStack, opening: Opening) -> tuple[Any, Replacement | None]:
    """A client of the section's scheduler, which is started first, and its workers replaced, when a class is named."""
    section, setup, replacement = opening.section, WorkerSetup(), None
    if section.class_:
        opening.listener.preparing(f"starting {section.class_}")
        scheduler, replacement = stack.enter_context(started_cluster(opening))
    else:
        scheduler = _running_scheduler(opening)
        check_credentials(section, scheduler)
    security = None if section.class_ else credentials_for(section)
    # ^ a cluster that we started knows its own
    limit = min(60.0, section.wait_for.timeout)
    client = stack.enter_context(client_of(scheduler, limit, opening.stop, security))
    if not section.class_:
        stack.callback(_forget, client, setup.name)
    _set_up(client, setup, opening)
    return client, replacement


def _set_up(client: Any, setup: WorkerSetup, opening: Opening) -> None:
    """Have the setup done in all workers, those that come later included."""
    for _ in range(_SETUPS):
        try:
            register = partial(client.register_plugin, setup)
            answered("the set-up of the workers", register, opening.stop, _answer_seconds(opening))
        except CommClosedError:
            # a worker ended meanwhile; the one that comes in its place is set up as it comes
            continue
        return
    raise RunGivenUp("workers end while they are set up, one after another; have they enough memory?")


def _answer_seconds(opening: Opening) -> float:
    return max(_SETUP_SECONDS, opening.section.wait_for.timeout)


# --- somebody else's scheduler ---------------------------------------------------------------------------------------


def _running_scheduler(opening: Opening) -> str:
    """The address of a scheduler that runs already; waits for its file to be written."""
    section = opening.section
    if section.address:
        return section.address
    path = Path(str(section.scheduler_file))
    _wait(
        path.exists, opening, f"{path} to be written", lambda: "start `dask scheduler --scheduler-file` with this path"
    )
    try:
        return str(json.loads(path.read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunGivenUp(f"{path}: not a file that `dask scheduler --scheduler-file` wrote: {error}") from error


@contextlib.contextmanager
def client_of(scheduler: Any, timeout: float, stop: StopRequest, security: Any = None) -> Iterator[Any]:
    """A client, closed at the end; raises RunGivenUp when no scheduler answers, or the user stops meanwhile."""
    make = partial(distributed.Client, scheduler, timeout=timeout, set_as_default=False, security=security)
    place = f" at {scheduler}" if isinstance(scheduler, str) else ""
    try:
        with warnings.catch_warnings(action="ignore"):
            # ^ that versions differ: the preflight says it in a sentence
            client = answered(f"a Dask scheduler{place} to answer", make, stop, timeout + _GRACE_SECONDS, _close)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        # ^ RuntimeError: one side wants encryption, the other has none
        words = f"no Dask scheduler answers{place} ({error}); is it running, and can this machine reach it?"
        raise RunGivenUp(words) from error
    try:
        yield client
    finally:
        _close(client)


def _close(client: Any) -> None:
    with contextlib.suppress(OSError, TimeoutError, RuntimeError):
        client.close(timeout=5)


def _forget(client: Any, plugin: str) -> None:
    if client.status == "running":
        left_running(partial(client.unregister_worker_plugin, plugin), _FORGET_SECONDS)


# --- waiting ---------------------------------------------------------------------------------------------------------


def _wait_for_workers(client: Any, replacement: Replacement | None, opening: Opening, said: LastWords) -> None:
    wanted, look = opening.section.wait_for.workers, _now_and_then(replacement)

    def found() -> int:
        return int(client.scheduler_info(n_workers=0)["n_workers"])

    def are_there() -> bool:
        here = found()
        if here < wanted and look() and not here:
            raise RunGivenUp(f"{NONE_COMES}{said.told}")
        return here >= wanted

    def advice() -> str:
        words = f"{found()} came; look at the queue and its logs, or raise execution.cluster.wait_for.timeout"
        return f"{words}{said.told}"

    _wait(are_there, opening, f"{wanted} worker{'s' * (wanted > 1)}", advice)


def _now_and_then(replacement: Replacement | None) -> Callable[[], bool]:
    """Looks at most every few seconds whether workers are lost, and tells whether all end as they start."""
    looked = time.monotonic()

    def look() -> bool:
        nonlocal looked
        if replacement is not None and time.monotonic() - looked > _LOOK_SECONDS:
            replacement.look()
            looked = time.monotonic()
        return replacement is not None and replacement.is_in_vain

    return look


def _wait(is_there: Callable[[], bool], opening: Opening, what: str, advice: Callable[[], str]) -> None:
    """Wait until it is there, as long as execution.cluster.wait_for.timeout says; raises RunGivenUp after that."""
    began, is_told = time.monotonic(), False
    limit = opening.section.wait_for.timeout
    while not is_there():
        waited = time.monotonic() - began
        if opening.stop:
            raise RunGivenUp(f"stopped while waiting for {what}")
        if waited > limit:
            raise RunGivenUp(f"waited {limit:.0f} s in vain for {what}: {advice()}")
        if waited > 1 and not is_told:
            opening.listener.preparing(f"waiting for {what}")
            is_told = True
        time.sleep(0.1)


def patience() -> float:
    """Seconds without any worker after which a run is given up."""
    return float(parse_timedelta(dask.config.get(PATIENCE) or "15 minutes"))
