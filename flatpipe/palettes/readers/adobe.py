"""Adobe's palettes: swatch exchange (.ase), Photoshop's swatches (.aco) and color tables (.act)."""

from __future__ import annotations

from collections.abc import Callable

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.readers.convert import Levels, of_cmyk, of_gray, of_hsb, of_lab, of_unit
from flatpipe.palettes.readers.gathering import Gathering
from flatpipe.palettes.readers.stream import Stream
from flatpipe.text import counted

CMYK = "of CMYK, converted by the plain formula: a palette file has no profile"
LAB = "of Lab, converted from D50"
CLIPPED = "of Lab beyond sRGB, replaced by the nearest level"
BROKEN_NAME = "with a name that is not UTF-16 throughout"

_GROUP, _GROUP_END, _COLOR = 0xC001, 0xC002, 0x0001
_MOST_BLOCKS = 262_144
# ^ of an ASE file: four for each colour that a palette may have
_MODELS = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"GRAY": 1}
# ^ numbers of 32 bits; programs differ in the case of the letters
_SLACK = 0.001
# ^ that a number may lie beyond its range: rounding, not another meaning
_BOOKS = {3: "Pantone", 4: "Focoltone", 5: "Trumatch", 6: "Toyo", 10: "HKS"}
ACT_SIZES = (768, 772)


def read_ase(content: bytes) -> Palette:
    """The swatches of an ASE file in their order, groups taken together; the title is that of a group alone."""
    stream, gathering, groups = Stream(content, 4), Gathering(), list[str]()
    major, minor, count = stream.numbers(">HHI", "the header")
    if (major, minor) != (1, 0):
        raise ConfigError(f"byte 4: version {major}.{minor} of the format is not known; 1.0 is")
    blocks = 0
    while stream.left:
        kind, length = stream.numbers(">HI", "the head of a block")
        block = stream.part(length, "a block")
        blocks += 1
        if blocks > _MOST_BLOCKS:
            raise ConfigError(f"byte {block.at:,}: it has more than {_MOST_BLOCKS:,} blocks")
        if kind == _GROUP and len(groups) < 2:
            groups.append(_counted_name(block, Gathering()))
        elif kind == _COLOR:
            _add_ase_color(block, gathering)
    if blocks < count:
        raise ConfigError(f"byte 8: it counts {counted(count, 'block')}, and ends after {blocks:,}")
    remarks = (f"its header counts {counted(count, 'block')}, {blocks:,} were there",) if blocks > count else ()
    return gathering.palette(groups[0] if len(groups) == 1 else "", *remarks)


def _add_ase_color(block: Stream, gathering: Gathering) -> None:
    title = _counted_name(block, gathering)
    at = block.at
    model = bytes(block.take(4, "a colour")).upper()
    if model not in _MODELS:
        raise ConfigError(f"byte {at:,}: {_shown(model)} is no model of colours; RGB, CMYK, LAB and Gray are")
    values = block.numbers(f">{_MODELS[model]}f", "a colour")
    gathering.add_titled(_levels(model, values, at, gathering), title)


def _levels(model: bytes, values: tuple[float, ...], at: int, gathering: Gathering) -> Levels:
    """The levels of an ASE colour; raises ConfigError for numbers that are none, or beyond their range."""
    ranges = {b"LAB ": ((0.0, 1.0), (-128.0, 128.0), (-128.0, 128.0))}.get(model, ((0.0, 1.0),) * len(values))
    for value, (least, most) in zip(values, ranges, strict=True):
        if not least - _SLACK <= value <= most + _SLACK:
            # ^ of NaN nothing is true
            raise ConfigError(
                f"byte {at:,}: {value:g} in a colour of {_shown(model)} lies beyond {least:g} to {most:g}"
            )
    if model == b"LAB ":
        return _of_lab(values[0] * 100, values[1], values[2], gathering)
    if model == b"CMYK":
        gathering.note(CMYK)
        return of_cmyk(values[0], values[1], values[2], values[3])
    return of_gray(values[0]) if model == b"GRAY" else of_unit(values[0], values[1], values[2])


def read_aco(content: bytes) -> Palette:
    """The swatches of an ACO file; where it has them twice, as Photoshop writes them, those with names."""
    stream = Stream(content)
    version, count = stream.numbers(">HH", "the header")
    if version == 1:
        plain = stream.part(10 * count, f"the list of {count:,} colours")
        if not stream.left:
            return _aco_colors(plain, count, has_names=False)
        version, count = stream.numbers(">HH", "the header of the named colours")
    if version != 2:
        raise ConfigError(f"byte {stream.at - 4:,}: version {version} of the format is not known; 1 and 2 are")
    return _aco_colors(stream, count, has_names=True)


