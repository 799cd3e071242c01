"""What is written from the model: pipeline.yaml and docs/config.md, and where the schema lies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from flatpipe.config import Config, config_reference, load_config, parse_config
from flatpipe.config.documents.annotated import pipeline_yaml
from flatpipe.config.documents.schema import SCHEMA_FILE
from flatpipe.config.fields import all_keys, allowed_words, default_as_written, field_at

ROOT = Path(__file__).parents[3]
PIPELINE = (ROOT / "pipeline.yaml").read_text(encoding="utf-8")
KEYS = list(all_keys())


@pytest.mark.parametrize(("place", "text"), [
    ("pipeline.yaml", pipeline_yaml()),
    ("docs/config.md", config_reference()),
])  # fmt: skip
def test_what_is_written_from_the_model_is_in_step(place: str, text: str) -> None:
    """The committed files are what the model gives today; `python -m flatpipe.config` writes them anew."""
    assert (ROOT / place).read_text(encoding="utf-8") == text


def test_pipeline_yaml_holds_the_defaults() -> None:
    """pipeline.yaml loads, and but for the two paths every value in it is the default."""
    config = load_config(ROOT / "pipeline.yaml")
    least = parse_config(f"input: {{path: {ROOT}/data}}\noutput: {{path: {ROOT}/outputs}}", "c.yaml", "/").config

    assert config == least


@pytest.mark.parametrize("path", [path for path in KEYS if path[:2] != ("execution", "cluster")], ids=".".join)
def test_pipeline_yaml_shows_the_key(path: tuple[str, ...]) -> None:
    """Each key of this machine's part stands in pipeline.yaml, with its meaning behind it."""
    value: Any = yaml.load(PIPELINE, Loader=yaml.BaseLoader)
    for part in path:
        value = value[part]
    shown = re.search(rf"^ *{path[-1]}: .* # \w", PIPELINE, re.MULTILINE)

    assert shown is not None


def test_the_cluster_s_part_of_pipeline_yaml_can_be_uncommented() -> None:
    """Without its comment signs the cluster's part is a cluster with every key at its default, waiting for a choice."""
    part = re.search(r"(?<=null: this machine alone\n)(?:#.*\n)+", PIPELINE)
    assert part is not None
    text = re.sub(r"^# ", "", part[0].replace("address: null", "address: tcp://h:1"), flags=re.MULTILINE)
    cluster = parse_config(f"input: {{path: a}}\nexecution:\n{text}", "c.yaml", "/").config.execution.cluster
    plain = parse_config('input: {path: a}\nexecution: {cluster: {address: "tcp://h:1"}}', "c.yaml", "/").config

    assert cluster == plain.execution.cluster
    shown = set(re.findall(r"(\w+):", "\n".join(line.partition(" #")[0] for line in text.splitlines())))
    assert {path[-1] for path in KEYS if path[:2] == ("execution", "cluster") and len(path) > 2} <= shown


def test_the_profile_of_pipeline_yaml_can_be_uncommented() -> None:
    """The example profile works once its comment signs are gone."""
    part = PIPELINE[PIPELINE.index("# profiles:\n") :]
    text = "input: {path: a}\n" + re.sub(r"^# ", "", part, flags=re.MULTILINE)
    cluster = parse_config(text, "c.yaml", "/", profile="slurm").config.execution.cluster

    assert cluster is not None
    assert cluster.class_ == "dask_jobqueue.SLURMCluster"


def test_lines_of_written_files_fit() -> None:
    """No line of pipeline.yaml is wider than 120 characters."""
    assert max(map(len, PIPELINE.splitlines())) <= 120


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_is_documented(path: tuple[str, ...]) -> None:
    """docs/config.md has a row for each key, with its default, what is allowed, and its meaning."""
    field = field_at(path)
    assert field is not None
    row = re.search(rf"^\| `{re.escape('.'.join(path))}` \| (.*) \| (.*) \| (.*) \|$", config_reference(), re.MULTILINE)

    assert row is not None
    assert row[1] == (f"`{default_as_written(field)}`" if not field.is_required() else "none: needed")
    assert row[2] == allowed_words(field)
    assert len(row[3]) > 10


def _nested(path: tuple[str, ...], inner: str) -> str:
    """The least config around a key; its section has what makes it sound without the key."""
    for name in reversed(path[:-1]):
        sound = {"input": "path: a", "cluster": "scheduler_file: f" if path[-1] == "address" else "address: a"}
        inner = f"{name}: {{{', '.join(filter(None, (sound.get(name), inner)))}}}"
    return inner + ("" if path[0] == "input" else "\ninput: {path: a}\n")


@pytest.mark.parametrize("path", [path for path in KEYS if path != ("input", "path")], ids=".".join)
def test_a_default_as_written_is_the_default(path: tuple[str, ...]) -> None:
    """What the documents show as a key's default gives the default when it is written into a config."""
    field = field_at(path)
    assert field is not None
    written = parse_config(_nested(path, f"{path[-1]}: {default_as_written(field)}"), "c.yaml", "/").config

    assert written == parse_config(_nested(path, ""), "c.yaml", "/").config


def test_every_choice_is_explained() -> None:
    """A key with choices names each of them in its meaning, so that pipeline.yaml shows what may be written."""
    for path in KEYS:
        field = field_at(path)
        assert field is not None
        if get_origin(field.annotation) is Literal and path != ("version",):
            assert all(word in (field.description or "") for word in get_args(field.annotation)), path


def test_the_schema_lies_in_the_package() -> None:
    """The schema that pipeline.yaml names lies in the package, so that the wheel carries it."""
    assert SCHEMA_FILE.parent == ROOT / "flatpipe" / "config"
    assert Config.__doc__ in SCHEMA_FILE.read_text(encoding="utf-8")
