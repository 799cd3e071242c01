"""The cluster part of the config: an existing scheduler, or the class that starts one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from flatpipe.config.harmless import FREE_PARTS, KEYWORDS, Rule, rule_of_part, unknown_in
from flatpipe.config.problems import KeyPath, did_you_mean
from flatpipe.config.section import LocalPath, Section, words
from flatpipe.config.values import ValueRefused, parse_seconds, shown

KNOWN_CLUSTERS = tuple(KEYWORDS)
# ^ any other class runs code that a config from a stranger names: only with allow_any_class

_PROTOCOLS = ("tcp", "tls")
# ^ Dask's others (ucx, ws, inproc) need what is not here, or have no encryption

_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _parse_scale(value: Any) -> int | dict[str, int] | None:
    """Workers, or keywords of the cluster's scale method; raises ValueRefused."""
    if value is None or _is_count(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, dict) and value and all(map(_is_count, value.values())):
        return value
    raise ValueRefused(f"must be a number of workers, a mapping such as {{jobs: 10}}, or null, not {shown(value)}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_SCALE_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}, "minProperties": 1},
        {"type": "null"},
    ]
}
_SECONDS_SCHEMA = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|sec|m|min|h|hr|d)\s*$"},
    ]
}
_CLASS_SCHEMA = {"anyOf": [{"enum": [*KNOWN_CLUSTERS, None]}, {"type": "string", "pattern": r"^\w+(\.\w+)+$"}]}

Scale = Annotated[int | dict[str, int] | None, BeforeValidator(_parse_scale), WithJsonSchema(_SCALE_SCHEMA)]
Seconds = Annotated[float, BeforeValidator(parse_seconds), WithJsonSchema(_SECONDS_SCHEMA)]
ClassName = Annotated[StrictStr | None, WithJsonSchema(_CLASS_SCHEMA)]


def _check_protocol(address: str | None) -> str | None:
    protocol = address.partition("://")[0] if address and "://" in address else "tcp"
    if protocol not in _PROTOCOLS:
        raise ValueRefused(f"must begin with tcp:// or tls://, not {shown(protocol)}")
    return address


_ADDRESS_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": rf"^(?:(?:{'|'.join(_PROTOCOLS)})://|(?![\s\S]*://)[\s\S])"},
        {"type": "null"},
    ]
}
Address = Annotated[
    StrictStr | None, Field(min_length=1), AfterValidator(_check_protocol), WithJsonSchema(_ADDRESS_SCHEMA)
]


class WaitSection(Section):
    """What to wait for before the first image."""

    workers: StrictInt = Field(default=1, ge=1, le=100_000)
    """Workers that must have come."""
    timeout: Seconds = Field(default=600.0, json_schema_extra=words("seconds, or a text such as 10min"))
    """How long to wait for them: seconds, or a text such as 10min."""


_FILES = ("ca_file", "cert", "key")


class SecuritySection(Section):
    """TLS credentials, three files in PEM; without them temporary ones are made for what class starts."""

    ca_file: LocalPath | None = Field(default=None, json_schema_extra=words("a local path or null"))
    """Certificate of the authority that signed those of scheduler and workers."""
    cert: LocalPath | None = Field(default=None, json_schema_extra=words("a local path or null"))
    """Certificate to show; with null for all three: temporary ones for what class starts."""
    key: LocalPath | None = Field(default=None, json_schema_extra=words("a local path or null"))
    """Private key of cert."""

    @model_validator(mode="after")
    def _check_all(self) -> SecuritySection:
        missing = [name for name in _FILES if getattr(self, name) is None]
        if len(missing) in (1, 2):
            raise ValueRefused("is needed too: ca_file, cert and key go together", missing[0])
        return self

    @property
    def is_given(self) -> bool:
        """Whether it names files."""
        return self.key is not None


