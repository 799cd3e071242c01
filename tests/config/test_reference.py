"""pipeline.yaml and docs/config.md against the model that they are written from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from flatpipe.config import config_reference, load_config, parse_config
from flatpipe.config.annotated import pipeline_yaml
from flatpipe.config.fields import all_keys, allowed_words, default_as_written, field_at, plain_yaml, unit_of
from flatpipe.config.reference import write_files
from flatpipe.config.schema import SCHEMA_FILE
from flatpipe.config.source import read_source

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "pipeline.yaml"
DOCS = ROOT / "docs" / "config.md"
KEYS = list(all_keys())


def _every_key_shown() -> dict[str, Any]:
    """The values of pipeline.yaml with what is commented out put in: the cluster, but not the example of a profile."""
    text = PIPELINE.read_text(encoding="utf-8").partition("\nprofiles:")[0]
    kept = [line for line in text.splitlines() if not line.startswith("  cluster: null")]
    return read_source("\n".join(re.sub(r"^# (?=  )", "", line) for line in kept), "pipeline.yaml").values


def test_pipeline_yaml_says_the_defaults() -> None:
    """Loaded, pipeline.yaml is the config that its input.path alone gives."""
    bare = parse_config("input: {path: data/}", "c.yaml", str(ROOT)).config

    assert load_config(PIPELINE) == bare


@pytest.mark.parametrize("path", [path for path in KEYS if path != ("input", "path")], ids=".".join)
def test_pipeline_yaml_shows_every_key_at_its_default(path: tuple[str, ...]) -> None:
    """Each key of the model stands in pipeline.yaml, commented out at most, with its default beside it."""
    value: Any = _every_key_shown()
    for name in path:
        assert name in value
        value = value[name]
    field = field_at(path)

    assert field is not None
    expected = read_source(f"value: {default_as_written(field)}", "default").values["value"]
    assert value == (f"{expected}/" if path == ("output", "path") else expected)


def test_no_line_of_pipeline_yaml_is_wider_than_a_screen() -> None:
    """pipeline.yaml can be read without scrolling sideways."""
    assert max(map(len, PIPELINE.read_text(encoding="utf-8").splitlines())) <= 120


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_the_docs_tell_every_key(path: tuple[str, ...]) -> None:
    """docs/config.md has one row for each key: default, what is allowed with its unit, and the meaning."""
    field = field_at(path)
    assert field is not None
    rows = [
        line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{'.'.join(path)}` |")
    ]

    assert len(rows) == 1
    default = "none: needed" if field.is_required() else f"`{default_as_written(field)}`"
    cells = [cell.strip() for cell in rows[0].strip("|").split(" | ")]
    assert cells[1:] == [default, allowed_words(field), field.description]
    assert unit_of(field) in cells[2]


def test_what_is_committed_is_what_the_model_writes(tmp_path: Path) -> None:
    """`python -m flatpipe.config` would change neither docs/config.md nor pipeline.yaml nor the schema."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "flatpipe" / "config").mkdir(parents=True)
    write_files(tmp_path)

    for file in (DOCS, PIPELINE, SCHEMA_FILE):
        assert (tmp_path / file.relative_to(ROOT)).read_text(encoding="utf-8") == file.read_text(encoding="utf-8")
    assert config_reference() == DOCS.read_text(encoding="utf-8")
    assert pipeline_yaml() == PIPELINE.read_text(encoding="utf-8")


@pytest.mark.parametrize("profile", [None, "quick", "slurm"])
def test_the_docs_examples_load(profile: str | None) -> None:
    """The config of the docs, with each of its profiles, is one that flatpipe reads."""
    example = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    assert len(example) == 1
    config = parse_config(example[0], "c.yaml", "/folder", profile=profile).config
    assert config.flatten.k == ((2, 3, 4) if profile == "quick" else tuple(range(2, 16)))
    assert (config.execution.cluster is not None) == (profile == "slurm")


@pytest.mark.parametrize(
    "value", ["a b", "1", "no", "null", "true", "~", "#x", "a: b", "", " a", "a ", "*", 'a"b', "2-15"]
)
def test_a_text_written_by_hand_is_read_back(value: str) -> None:
    """What plain_yaml writes for a text is read as that very text."""
    assert read_source(f"key: {plain_yaml(value)}", "c.yaml").values == {"key": value}
