"""A config as a run keeps it in its outputs: without the secrets that a cluster's section may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flatpipe.config.harmless import FREE_PARTS, MASK, Kind, Rule, rule_of, rule_of_part, unknown_in, without_secrets
from flatpipe.config.problems import KeyPath

_CLUSTER = ("execution", "cluster")


class AsWritten(str):
    """A text as it stands in the config, its `${NAME}` not replaced."""


def recorded(values: dict[str, Any], written: Mapping[KeyPath, str]) -> dict[str, Any]:
    """The config's plain values, changed for keeping: below execution.cluster, texts that came from the environment
    stand as they were written, and all values of keys that are not known to hold no secret are masked.

    All else stays as resolved: it says what was done, and paths stand in every table.
    """
    values = unfilled(values, written)
    if values["execution"]["cluster"] is not None:
        values["execution"]["cluster"] = _without_secrets(values["execution"]["cluster"])
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


def _without_secrets(cluster: dict[str, Any]) -> dict[str, Any]:
    """The cluster's section as it is kept. Of keys that are not handed on to Dask none is a secret."""
    kept = {key: _masked(value, Kind.TEXT) for key, value in cluster.items() if key not in FREE_PARTS}
    for part in FREE_PARTS:
        given, rule = cluster[part], rule_of_part(part, cluster["class"])
        kept[part] = list(_masked(dict(enumerate(given)), rule).values()) if part == "args" else _masked(given, rule)
    return {key: kept[key] for key in cluster}


def _masked(value: Any, rule: Rule | None) -> Any:
    """The value, with MASK for all that its rule does not know to be harmless, and without secrets in texts."""
    if isinstance(value, dict):
        return {key: _masked(inner, rule_of(rule, str(key))) for key, inner in value.items()}
    if rule is Kind.FLAGS:
        rule = None if list(unknown_in(value, rule, ())) else Kind.TEXT
    if isinstance(value, list):
        return [_masked(inner, rule) for inner in value]
    if value is None or isinstance(value, AsWritten | bool):
        return value
    if rule is None or rule is Kind.SECRET:
        return MASK
    return without_secrets(value) if isinstance(value, str) else value
