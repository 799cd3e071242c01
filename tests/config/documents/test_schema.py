"""The JSON Schema: in step with the model, of the vocabulary that editors know, and of one mind with the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from broken import table
from jsonschema import Draft7Validator

from flatpipe.config import json_schema, schema_text
from flatpipe.config.documents.schema import SCHEMA_FILE
from flatpipe.config.source import read_source
from flatpipe.config.syntax import SourceError

ROOT = Path(__file__).parents[3]

KEYWORDS = {
    *("$schema", "$ref", "title", "description", "default", "definitions", "type", "enum", "const", "pattern", "not"),
    *("properties", "additionalProperties", "required", "minProperties", "items", "minItems", "minLength"),
    *("minimum", "maximum", "exclusiveMinimum", "anyOf", "allOf"),
}
# ^ all of them words of draft-07


VALIDATOR = Draft7Validator(json_schema())


def _is_sound(values: object) -> bool:
    return bool(VALIDATOR.is_valid(values))


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, itself included."""
    if isinstance(schema, bool):
        return
    yield schema
    inner = [*schema.get("anyOf", []), *schema.get("allOf", []), schema.get("items", True), schema.get("not", True)]
    inner += [schema.get("additionalProperties", True)]
    inner += [*schema.get("properties", {}).values(), *schema.get("definitions", {}).values()]
    for part in inner:
        yield from _schemas(part)


def test_the_committed_schema_is_in_step() -> None:
    """The schema in the package is what the model gives today; `python -m flatpipe.config` writes it anew."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


def test_the_schema_keeps_to_draft_07() -> None:
    """The schema is valid, uses draft-07's words only, and puts nothing beside a $ref, where it is passed over."""
    Draft7Validator.check_schema(json_schema())
    for schema in _schemas(json_schema()):
        assert schema.keys() <= KEYWORDS
        assert "$ref" not in schema or len(schema) == 1


def test_every_key_has_a_description_to_hover_over() -> None:
    """Editors find a description at every key, profiles and their parts included."""
    for schema in _schemas(json_schema()):
        for name, value in schema.get("properties", {}).items():
            assert value.get("description") or name in ("min", "max"), name


def test_pipeline_yaml_names_its_schema_and_obeys_it() -> None:
    """The first line of pipeline.yaml leads editors to the committed schema, which accepts the file as they read it."""
    text = (ROOT / "pipeline.yaml").read_text(encoding="utf-8")
    place = text.splitlines()[0].partition("$schema=")[2]

    assert (ROOT / place).samefile(SCHEMA_FILE)
    assert _is_sound(read_source(text, "pipeline.yaml").values)
    as_editors_read_it = yaml.load(text, Loader=yaml.BaseLoader)["limits"]["max_pixels"]
    assert _is_sound({"input": {"path": "a"}, "limits": {"max_pixels": as_editors_read_it}})


BEYOND = {
    *(
        "a path with a NUL",
        "a k range that runs backwards",
        "a k range that is empty",
        "a k range in a list out of range",
    ),
    *("a cluster of nothing", "a cluster twice", "a cluster class of a stranger", "scale and adapt"),
    *("a scale for somebody else's cluster", "an output URL without a place for the ledger"),
    *(
        "a fade that takes longer than its frame",
        "several paths beside a list",
    ),
    *("a cluster that brings its own code", "a setting of Dask that names a module", "a keyword that is spelled wrong"),
    *("an option of a worker that names a module", "an infinite number of a cluster", "a password in a URL"),
    *("an infinite time", "a time that is no number", "a variable that is not set", "two variables that are not set"),
}
# ^ rules between keys, and within texts, that a schema of draft-07 does not tell


def test_broken_configs_break_the_schema_too() -> None:
    """Every config of the table that is YAML, and wrong by itself, is marked by editors, but for the rules listed."""
    accepted = set()
    for case in table():
        try:
            source = read_source(case.text, "c.yaml")
        except SourceError:
            continue
            # ^ no YAML: editors say so themselves
        if not source.problems and not case.argument and _is_sound(source.values):
            accepted.add(case.name)

    assert accepted == BEYOND
