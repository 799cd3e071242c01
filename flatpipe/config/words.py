"""The model's errors in our own words, at the places where the values were written."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flatpipe.config.fields import all_keys, allowed_words, field_at, fields_at
from flatpipe.config.problems import KeyPath, Origin, Problem, did_you_mean, dotted
from flatpipe.config.scalars import read_scalar
from flatpipe.config.source import Source
from flatpipe.config.values import shown

_KIND_WORDS = {"string_type": "a text", "string_unicode": "a text in Unicode", "model_type": "a mapping of keys"}
# ^ for what has no field of its own: rows of lists, and sections
_BOOLEAN_WORDS = {"no": "false", "off": "false", "n": "false", "yes": "true", "on": "true", "y": "true"}
_MOST_SUGGESTED = 200
# ^ errors: beyond that nobody reads, and looking for near words would take seconds


def problems_of(error: ValidationError, source: Source) -> list[Problem]:
    """One Problem per value that the model refuses, but for values that hold a variable not set."""
    details = error.errors(include_url=False)[:_MOST_SUGGESTED]
    found = [_problem(entry, _path_of(entry), source) for entry in details]
    return [problem for path, problem in found if not _is_unset(path, source)]


def _path_of(details: ErrorDetails) -> KeyPath:
    """Where the error is: the model's place, and the part within the value that a validator of ours names."""
    context = details.get("ctx", {})
    inner = context["inner"] if "inner" in context else getattr(context.get("error"), "inner", ())
    outer = details["loc"][:-1] if context.get("beside") else details["loc"]
    return (*outer, *inner)


def _is_unset(path: KeyPath, source: Source) -> bool:
    return any(path[: len(unset)] == unset or unset[: len(path)] == path for unset in source.unset)


def _problem(details: ErrorDetails, path: KeyPath, source: Source) -> tuple[KeyPath, Problem]:
    kind, given = details["type"], details.get("input")
    key = dotted(path)
    if kind == "extra_forbidden":
        origin = _origin(path, source, of_key=True)
        return path, Problem(origin, key, _unknown_key(path, origin))
    if kind == "missing":
        return path, Problem(_origin(path, source), key, "is missing; every config needs it", is_incomplete=True)
    if kind in ("value_error", "incomplete"):
        refused = details.get("ctx", {}).get("error")
        words = details["msg"] if refused is None else str(refused)
        origin = _origin(path, source, of_key=bool(getattr(refused, "of_key", False)))
        hint = _hint(kind, None, "", origin) if kind == "incomplete" else ""
        return path, Problem(origin, key, f"{words}{hint}", is_incomplete=kind == "incomplete")
    origin = _origin(path, source)
    field = field_at(path)
    words = allowed_words(field) if field and kind not in _KIND_WORDS else _KIND_WORDS.get(kind, details["msg"])
    return path, Problem(origin, key, f"must be {words}, not {shown(given)}{_hint(kind, given, words, origin)}")


def _hint(kind: str, given: Any, allowed: str, origin: Origin) -> str:
    """What the writer probably meant."""
    behind = origin.text[max(0, origin.column - 1) :].lstrip()
    if given is None and behind.startswith("#"):
        return "; YAML takes what stands behind # for a comment: put the text in quotes"
    if given is None and not behind and origin.line:
        return "; nothing stands behind the colon"
    if kind == "bool_type" and str(given).lower() in _BOOLEAN_WORDS:
        return f"; '{given}' is a word in YAML 1.2: write {_BOOLEAN_WORDS[str(given).lower()]}"
    if kind == "literal_error" and isinstance(given, str):
        return did_you_mean(given, allowed.replace(" or ", ", ").split(", "))
    if kind == "model_type" and isinstance(given, str):
        return "; a key needs a colon and a blank behind it"
    if kind == "string_type" and isinstance(given, (int, float)):
        return "; put it in quotes"
    if isinstance(given, str) and not isinstance(read_scalar(given), str):
        return "; without quotes it is one" if read_scalar(given) is not None else ""
    return ""


def _unknown_key(path: KeyPath, origin: Origin) -> str:
    """`unknown key; did you mean ...?`, with the keys that are allowed there."""
    is_top_of_file = len(path) == 1 and origin.line and not origin.profile
    known = [*(fields_at(path[:-1]) or {}), *(["profiles"] if is_top_of_file else [])]
    word = str(path[-1])
    hint = _elsewhere(word) or did_you_mean(word, known)
    return f"unknown key{hint or ';'} allowed: {', '.join(known)}"


def _elsewhere(word: str) -> str:
    """`; did you mean 'flatten.k'?` when another section has this key."""
    for path in all_keys():
        if word == dotted(path):
            return f"; write '{path[-1]}' below '{dotted(path[:-1])}:';"
        if word == path[-1] and len(path) > 1:
            return f"; did you mean '{dotted(path)}'?"
    return ""


def _origin(path: KeyPath, source: Source, *, of_key: bool = False) -> Origin:
    """Where the value (or its key) was written; for what is missing, the innermost section around it."""
    first, second = (source.key_origins, source.origins) if of_key else (source.origins, source.key_origins)
    if path in first:
        return first[path]
    for length in range(len(path), -1, -1):
        origin = second.get(path[:length]) or source.key_origins.get(path[:length]) or source.origins.get(path[:length])
        if origin is not None:
            return origin
    return Origin("config", 0, 1)
