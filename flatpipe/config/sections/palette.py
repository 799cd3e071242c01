"""The section on where palettes come from: of each image by itself, of many together, of a chart, of a brand."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, WithJsonSchema
from pydantic import model_validator as validates_model

from flatpipe.config.kinds import Patterns
from flatpipe.config.section import PaletteSource, Section, words
from flatpipe.config.values import ValueRefused, shown
from flatpipe.quantize.options import MAX_K, Space, Weighing
from flatpipe.vocabulary import Scope

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[^\W_][\w .-]{0,99}(?<![ .])")
_FIXED_KEYS = ("hex", "name", "code", "index")
_FIXED_ALLOWED = 'must be a colour such as "#0a2f5c", or a mapping with hex and, if wanted, name, code and index'
_HEX_SCHEMA = {"type": "string", "pattern": f"^{_HEX.pattern}$"}
_ENTRY_SCHEMA = {
    "type": "object",
    "properties": {
        "hex": {**_HEX_SCHEMA, "description": "the colour"},
        "name": {"type": "string", "description": "what it is called"},
        "code": {"type": "string", "description": "what it is ordered by"},
        "index": {
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_K - 1}, {"type": "null"}],
            "description": "its row in every palette",
        },
    },
    "required": ["hex"],
    "additionalProperties": False,
}
_COLOR_SCHEMA = {"anyOf": [_HEX_SCHEMA, _ENTRY_SCHEMA]}
_FIXED_SCHEMA = {"anyOf": [{"type": "array", "items": _COLOR_SCHEMA}, *_COLOR_SCHEMA["anyOf"]]}


class FixedEntry(Section):
    """A colour that is in every palette and never moves."""

    hex: str
    name: str = ""
    code: str = ""
    index: int | None = None
    # ^ the row that it has in every palette


def _parse_fixed(value: Any) -> Any:
    """The entries as mappings, checked; raises ValueRefused."""
    if isinstance(value, (str, dict)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise ValueRefused(f"must be a list of colours, not {shown(value)}")
    return tuple(_parse_entry(entry, row) for row, entry in enumerate(value))


def _parse_entry(entry: Any, row: int) -> dict[str, Any] | FixedEntry:
    if isinstance(entry, FixedEntry):
        return entry
    if entry is None:
        raise ValueRefused(f"{_FIXED_ALLOWED}; YAML takes a # for a comment: write the colour in quotes", row)
    given = {"hex": entry} if isinstance(entry, str) else entry
    if not isinstance(given, dict):
        raise ValueRefused(f"{_FIXED_ALLOWED}, not {shown(entry)}", row)
    for key, part in given.items():
        if key not in _FIXED_KEYS:
            raise ValueRefused(f"unknown key; a colour has {', '.join(_FIXED_KEYS)}", row, key, of_key=True)
        if not _is_part(key, part):
            raise ValueRefused(f"{_ALLOWED[key]}, not {shown(part)}", row, *([] if isinstance(entry, str) else [key]))
    if "hex" not in given:
        raise ValueRefused(f"{_FIXED_ALLOWED}; hex is missing", row)
    return {**given, "hex": given["hex"].lower()}


_ALLOWED = {
    "hex": 'must be a colour such as "#0a2f5c", a # and six digits in quotes',
    "name": "must be a text",
    "code": "must be a text; put numbers in quotes",
    "index": f"must be a whole number from 0 to {MAX_K - 1}, or null",
}


def _is_part(key: str, part: Any) -> bool:
    if key == "index":
        return part is None or (isinstance(part, int) and not isinstance(part, bool) and 0 <= part < MAX_K)
    return isinstance(part, str) and (key != "hex" or _HEX.fullmatch(part) is not None)


def _parse_groups(value: Any) -> Any:
    """Groups by names that can be folders; raises ValueRefused."""
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ValueRefused("is no name for a group: letters, digits, blanks, . _ and -", name, of_key=True)
    return value


Fixed = Annotated[tuple[FixedEntry, ...], BeforeValidator(_parse_fixed), WithJsonSchema(_FIXED_SCHEMA)]
Groups = Annotated[dict[StrictStr, Patterns], BeforeValidator(_parse_groups)]


class PaletteSection(Section):
    """Where palettes come from."""

    scope: Scope = "image"
    """Whose colours are clustered: of each image, of all images of a folder together, of the whole collection."""
    groups: Groups = Field(default_factory=dict, json_schema_extra=words("a mapping of names to patterns"))
    """Instead of scope: named groups of images with one palette each, by patterns as in input.include; first match."""
    from_: PaletteSource | None = Field(
        default=None, alias="from", json_schema_extra=words("a palette file, the name of a chart, or null")
    )
    """Use only colours of this palette file (.gpl .ase .aco .act .hex .pal .csv, indexed .png) or chart: the best k."""
    fixed: Fixed = Field(
        default=(), json_schema_extra=words("a list of colours, or of mappings with hex, name, code, index")
    )
    """Colours that are in every palette and never move; the others are found around them."""
    match: Space | None = None
    """Where the nearest colour is measured when pixels get the palette's: rgb or oklab; null: as flatten.space."""
    weigh: Weighing = "pixels"
    """What counts alike in a palette of many images: pixels, or images, so that a large one counts no more."""
    frozen: StrictBool = False
    """Whether the shared palettes that are there are kept, and new images get them too."""

    @validates_model(mode="after")
    def _is_one_way_of_sharing(self) -> PaletteSection:
        if self.groups and self.scope != "image":
            raise ValueRefused("scope and groups are given; choose one", "groups")
        if self.frozen and not self.is_shared:
            raise ValueRefused("only palettes that images share can be frozen: choose a scope or groups", "frozen")
        if len(self.fixed) > MAX_K:
            raise ValueRefused(f"{len(self.fixed)} colours are fixed; a palette has at most {MAX_K}", "fixed")
        colors = [entry.hex for entry in self.fixed]
        rows = [entry.index for entry in self.fixed if entry.index is not None]
        for number, entry in enumerate(self.fixed):
            if entry.hex in colors[:number]:
                raise ValueRefused(f"{entry.hex} is given twice", "fixed", number)
        if len(set(rows)) < len(rows):
            raise ValueRefused("two colours have the same index", "fixed")
        return self

    @property
    def is_shared(self) -> bool:
        """Whether images share palettes."""
        return bool(self.groups) or self.scope != "image"
