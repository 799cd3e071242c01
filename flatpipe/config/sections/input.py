"""The input section: which images to flatten."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flatpipe.config.kinds import IMAGE_PATTERNS, Included, Patterns
from flatpipe.config.problems import KeyPath
from flatpipe.config.section import InputPlace, InputPlaces, Section, words
from flatpipe.vocabulary import Truncated, WhichFrames


class InputSection(Section):
    """Which images to flatten."""

    path: InputPlaces | None = Field(
        default=None, json_schema_extra=words("a path or a URL, which may be a pattern, a list of them, or null")
    )
    """Folder of images (searched through), an image file, a URL (s3://bucket/photos), a pattern, or a list of these."""
    list: InputPlace | None = Field(
        default=None, validate_default=True, json_schema_extra=words("a path or a URL, or null")
    )
    """Text, CSV or TSV file of paths and URLs, one a line; relative ones start at path, or else at its folder."""
    column: Annotated[StrictStr, Field(min_length=1)] | None = Field(
        default=None, json_schema_extra=words("the name of a column, or null")
    )
    """Column of such a CSV or TSV, or of Parquet files, that has the images; null: the one that is called so."""
    include: Included = Field(
        default=IMAGE_PATTERNS, json_schema_extra=words("a pattern, a list of them, or null", written="null")
    )
    """Patterns of files to take (** crosses folders, {a,b}, any case); null: all images."""
    exclude: Patterns = Field(default=(), json_schema_extra=words("a pattern, or a list of them"))
    """Patterns of files to leave out."""
    follow_symlinks: StrictBool = False
    """Whether links may lead out of path, and into other folders."""
    frames: WhichFrames = "first"
    """Of a file with several frames or pages: first, or all, each as an image of its own."""
    truncated: Truncated = "fail"
    """A file that ends too early: fail it, or fill what is missing."""

    @property
    def places(self) -> tuple[str, ...]:
        """What path names, one by one and as it is written: paths, URLs and patterns; none beside a list."""
        if self.list is not None:
            return ()
        return (self.path,) if isinstance(self.path, str) else self.path or ()

    def key_of(self, row: int) -> KeyPath:
        """Where in the config one of the places stands."""
        return ("input", "path") if isinstance(self.path, str) else ("input", "path", row)

    @field_validator("list")
    @classmethod
    def _fits_the_path(cls, place: str | None, info: ValidationInfo) -> str | None:
        path = info.data.get("path", "")
        # ^ "": it is refused itself
        if place is None and path is None:
            words = "is missing; every config needs it, or input.list"
            raise PydanticCustomError("incomplete", words, {"inner": ("path",), "beside": True})
        if place is not None and isinstance(path, tuple):
            words = "names several places; beside input.list it is the one at which relative entries start"
            raise PydanticCustomError("value_error", words, {"inner": ("path",), "beside": True})
        return place
