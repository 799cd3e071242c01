"""The model's errors in our own words, at the places where the values were written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flatpipe.config.models import Config
from flatpipe.config.problems import Origin, Problem, did_you_mean
from flatpipe.config.source import Path, Source

_TYPE_WORDS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a text or a list of texts",
    "model_type": "must be a mapping of keys",
    "finite_number": "must be a finite number",
}
_FALSE_WORDS = {"no": "false", "off": "false", "n": "false", "yes": "true", "on": "true", "y": "true"}


def problems_of(error: ValidationError, source: Source) -> list[Problem]:
    """One Problem per value that the model refuses."""
    found: dict[str, Problem] = {}
    for details in error.errors(include_url=False):
        path = _path_of(details, source)
        problem = _problem(details, path, source)
        if problem.key not in found or details["type"] == "literal_error":
            found.setdefault(problem.key, problem)
    return list(found.values())


def _path_of(details: ErrorDetails, source: Source) -> Path:
    """The path of the value without the parts that name alternatives of a type."""
    path: list[str | int] = []
    for part in details["loc"]:
        candidate = (*path, part)
        is_key = candidate in source.origins or candidate in source.key_origins
        if is_key or details["type"] == "missing" or not path or _fields_at(tuple(path)) is not None:
            path.append(part)
    return tuple(path)


def _problem(details: ErrorDetails, path: Path, source: Source) -> Problem:
    key = ".".join(map(str, path))
    kind, given = details["type"], details.get("input")
    if kind == "extra_forbidden":
        known = list(_fields_at(path[:-1]) or {})
        words = f"unknown key{did_you_mean(str(path[-1]), known)}"
        return Problem(_origin(path, source, of_key=True), key, f"{words} (allowed: {', '.join(known)})")
    if kind == "missing":
        return Problem(_nearest(path, source), key, "is missing; every config needs it")
    return Problem(_origin(path, source), key, _refusal(details, kind, given))


def _refusal(details: ErrorDetails, kind: str, given: Any) -> str:
    context = details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        choices = _choices(context)
        return f"{_shown(given)} is not allowed; must be {' or '.join(choices)}{did_you_mean(str(given), choices)}"
    for limit, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if limit in context:
            return f"{_shown(given)} is out of range; must be {words} {context[limit]}"
    words = _TYPE_WORDS.get(kind, details["msg"])
    if kind == "bool_type" and str(given).lower() in _FALSE_WORDS:
        return f"'{given}' is a word here; write {_FALSE_WORDS[str(given).lower()]}"
    return f"{words}, not {_shown(given)}"


def _choices(context: dict[str, Any]) -> list[str]:
    return [part.strip("'") for part in str(context["expected"]).replace(" or ", ", ").split(", ")]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _origin(path: Path, source: Source, *, of_key: bool = False) -> Origin:
    origins = source.key_origins if of_key else source.origins
    return origins.get(path) or source.key_origins.get(path) or _nearest(path, source)


def _nearest(path: Path, source: Source) -> Origin:
    """Where the innermost section around a missing value was written."""
    for length in range(len(path), -1, -1):
        origin = source.key_origins.get(path[:length]) or source.origins.get(path[:length])
        if origin is not None:
            return origin
    return Origin("config", 1, 1, "")


def _fields_at(path: Path) -> dict[str, Any] | None:
    """The fields of the section at a path; None when no section is there."""
    model: type[BaseModel] = Config
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return None
        model = field.annotation
    return dict(model.model_fields)
