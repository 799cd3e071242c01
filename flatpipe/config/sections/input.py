"""The input section: which images to flatten."""

from __future__ import annotations

from pydantic import Field, StrictBool, field_validator
from pydantic_core import PydanticCustomError

from flatpipe.config.kinds import IMAGE_PATTERNS, Included, Patterns
from flatpipe.config.problems import KeyPath
from flatpipe.config.section import InputPlaces, Section, words
from flatpipe.vocabulary import Truncated, WhichFrames


class InputSection(Section):
    """Which images to flatten."""

    path: InputPlaces | None = Field(
        default=None,
        validate_default=True,
        json_schema_extra=words("a path or a URL, which may be a pattern, a list of them, or null"),
    )
    """Folder of images (searched through), an image file, a URL (s3://bucket/photos), a pattern, or a list of these."""
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
        """What path names, one by one and as it is written: paths, URLs and patterns; none where there is no path."""
        return (self.path,) if isinstance(self.path, str) else self.path or ()

    def key_of(self, row: int) -> KeyPath:
        """Where in the config one of the places stands."""
        return ("input", "path") if isinstance(self.path, str) else ("input", "path", row)

    @field_validator("path")
    @classmethod
    def _names_something(cls, path: str | tuple[str, ...] | None) -> str | tuple[str, ...]:
        if path is None:
            raise PydanticCustomError("incomplete", "is missing; every config needs it")
        return path
