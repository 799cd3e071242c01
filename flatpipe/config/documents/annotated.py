"""The reference config, written from the model: every key at its default, with its meaning beside it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from pydantic.fields import FieldInfo

from flatpipe.config.fields import (
    default_as_written,
    field_at,
    fields_at,
    number_range,
    section_of,
    unit_of,
)

_COMMENT_COLUMN = 33
_WIDTH = 120
_SECTION_PLACES = {"input.path": "data/", "output.path": "outputs/"}

_SCHEMA = "# yaml-language-server: $schema=flatpipe/config/flatpipe.schema.json\n"
_HEAD = """\
# `flatpipe run` does what this file says. Every key is shown at its default, but for input.path, which has none.
# Paths are relative to this file; "${NAME}" in a text is the environment's"""
_PROFILES = """
profiles: {}                     # named parts of a config; `flatpipe run --profile slurm` lays one over the rest
# profiles:
#   slurm:
#     execution:
#       cluster:
#         class: dask_jobqueue.SLURMCluster
#         kwargs: {cores: 8, processes: 8, memory: 32 GB, walltime: "01:00:00"}
#         adapt: {minimum_jobs: 1, maximum_jobs: 10}
"""


def pipeline_yaml() -> str:
    """The text of the repository's pipeline.yaml."""
    return f"{_SCHEMA}{_HEAD}; docs/config.md tells the rest.\n{_body()}"


def every_key_yaml() -> str:
    """The same for somebody who has no docs/ and no checkout."""
    return f"{_HEAD}.\n{_body()}"


def _body() -> str:
    return "\n".join(_section_lines((), "")) + "\n" + _PROFILES


def key_line(path: tuple[str, ...], written: str, margin: str) -> str:
    """`key: value   # meaning`, the meaning wrapped below itself when it is long."""
    field = field_at(path)
    assert field is not None, path
    return beside(f"{margin}{path[-1]}: {written}", comment_on(field))


def beside(text: str, comment: str) -> str:
    """The text with a comment in the comments' column."""
    lines = wrap(comment, _WIDTH - _COMMENT_COLUMN - 2, break_long_words=False, break_on_hyphens=False)
    margin = "#" if text.startswith("#") else " "
    starts = [text.ljust(_COMMENT_COLUMN - 1) + " ", *[margin.ljust(_COMMENT_COLUMN)] * (len(lines) - 1)]
    return "\n".join(f"{start}# {line}" for start, line in zip(starts, lines, strict=True))


def comment_on(field: FieldInfo) -> str:
    """What the key means, and the range and unit of a number: "How long each k is shown; 20..60000 milliseconds"."""
    meaning = (field.description or "").removesuffix(".")
    limits = f"{number_range(field)} {unit_of(field)}".strip()
    return f"{meaning}; {limits}" if limits else meaning


def _section_lines(path: tuple[str, ...], margin: str) -> Iterator[str]:
    for name, field in (fields_at(path) or {}).items():
        inner = (*path, name)
        section = section_of(field)
        if section is None:
            yield key_line(inner, _SECTION_PLACES.get(".".join(inner)) or default_as_written(field), margin)
        elif field.get_default(call_default_factory=True) is None:
            yield key_line(inner, "null", margin)
            yield f"# {margin}{name}:"
            yield from _section_lines(inner, f"# {margin}  ")
        else:
            title = beside(f"{margin}{name}:", (section.__doc__ or "").removesuffix("."))
            yield title if path else f"\n{title}"
            yield from _section_lines(inner, f"{margin}  ")
