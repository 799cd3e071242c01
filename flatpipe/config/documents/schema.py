"""The model as a JSON Schema of draft-07, the vocabulary that YAML editors know: completion and hover text."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from flatpipe.config.models import Config
from flatpipe.places import SCHEMA

SCHEMA_FILE = Path(__file__).parents[1] / SCHEMA
# ^ committed, and in the wheel; pipeline.yaml names it for editors

_DRAFT = "http://json-schema.org/draft-07/schema#"
_OUR_WORDS = ("allowed", "limits", "unit", "written", "title")
# ^ in fields' extras for docs, no vocabulary of JSON Schema; and pydantic's titles, which only repeat the key

_LARGE = 1_000_000
_GROUPED_DIGITS = {"type": "string", "pattern": "^[0-9]+(_[0-9]+)+$"}
# ^ 200_000_000 is a text to an editor's YAML 1.2


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a config file; `${NAME}` in the place of a number is beyond it."""
    schema = Config.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs")
    meanings = {f"#/definitions/{name}": section["description"] for name, section in definitions.items()}
    sections = {name: _section(section, meanings) for name, section in definitions.items()}
    root = _section(schema, meanings)
    profile = {**deepcopy(root), "description": "Parts of a config, laid over the rest by --profile."}
    # ^ within a profile nothing is required: no section lists required keys of its own
    root["properties"]["input"]["not"] = {
        "properties": {name: {"type": "null", "description": "Needed, one of them."} for name in ("path", "list")}
    }
    # ^ not: left out, or null
    root["properties"]["input"]["type"] = "object"
    root["properties"]["profiles"] = {
        "type": ["object", "null"],
        "description": "Named parts of a config: --profile NAME lays one over the rest.",
        "additionalProperties": {"$ref": "#/definitions/Profile"},
    }
    return {
        "$schema": _DRAFT,
        "title": "flatpipe config",
        **root,
        "required": ["input"],
        "definitions": {**dict(sorted(sections.items())), "Profile": profile},
    }


def schema_text() -> str:
    """The schema as its file holds it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(schema: dict[str, Any], meanings: dict[str, str]) -> dict[str, Any]:
    """A section's schema: null stands for an empty one, and no key is required."""
    plain = {key: value for key, value in schema.items() if key not in (*_OUR_WORDS, "required")}
    properties = {name: _property(value, meanings) for name, value in schema["properties"].items()}
    return {**plain, "type": ["object", "null"], "properties": properties}


def _property(schema: dict[str, Any], meanings: dict[str, str]) -> dict[str, Any]:
    """A key's schema; draft-07 passes over what stands beside a $ref, so that one is wrapped.

    `meanings` tells what each section is for, by its reference.
    """
    plain = {key: value for key, value in schema.items() if key not in _OUR_WORDS}
    if "$ref" in plain:
        meaning = plain.get("description") or meanings[plain["$ref"]]
        return {"allOf": [{"$ref": plain["$ref"]}], "description": meaning}
    if schema.get("written") == "null":
        plain["default"] = None
    if plain.get("type") == "integer" and "const" not in plain and plain.get("maximum", _LARGE) >= _LARGE:
        bounds = {key: plain.pop(key) for key in ("type", "minimum", "maximum") if key in plain}
        plain["anyOf"] = [bounds, _GROUPED_DIGITS]
    unit, allowed = schema.get("unit"), schema.get("allowed")
    more = f" Unit: {unit}." if unit else f" Allowed: {allowed}." if allowed else ""
    return {**plain, "description": plain.get("description", "") + more}
