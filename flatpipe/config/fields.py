"""The model asked by path: which keys a section has, what each may be, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flatpipe.config.models import Config
from flatpipe.config.problems import KeyPath
from flatpipe.config.scalars import read_scalar

_PLAIN_WORD = re.compile(r"[A-Za-z0-9/~.][A-Za-z0-9/~._ -]*(?<! )")


def fields_at(path: KeyPath) -> dict[str, FieldInfo] | None:
    """The fields of the section at a path, by the names that a config writes; None when no section is there."""
    section: type[BaseModel] = Config
    for part in path:
        field = _fields_of(section).get(str(part))
        inner = None if field is None else section_of(field)
        if inner is None:
            return None
        section = inner
    return _fields_of(section)


def field_at(path: KeyPath) -> FieldInfo | None:
    """The field at a path; None when the model has none there."""
    return (fields_at(path[:-1]) or {}).get(str(path[-1])) if path else None


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of the section that the field holds; None when it holds a plain value."""
    for kind in _kinds(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def all_keys(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all keys that hold plain values, sections in their order."""
    for name, field in (fields_at(path) or {}).items():
        if section_of(field) is not None:
            yield from all_keys((*path, name))
        else:
            yield (*path, name)


def allowed_words(field: FieldInfo) -> str:
    """What the field may be: "a whole number from 20 to 60000", "gif, webp or apng", "true or false"."""
    if given := _extra(field, "allowed"):
        return given
    kinds = _kinds(field.annotation)
    unit = f" ({unit_of(field)})" if unit_of(field) else ""
    words = [_kind_words(kind) + _range_words(field) + unit for kind in kinds if kind is not NoneType]
    return _joined([*words, "null"] if NoneType in kinds else words)


def unit_of(field: FieldInfo) -> str:
    """The unit of a number: "pixels"; "" when it has none."""
    return _extra(field, "unit")


def default_as_written(field: FieldInfo) -> str:
    """The default as a config would write it; "" when there is none."""
    if written := _extra(field, "written"):
        return written
    default = field.get_default(call_default_factory=True)
    return "" if default is PydanticUndefined else plain_yaml(default)


def plain_yaml(value: Any) -> str:
    """A value as a config writes it by hand: words without quotes, null, [], {a: 1}."""
    if isinstance(value, str):
        is_plain = _PLAIN_WORD.fullmatch(value) is not None and isinstance(read_scalar(value), str)
        return value if is_plain else json.dumps(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def _extra(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(name, "")) if isinstance(extra, dict) else ""


def _fields_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _kinds(annotation: Any) -> list[Any]:
    """The plain types of an annotation: int and NoneType for `Annotated[int, ...] | None`."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Literal, tuple, dict, list) or not get_args(annotation):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _kinds(part)]


def _kind_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return _joined([str(choice) for choice in get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "a mapping"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a mapping"}
    return words.get(get_origin(kind) or kind, "a list")


def number_range(field: FieldInfo) -> str:
    """The range of a number, short: "20..60000", "above 0"; "" for anything else."""
    limits = _limits(field)
    if given := _extra(field, "limits"):
        return given
    if {"ge", "le"} <= limits.keys():
        return f"{limits['ge']}..{limits['le']}"
    return f"above {limits['gt']}" if "gt" in limits else ""


def _range_words(field: FieldInfo) -> str:
    limits = _limits(field)
    if {"ge", "le"} <= limits.keys():
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "of at least", "gt": "above", "le": "of at most"}
    return "".join(f" {words[name]} {limit}" for name, limit in limits.items())


def _limits(field: FieldInfo) -> dict[str, Any]:
    return {
        name: getattr(entry, name)
        for entry in field.metadata
        for name in ("ge", "gt", "le")
        if getattr(entry, name, None) is not None
    }


def _joined(words: list[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
