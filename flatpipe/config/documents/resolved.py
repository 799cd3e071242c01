"""A config as it resolved, with where each value came from."""

from __future__ import annotations

import json
from typing import Any

from flatpipe.config.fields import section_of
from flatpipe.config.load import LoadedConfig
from flatpipe.config.problems import KeyPath, Origin
from flatpipe.config.recording import AsWritten, unfilled
from flatpipe.config.scalars import escape_variables
from flatpipe.config.section import Section


def resolved_yaml(loaded: LoadedConfig) -> str:
    """YAML text of the whole config, loadable as it is; each value is followed by its origin, or by "default"."""
    written = {path: origin.written for path, origin in loaded.origins.items() if origin.written}
    plain = unfilled(loaded.config.model_dump(mode="json"), written)
    # ^ what a screen or a build's log shows is soon elsewhere: a password from the environment is not shown
    return "\n".join(_section_lines(loaded, loaded.config, plain, ()))


def _section_lines(loaded: LoadedConfig, section: Section, plain: dict[str, Any], path: KeyPath) -> list[str]:
    lines: list[str] = []
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        inner, margin = (*path, key), "  " * len(path)
        if section_of(field) is not None and value is not None:
            lines += [f"{margin}{key}:", *_section_lines(loaded, value, plain[key], inner)]
        else:
            lines.append(f"{margin}{key}: {yaml_of(plain[key])}  # {_origins(loaded, inner)}")
    return lines


def yaml_of(value: Any) -> str:
    """The value in YAML's flow style, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {yaml_of(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_of, value)) + "]"
    if isinstance(value, str):
        text = str(value) if isinstance(value, AsWritten) else escape_variables(value)
        return "".join(map(_written, json.dumps(text, ensure_ascii=False)))
    return json.dumps(value).replace("Infinity", ".inf").replace("NaN", ".nan")


def _written(character: str) -> str:
    """The character, or its escape when nobody could see it (JSON has done those below U+0020)."""
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def _origins(loaded: LoadedConfig, path: KeyPath) -> str:
    """Where the value was written, or its parts: a profile or an override may have changed one of them."""
    below = [place for place in loaded.origins if place[: len(path)] == path]
    inner = {place[:-1] for place in below}
    layers: dict[tuple[str, str, str], str] = {}
    for place in below:
        origin = loaded.origins[place]
        if place not in inner:
            layers.setdefault((origin.file, origin.profile, "" if origin.line else origin.text), _name(origin))
    return ", ".join(layers.values()) or "default"


def _name(origin: Origin) -> str:
    if origin.line:
        return f"{origin.file}:{origin.line}" + (f" (profile {origin.profile})" if origin.profile else "")
    text = f"{origin.file} {origin.text}"
    return text if text.isprintable() else ascii(text)