def _aco_colors(stream: Stream, count: int, *, has_names: bool) -> Palette:
    gathering = Gathering()
    for _ in range(count):
        at = stream.at
        space, *values = stream.numbers(">5H", "a colour")
        levels = _aco_levels(space, values, at, gathering)
        title = ""
        if has_names:
            stream.take(2, "a name")
            title = _counted_name(stream, gathering)
        gathering.add_titled(levels, title)
    return gathering.palette()


def _aco_levels(space: int, values: list[int], at: int, gathering: Gathering) -> Levels:
    if space in _BOOKS:
        raise ConfigError(f"byte {at:,}: a colour of {_BOOKS[space]} is a number in a book, not sRGB; {_SPACES_KNOWN}")
    if space not in _SPACES:
        raise ConfigError(f"byte {at:,}: colour space {space} is not known; {_SPACES_KNOWN}")
    if space in (7, 8, 9) and max(values[: 4 if space == 9 else 1]) > 10_000:
        raise ConfigError(f"byte {at:,}: {max(values):,} in a colour of space {space} lies beyond 0 to 10,000")
    return _SPACES[space](values, gathering)


def _of_rgb16(values: list[int], _gathering: Gathering) -> Levels:
    red, green, blue = (value >> 8 if value & 0xFF == 0 else round(value / 257) for value in values[:3])
    # ^ 255 is 65535 to Photoshop and 65280 to those that move it by 8 bits
    return red, green, blue


def _of_hsb16(values: list[int], _gathering: Gathering) -> Levels:
    return of_hsb(values[0] / 65535, values[1] / 65535, values[2] / 65535)


def _of_cmyk16(values: list[int], gathering: Gathering) -> Levels:
    gathering.note(CMYK)
    cyan, magenta, yellow, black = (1 - value / 65535 for value in values)
    # ^ 0 is all ink
    return of_cmyk(cyan, magenta, yellow, black)


def _of_lab16(values: list[int], gathering: Gathering) -> Levels:
    a, b = (value - 65536 if value > 32767 else value for value in values[1:3])
    return _of_lab(values[0] / 100, a / 100, b / 100, gathering)


def _of_gray16(values: list[int], _gathering: Gathering) -> Levels:
    return of_gray(1 - values[0] / 10_000)
    # ^ Photoshop's grey is ink, as GIMP reads it too: 10,000 is black


def _of_wide_cmyk(values: list[int], gathering: Gathering) -> Levels:
    gathering.note(CMYK)
    cyan, magenta, yellow, black = (1 - value / 10_000 for value in values)
    return of_cmyk(cyan, magenta, yellow, black)


_SPACES: dict[int, Callable[[list[int], Gathering], Levels]] = {
    **{0: _of_rgb16, 1: _of_hsb16, 2: _of_cmyk16},
    **{7: _of_lab16, 8: _of_gray16, 9: _of_wide_cmyk},
}
_SPACES_KNOWN = "RGB, HSB, CMYK, Lab and grey are read"


def _of_lab(lightness: float, a: float, b: float, gathering: Gathering) -> Levels:
    found = of_lab(lightness, a, b)
    gathering.note(CLIPPED if found.is_clipped else LAB)
    return found.levels


def _counted_name(stream: Stream, gathering: Gathering) -> str:
    """A name behind the number of its 16-bit units, closing zero included."""
    name = stream.utf16(stream.numbers(">H", "the length of a name")[0])
    if "\ufffd" in name:
        gathering.note(BROKEN_NAME)
    return name


def read_act(content: bytes) -> Palette:
    """The colours of a color table: 256, or as many as the four bytes behind them say."""
    if len(content) not in ACT_SIZES:
        raise ConfigError(f"a color table (.act) has 768 or 772 bytes, and this file {len(content):,}")
    count, transparent = 256, 0xFFFF
    if len(content) == 772:
        count, transparent = Stream(content, 768).numbers(">HH", "the count")
    if not 1 <= count <= 256:
        raise ConfigError(f"byte 768: it says that it has {count:,} colours; 1 to 256 are allowed")
    gathering = Gathering()
    for row in range(count):
        red, green, blue = content[3 * row : 3 * row + 3]
        gathering.add((red, green, blue))
    remarks = (f"row {transparent} is transparent there, and read as its colour",) if transparent < count else ()
    return gathering.palette("", *remarks)


def is_aco(content: bytes) -> bool:
    """Whether bytes without a sign of their own have the lengths that an ACO file has."""
    if len(content) < 14 or content[0] != 0 or content[1] not in (1, 2):
        return False
    count = int.from_bytes(content[2:4], "big")
    end = 4 + 10 * count
    return count > 0 and (content[1] == 2 or len(content) == end or content[end : end + 2] == b"\0\2")


def _shown(model: bytes) -> str:
    return ascii(model.decode("latin-1").strip())
