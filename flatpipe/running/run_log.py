"""The folder that each run leaves: runs/<run id>/ with its config, its log, and in the end its summary."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.environment import environment
from flatpipe.errors import RunGivenUp
from flatpipe.proof.recorded import config_yaml
from flatpipe.records import ImageRecord
from flatpipe.storage.roots import Root
from flatpipe.summaries import RunSummary

CONFIG, ENVIRONMENT, LOG, SUMMARY = "config.yaml", "environment.json", "log.jsonl", "summary.json"
STALL = "stall-{number}.txt"
# ^ from 1 on


def new_run_id() -> str:
    """An id for a run that begins now: they sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def now_in_words() -> str:
    """The moment, UTC, to the second, as ledgers and files have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class RunLog:
    """Writes a run's folder: beside the ledger while the run goes on, copied to the outputs where that is elsewhere."""

    def __init__(self, run_id: str, ledger_path: str, outputs: Root) -> None:
        self._outputs, self._name = outputs, f"{layout.RUNS}/{run_id}"
        self._folder = Path(ledger_path).parent / self._name
        self._log: IO[str] | None = None
        self._stalls: list[str] = []

    def begin(self, config: Config, lock_header: dict[str, str]) -> None:
        """Write what is known at the start; raises RunGivenUp when that fails."""
        try:
            self._write_beginning(config, lock_header)
        except OSError as error:
            raise RunGivenUp(f"{self._folder}: cannot be written: {error.strerror or error}") from error

    def _write_beginning(self, config: Config, lock_header: dict[str, str]) -> None:
        self._folder.mkdir(parents=True)
        (self._folder / CONFIG).write_text(config_yaml(config), encoding="utf-8")
        versions = {key: value for key, value in lock_header.items() if key.startswith("version.")}
        content = {**environment(), "can_change_bytes": versions}
        (self._folder / ENVIRONMENT).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
        self._log = (self._folder / LOG).open("w", encoding="utf-8")

    def add(self, records: Sequence[ImageRecord]) -> None:
        """Write a line for each image; raises RunGivenUp when that fails."""
        if self._log is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            lines = [f'{{"at": "{now}", {record.line[1:]}\n' for record in records]
            try:
                self._log.write("".join(lines))
                self._log.flush()
                # ^ lines are on disk as soon as their images are done
            except OSError as error:
                raise RunGivenUp(f"the run's log cannot be written: {error.strerror or error}") from error

    def add_stall(self, state: str) -> Path:
        """Write down where everything stands, and say where; raises OSError."""
        name = STALL.format(number=len(self._stalls) + 1)
        (self._folder / name).write_text(state, encoding="utf-8", errors="backslashreplace")
        self._stalls.append(name)
        return self._folder / name

    def end(self, summary: RunSummary) -> None:
        """Write how the run ended, and put the folder beside the outputs; raises OSError."""
        self.close()
        (self._folder / SUMMARY).write_text(json.dumps(asdict(summary), indent=2, sort_keys=True) + "\n")
        if str(self._folder) != f"{self._outputs.place}/{self._name}":
            for name in (CONFIG, ENVIRONMENT, LOG, SUMMARY, *self._stalls):
                self._outputs.store(f"{self._name}/{name}", str(self._folder / name))

    def close(self) -> None:
        """Close the log's file; what a full disk has not taken is told where it was written."""
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.close()
            self._log = None
