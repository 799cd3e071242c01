"""What a swatch is called in files that have one text for it: name, code and share in, name and code out again."""

from __future__ import annotations

import re

from flatpipe.palettes.palette import PaletteColor

LONGEST = 255
# ^ characters of a name or code: ASE and ACO count them in 16 bits, and no program shows more
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
# ^ control characters, line ends, and what turns the direction of the text that follows
_NO_TEXT = re.compile(r"[\ud800-\udfff]")
_SHARE = re.compile(r" \(\d+\.\d\d%\)$")
_CODE = re.compile(r"(?:(.*) )?\[([^\[\]]*)\]")
_IN_CODE = str.maketrans("[]", "()")


def cleaned(text: str) -> str:
    """A name that any file and terminal takes: one line, without control characters, of 255 characters at most."""
    return _NO_TEXT.sub("\ufffd", _UNSHOWN.sub(" ", text)).strip()[:LONGEST].strip()


def cleaned_code(text: str) -> str:
    """The same of a code, in which brackets are round: square ones tell it from the name."""
    return cleaned(text).translate(_IN_CODE)


def title_of(color: PaletteColor, share: float | None = None) -> str:
    """`Black [310] (12.34%)`; without name and code the colour itself, `#000000`; without a share no percentage."""
    words = called(color)
    if words and named(words, color.hex) != (cleaned(color.name), cleaned_code(color.code)):
        words += " []"
        # ^ a name that ends as if it had a code
    return f"{words or color.hex}" if share is None else f"{words or color.hex} ({share:.2%})"


def called(color: PaletteColor) -> str:
    """`Black [310]`, as people are told of it; "" without name and code."""
    code = cleaned_code(color.code)
    return f"{cleaned(color.name)} [{code}]".lstrip() if code else cleaned(color.name)


def named(title: str, color: str) -> tuple[str, str]:
    """Name and code that such a title gives to a colour "#rrggbb"; each may be empty."""
    words = _SHARE.sub("", cleaned(title))
    if words.lower() == color:
        return "", ""
    found = _CODE.fullmatch(words)
    return (found[1] or "", found[2]) if found else (words, "")
