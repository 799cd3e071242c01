"""A config as a run keeps it in its outputs: without the secrets that a cluster's section may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flatpipe.config.problems import KeyPath

MASK = "***"
_CLUSTER = ("execution", "cluster")
_SECRET = re.compile(r"pass(word|wd|phrase|code)?$|secret|token|credential|(api|access|private)_?key", re.IGNORECASE)


class AsWritten(str):
    """A text as it stands in the config, its `${NAME}` not replaced."""


def recorded(values: dict[str, Any], written: Mapping[KeyPath, str]) -> dict[str, Any]:
    """The config's plain values, changed for keeping: below execution.cluster, texts that came from the environment
    stand as they were written, and what is called a password, secret, token or key is masked.

    All else stays as resolved: it says what was done, and paths stand in every table.
    """
    values = unfilled(values, written)
    if values["execution"]["cluster"] is not None:
        values["execution"]["cluster"] = _masked(values["execution"]["cluster"])
    return values


def unfilled(values: dict[str, Any], written: Mapping[KeyPath, str]) -> dict[str, Any]:
    """The values with the cluster's texts as they were written; changed in place."""
    for path, text in written.items():
        if path[:2] == _CLUSTER and path[2:] != ("scheduler_file",):
            # ^ a path, which may be relative to the config's folder, and is no secret
            _put(values, path, AsWritten(text))
    return values


def _put(values: Any, path: KeyPath, text: AsWritten) -> None:
    """Replace the text at a path; a number stays: in quotes it would be another value."""
    for part in path[:-1]:
        values = values[part]
    if isinstance(values[path[-1]], str):
        values[path[-1]] = text


def _masked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, key) for inner in value]
    is_secret = _SECRET.search(key) and value is not None and not isinstance(value, AsWritten | bool)
    return MASK if is_secret else value
