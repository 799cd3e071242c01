"""A config as it resolved, with where each value came from."""

from __future__ import annotations

import json
from typing import Any

from flatpipe.config.load import LoadedConfig
from flatpipe.config.source import Path


def resolved_yaml(loaded: LoadedConfig) -> str:
    """YAML text of the whole config; each value is followed by its origin, or by "default"."""
    lines: list[str] = []
    _append_section(loaded, loaded.config.model_dump(mode="json"), (), lines)
    return "\n".join(lines)


def _append_section(loaded: LoadedConfig, section: dict[str, Any], path: Path, lines: list[str]) -> None:
    margin = "  " * len(path)
    for key, value in section.items():
        inner = (*path, key)
        if isinstance(value, dict):
            lines.append(f"{margin}{key}:")
            _append_section(loaded, value, inner, lines)
        else:
            lines.append(f"{margin}{key}: {json.dumps(value)}  # {_origin(loaded, inner)}")


def _origin(loaded: LoadedConfig, path: Path) -> str:
    origin = loaded.origins.get(path)
    if origin is None:
        return "default"
    return f"-s {origin.text}" if origin.file == "-s" else f"{origin.file}:{origin.line}"
