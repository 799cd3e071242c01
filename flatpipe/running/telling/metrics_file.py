"""The file that `--metrics-file` names: written anew every few seconds, whole or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile

from flatpipe.config import Config
from flatpipe.errors import ConfigError, FlatpipeError
from flatpipe.places import is_url, is_within, place_of
from flatpipe.plan.inputs.places import GivenPlace, given_places
from flatpipe.running.telling.metrics import Metrics
from flatpipe.storage.several.globs import would_match

_EVERY_SECONDS = 5.0
# ^ Prometheus asks every 15 seconds to a minute
_SUFFIX = ".prom"
_BEGINNING = b"# HELP "


def metrics_place(path: str, config: Config) -> str:
    """Where the file is to lie, from the folder that we are in; raises ConfigError for where it may not.

    Beside the outputs it may lie under a name that no output has.
    """
    place, output = place_of(path, Path.cwd()), str(config.output.path)
    if is_url(place):
        raise ConfigError(f"--metrics-file {path}: a local file is asked for, as Prometheus reads it")
    if place == config.input.list or any(_holds(one, place) for one in given_places(config)):
        raise ConfigError(f"--metrics-file {path}: lies in input.path, which is never written to")
    is_beside_tables = is_within(output, place.rpartition("/")[0])
    # ^ of a file in the output: its folder then is the output
    if is_within(place, output) and not (is_beside_tables and place.endswith(_SUFFIX)):
        raise ConfigError(f"--metrics-file {path}: in the output folder it may lie beside the tables, as *{_SUFFIX}")
    if not _may_be_ours(Path(place)):
        raise ConfigError(f"--metrics-file {path}: holds something else than metrics, which would be lost")
    return place


def _may_be_ours(file: Path) -> bool:
    """Whether nothing is lost when a file is written over: it is not there, holds nothing, or metrics."""
    try:
        if not file.is_file():
            return True
        with file.open("rb") as there:
            return there.read(len(_BEGINNING)) in (b"", _BEGINNING)
    except OSError:
        return True
        # ^ what cannot be read is told when it cannot be written


def _holds(one: GivenPlace, place: str) -> bool:
    """Whether a place of the input is, or holds, this one; a pattern where it would find it."""
    return would_match(one.given, place) if one.given.pattern else is_within(place, one.given.start)


@contextlib.contextmanager
def metrics_file(place: str, tell: Callable[[str], None]) -> Iterator[Metrics]:
    """What counts a run and has the file written, until the end of the block; of a failure to write `tell` is told."""
    metrics, is_over, told = Metrics(), False, False
    registry = CollectorRegistry()
    registry.register(metrics)

    def write() -> None:
        nonlocal told
        try:
            write_to_textfile(place, registry)
        except OSError as error:
            if not told:
                tell(f"--metrics-file {place}: cannot be written: {error.strerror or error}; the run goes on without")
            told = True

    def write_now_and_then() -> None:
        while True:
            metrics.turned.clear()
            if is_over:
                # ^ asked once the event is clear: what is over from here on sets it again, and is not waited out
                return
            write()
            metrics.turned.wait(_EVERY_SECONDS)

    thread = threading.Thread(target=write_now_and_then, name="flatpipe-metrics", daemon=True)
    thread.start()
    try:
        yield metrics
    except FlatpipeError as error:
        metrics.exited(error.exit_code)
        raise
    finally:
        is_over = True
        metrics.turned.set()
        thread.join()
        write()