class ClusterSection(Section):
    """The Dask cluster that carries the run: exactly one of address, scheduler_file and class."""

    address: Address = None
    """A running scheduler, such as tcp://head:8786; it is neither scaled nor closed."""
    scheduler_file: LocalPath | None = Field(default=None, json_schema_extra=words("a local path or null"))
    """File that a running scheduler wrote (dask scheduler --scheduler-file)."""
    class_: ClassName = Field(
        default=None, alias="class", json_schema_extra=words(", ".join(KNOWN_CLUSTERS) + "; or see allow_any_class")
    )
    """Class that starts a cluster, such as dask_jobqueue.SLURMCluster."""
    args: tuple[Any, ...] = ()
    """Its arguments."""
    kwargs: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments, as its own documentation names them (queue, memory, ...)."""
    scale: Scale = Field(default=None, json_schema_extra=words("a number, or a mapping such as {jobs: 10}"))
    """Workers to ask for, or keywords of its scale method, such as {jobs: 10}."""
    adapt: dict[str, Any] | None = None
    """Instead of scale: keywords of its adapt method, such as {maximum_jobs: 10}."""
    wait_for: WaitSection = WaitSection()
    """What to wait for before the first image."""
    security: SecuritySection = SecuritySection()
    dask_config: dict[str, Any] = Field(default_factory=dict)
    """Settings of Dask, by dotted name, in force before the cluster starts."""
    allow_code: StrictBool = False
    """Whether keys may stand here that run code which this file names: preloads, scripts, programs, images."""
    allow_any_class: StrictBool = False
    """The same, and class may be any importable one."""

    @model_validator(mode="after")
    def _check_choice(self) -> ClusterSection:
        given = {"address": self.address, "scheduler_file": self.scheduler_file, "class": self.class_}
        chosen = [name for name, value in given.items() if value is not None]
        if len(chosen) > 1:
            raise ValueRefused(f"{' and '.join(chosen)} are given; choose one", chosen[1])
        if not chosen:
            raise ValueRefused("needs one of address, scheduler_file and class")
        if self.class_ is None:
            self._check_nothing_to_start(chosen[0])
        elif not self.allow_any_class and self.class_ not in KNOWN_CLUSTERS:
            raise ValueRefused(_unknown_class(self.class_), "class")
        elif not _DOTTED_NAME.fullmatch(self.class_):
            raise ValueRefused("must be a dotted name such as package.module.Class", "class")
        if self.scale is not None and self.adapt is not None:
            raise ValueRefused("scale and adapt are given; choose one", "adapt")
        self._check_numbers()
        if not self.allow_code and not self.allow_any_class:
            self._check_code()
        return self

    def _check_numbers(self) -> None:
        """Refuse numbers that JSON, in which a run keeps its config, does not have."""
        for name in FREE_PARTS:
            if path := _not_finite(getattr(self, name), (name,)):
                raise ValueRefused("must be a finite number", *path)

    def _check_code(self) -> None:
        """Refuse all that is not known to be harmless: a config from a stranger could run code with it."""
        for name in FREE_PARTS:
            given, rule = getattr(self, name), rule_of_part(name, self.class_)
            for path in unknown_in(dict(enumerate(given)) if name == "args" else given or {}, rule, (name,)):
                words = f"not known to be harmless, and may run code that this file names{_misspelt(path, rule)}"
                raise ValueRefused(f"{words} allow_code: true lets it", *path, of_key=isinstance(path[-1], str))

    def _check_nothing_to_start(self, chosen: str) -> None:
        for name in ("args", "kwargs", "scale", "adapt"):
            if getattr(self, name):
                raise ValueRefused(f"belongs to class; with {chosen} the cluster is somebody else's", name)


def _not_finite(value: Any, path: KeyPath) -> KeyPath | None:
    """Where an infinite number or a NaN stands; None without any."""
    if isinstance(value, float) and not math.isfinite(value):
        return path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return next((found for key, part in inner if (found := _not_finite(part, (*path, key)))), None)


def _misspelt(path: KeyPath, rule: Rule) -> str:
    """`; did you mean 'queue'?` for a keyword that is all but a known one; else `;`."""
    known = [name.replace("-", "_") for name in rule] if isinstance(rule, Mapping) and path[0] == "kwargs" else []
    near = get_close_matches(str(path[1]), known, n=1, cutoff=0.8) if len(path) == 2 and path[1] not in known else []
    return f"; did you mean '{near[0]}'?" if near else ";"


def _unknown_class(name: str) -> str:
    last = name.rpartition(".")[2]
    same = [known for known in KNOWN_CLUSTERS if known.rpartition(".")[2].lower() == last.lower()]
    hint = f"; did you mean '{same[0]}'?" if same else did_you_mean(name, KNOWN_CLUSTERS)
    known = "" if hint else f" (known: {', '.join(KNOWN_CLUSTERS)})"
    return f"'{name[:80]}' is no class that flatpipe knows{hint or ';'} any other needs allow_any_class: true{known}"
