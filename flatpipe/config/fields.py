"""The model asked by path: which keys a section has, what each may be, in words."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flatpipe.config.models import Config

KeyPath = tuple[str | int, ...]


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
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    kinds = _kinds(field.annotation)
    words = [_kind_words(kind) + _range_words(field) for kind in kinds if kind is not NoneType]
    return _joined([*words, "null"] if NoneType in kinds else words)


def unit_of(field: FieldInfo) -> str:
    """The unit of a number: "pixels"; "" when it has none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


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
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a mapping"}
    return words.get(get_origin(kind) or kind, "a list")


def _range_words(field: FieldInfo) -> str:
    limits = {
        name: getattr(entry, name)
        for entry in field.metadata
        for name in ("ge", "gt", "le")
        if getattr(entry, name, None) is not None
    }
    if {"ge", "le"} <= limits.keys():
        return f" from {limits['ge']} to {limits['le']}"
    if "gt" in limits:
        return f" above {limits['gt']}"
    return ""


def _joined(words: list[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
