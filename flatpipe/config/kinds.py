"""Kinds of values that a config may write in more than one way: how each is read, and its JSON Schema."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, PlainSerializer, StrictStr, WithJsonSchema

from flatpipe.config.values import (
    MOST_WORKERS,
    TARGET_PATTERN,
    ValueRefused,
    parse_alpha,
    parse_bytes,
    parse_failures,
    parse_k_or_auto,
    parse_target,
    parse_workers,
    shown,
    shown_share,
)
from flatpipe.quantize.options import MAX_K, Metric
from flatpipe.vocabulary import PaletteFormat

IMAGE_PATTERNS = (
    "**/*.{jpg,jpeg,jpe,jfif,png,apng,gif,webp,tif,tiff,avif,avifs,heic,heif,hif,mpo,jp2,j2k,jpf,jpx,jpc,j2c}",
    "**/*.{bmp,dib,tga,icb,vda,vst,ppm,pgm,pbm,pnm,pfm,psd,qoi,dds,ico,cur,icns,pcx,dcx,sgi,rgb,rgba,bw,ras,sun}",
    "**/*.{fli,flc,xbm,xpm,msp}",
)
# ^ what the decoders read, whatever the case of the name
IMAGE_SUFFIXES = frozenset(word for pattern in IMAGE_PATTERNS for word in re.findall(r"\w+", pattern.partition("{")[2]))
# ^ the same as suffixes, without their dots


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _all_images(value: Any) -> Any:
    return IMAGE_PATTERNS if value is None else _as_tuple(value)


def _parse_version(value: Any) -> Any:
    if isinstance(value, bool) or value != 1:
        raise ValueRefused(f"this flatpipe reads version 1, not {shown(value)}")
    return 1


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*schema["anyOf"], {"type": "null"}]}


def _one_or_more(words: Any) -> WithJsonSchema:
    """The schema of a word out of a Literal, or a list of such words."""
    word = {"enum": list(get_args(words))}
    return WithJsonSchema({"anyOf": [{"type": "array", "items": word}, word]})


_ONE_K = {"type": "integer", "minimum": 1, "maximum": MAX_K}
_K_TEXT = {"type": "string", "pattern": r"^\s*\d+(\s*(-|\.\.)\s*\d+)?\s*(,\s*\d+(\s*(-|\.\.)\s*\d+)?\s*)*$"}
_K_RANGE = {"type": "object", "properties": {"min": _ONE_K, "max": _ONE_K}, "additionalProperties": False}
_K_LIST = {"type": "array", "items": {"anyOf": [_ONE_K, _K_TEXT]}, "minItems": 1}
_K_AUTO = {"type": "string", "pattern": rf"^\s*auto\s*(:\s*{TARGET_PATTERN}\s*)?$"}
_K_ALL = {"type": "string", "pattern": r"^\s*all\s*$"}
_K_SCHEMA = {"anyOf": [_ONE_K, _K_LIST, _K_RANGE, _K_TEXT, _K_AUTO, _K_ALL]}
_TARGET_SCHEMA = {"type": "string", "pattern": rf"^\s*{TARGET_PATTERN}\s*$"}
_ALPHA_SCHEMA = {"anyOf": [{"enum": ["keep"]}, {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}]}
_WORKERS_SCHEMA = {"anyOf": [{"enum": ["auto"]}, {"type": "integer", "minimum": 1, "maximum": MOST_WORKERS}]}
_SHARE = {"type": "string", "pattern": r"^\s*(100(\.0*)?|\d?\d(\.\d+)?)\s*%\s*$"}
_FAILURES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, _SHARE, {"type": "null"}]}
_SIZE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?)?[bB]\s*$"}
_BYTES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 64 * 2**20}, _SIZE]}
_PATTERNS_SCHEMA = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}

Version = Annotated[Literal[1], BeforeValidator(_parse_version)]
Patterns = Annotated[tuple[StrictStr, ...], BeforeValidator(_as_tuple), WithJsonSchema(_PATTERNS_SCHEMA)]
PaletteFormats = Annotated[tuple[PaletteFormat, ...], BeforeValidator(_as_tuple), _one_or_more(PaletteFormat)]
Metrics = Annotated[tuple[Metric, ...], BeforeValidator(_as_tuple), _one_or_more(Metric)]
Included = Annotated[tuple[StrictStr, ...], BeforeValidator(_all_images), WithJsonSchema(_or_null(_PATTERNS_SCHEMA))]
Ks = Annotated[tuple[int, ...] | str, BeforeValidator(parse_k_or_auto), WithJsonSchema(_K_SCHEMA)]
Target = Annotated[str, BeforeValidator(parse_target), WithJsonSchema(_TARGET_SCHEMA)]
Alpha = Annotated[str, BeforeValidator(parse_alpha), WithJsonSchema(_ALPHA_SCHEMA)]
Workers = Annotated[int | Literal["auto"], BeforeValidator(parse_workers), WithJsonSchema(_WORKERS_SCHEMA)]
MaxFailures = Annotated[
    int | float | None,
    BeforeValidator(parse_failures),
    PlainSerializer(shown_share, when_used="json"),
    WithJsonSchema(_FAILURES_SCHEMA),
]
Bytes = Annotated[int, BeforeValidator(parse_bytes), WithJsonSchema(_BYTES_SCHEMA)]
