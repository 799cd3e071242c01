"""What all sections of the config share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from flatpipe.config.values import ValueRefused, shown
from flatpipe.palettes.charts import is_chart
from flatpipe.places import LOCAL_PROTOCOLS, PROTOCOLS, WRITABLE_PROTOCOLS, check_writable, is_local, place_of


class Section(BaseModel):
    """A mapping whose keys are all known, and which never changes; null stands for an empty one.

    A new key is one field: name, type, default and range; the docstring under it is its description everywhere
    (schema, docs/config.md, comments of pipeline.yaml).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        # ^ a section whose keys are all commented out
        return {} if value is None else value


def words(allowed: str, *, written: str = "", limits: str = "") -> dict[str, Any]:
    """`json_schema_extra` of a field whose range its type cannot tell: what is allowed, in words for docs.

    `written` is how pipeline.yaml writes the default, where that is not how the value looks once read; `limits` is
    the range of its numbers.
    """
    return {"allowed": allowed, "written": written, "limits": limits}


def words_of(choice: Any) -> dict[str, Any]:
    """`json_schema_extra` of a field that takes words of a Literal, one or some."""
    return words(f"{', '.join(get_args(choice))}, or a list of them")


def unit(name: str, *, written: str = "") -> dict[str, Any]:
    """`json_schema_extra` of a number: its unit."""
    return {"unit": name, "written": written}


def _place(text: str, info: ValidationInfo) -> str:
    """The place, a relative path from the config's folder."""
    return place_of(text, (info.context or {}).get("folder") or "")


def _local(text: str) -> str:
    if not is_local(text):
        raise ValueRefused("must be a local path, not a URL")
    return text


def _not_empty(path: str) -> str:
    if not path.strip():
        raise ValueRefused("must not be empty")
    return path


def _places(value: Any, info: ValidationInfo) -> str | tuple[str, ...]:
    """One place, or several of a list."""
    if not isinstance(value, (list, tuple)):
        return _one_of_places(value, info)
    if not value:
        raise ValueRefused("names no place")
    return tuple(_one_of_places(one, info, row) for row, one in enumerate(value))


def _plain_places(places: str | tuple[str, ...]) -> Any:
    return places if isinstance(places, str) else list(places)


def _one_of_places(value: Any, info: ValidationInfo, *row: int) -> str:
    if not isinstance(value, str):
        quotes = "; put it in quotes" if isinstance(value, (int, float)) else ""
        allowed = "a path or a URL" if row else "a path, a URL or a pattern, or a list of them"
        raise ValueRefused(f"must be {allowed}, not {shown(value)}{quotes}", *row)
    try:
        return _place(_not_empty(value), info)
    except ValueError as error:
        raise ValueRefused(str(error), *row) from error


def _schema(*protocols: str) -> WithJsonSchema:
    """The schema of a local path, as such or as a URL of this machine, or of a URL with one of the protocols."""
    return WithJsonSchema(_place_schema(*protocols))


def _place_schema(*protocols: str) -> dict[str, Any]:
    local = f"(?:{'|'.join(LOCAL_PROTOCOLS)})://(?:localhost)?/"
    kinds = [local, *(f"{protocol}://" for protocol in protocols), r"(?![^/]*://)[\s\S]*\S"]
    return {"type": "string", "pattern": f"^(?:{'|'.join(kinds)})"}


_Place = Annotated[StrictStr, AfterValidator(_not_empty), AfterValidator(_place)]
InputPlace = Annotated[_Place, _schema(*PROTOCOLS)]
_ONE_INPUT = _place_schema(*PROTOCOLS)
InputPlaces = Annotated[
    str | tuple[str, ...],
    PlainValidator(_places),
    PlainSerializer(_plain_places),
    WithJsonSchema({"anyOf": [_ONE_INPUT, {"type": "array", "items": _ONE_INPUT, "minItems": 1}]}),
]
OutputPlace = Annotated[_Place, AfterValidator(check_writable), _schema(*WRITABLE_PROTOCOLS)]
LocalPath = Annotated[StrictStr, AfterValidator(_not_empty), AfterValidator(_local), AfterValidator(_place), _schema()]


def _palette_source(text: str, info: ValidationInfo) -> str:
    """The word of a chart as it is, and a word that may have been meant for one; a file's path or URL as a place."""
    folder = (info.context or {}).get("folder") or ""
    is_word = "/" not in text and "." not in text and not Path(folder, text).exists()
    return text if is_chart(text) or is_word else _place(text, info)


PaletteSource = Annotated[StrictStr, AfterValidator(_not_empty), AfterValidator(_palette_source), _schema(*PROTOCOLS)]
