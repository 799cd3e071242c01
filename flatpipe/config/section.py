"""What all sections of the config share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictStr, ValidationInfo, WithJsonSchema, model_validator

from flatpipe.config.values import ValueRefused


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


def is_url(path: str) -> bool:
    """Whether the path is an address such as s3://bucket/photos."""
    return "://" in path


def _absolute(path: str, info: ValidationInfo) -> str:
    """The path from the config's folder; `~` is the home folder; URLs stay."""
    if "\0" in path:
        raise ValueRefused("a path cannot hold a NUL character")
    folder = (info.context or {}).get("folder")
    if folder is None or is_url(path):
        return path
    return os.path.normpath(Path(folder, os.path.expanduser(path)))  # noqa: PTH111 - Path's raises for an unknown ~user


def _local(path: str) -> str:
    if is_url(path):
        raise ValueRefused("must be a local path, not a URL")
    return path


def _not_empty(path: str) -> str:
    if not path.strip():
        raise ValueRefused("must not be empty")
    return path


_PATH_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"\S"})
_LOCAL_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^(?!.*://).*\S"})

PathOrUrl = Annotated[StrictStr, AfterValidator(_not_empty), AfterValidator(_absolute), _PATH_SCHEMA]
LocalPath = Annotated[
    StrictStr, AfterValidator(_not_empty), AfterValidator(_local), AfterValidator(_absolute), _LOCAL_SCHEMA
]
