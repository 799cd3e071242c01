"""What docs/config.md shows by hand: its example config and its listing of errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flatpipe.config import parse_config
from flatpipe.config.fields import plain_yaml
from flatpipe.config.source import read_source
from flatpipe.errors import ConfigError

DOCS = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("profile", [None, "quick", "slurm"])
def test_the_example_loads_with_each_of_its_profiles(profile: str | None) -> None:
    """The config of the docs, with each of its profiles, is one that flatpipe reads."""
    examples = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)

    assert len(examples) == 1
    config = parse_config(examples[0], "c.yaml", "/folder", profile=profile).config
    assert config.flatten.k == ((2, 3, 4) if profile == "quick" else tuple(range(2, 16)))
    assert (config.execution.cluster is not None) == (profile == "slurm")


def test_the_listing_of_errors_is_what_flatpipe_says() -> None:
    """The listing of the docs is, letter by letter, what such a config with such an override gives."""
    told = re.search(r"```text\nflatpipe: (.*?)\n```", DOCS, re.DOTALL)
    text = "input: {path: photos}\nflatten:\n  spce: oklab\n"

    assert told is not None
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "pipeline.yaml", "/folder", ["input.truncated=filled"])
    assert str(caught.value) == told[1]


@pytest.mark.parametrize(
    "value", ["a b", "1", "no", "null", "true", "~", "#x", "a: b", "", " a", "a ", "*", 'a"b', "2-15"]
)
def test_a_text_written_by_hand_is_read_back(value: str) -> None:
    """What stands in pipeline.yaml and the docs for a text is read as that very text."""
    assert read_source(f"key: {plain_yaml(value)}", "c.yaml").values == {"key": value}
