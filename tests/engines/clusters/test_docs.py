"""docs/clusters.md: what it shows can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from flatpipe.config import parse_config
from flatpipe.config.sections.cluster import KNOWN_CLUSTERS

PAGE = Path(__file__).parents[3] / "docs" / "clusters.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
PROFILES = {name: block for block in BLOCKS for name in yaml.safe_load(block)["profiles"]}


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_of_the_page_is_a_valid_config(name: str) -> None:
    """Laid over a minimal config, each profile is accepted."""
    text = f"input: {{path: photos}}\n{PROFILES[name]}"
    config = parse_config(text, "pipeline.yaml", "/work", profile=name).config

    assert config.execution.cluster is not None or config.output.path.startswith("s3://")


def test_every_known_class_has_a_profile() -> None:
    """No cluster class is accepted by name without an example on the page."""
    assert [known for known in KNOWN_CLUSTERS if f"class: {known}" not in "".join(BLOCKS)] == []


def test_links_within_the_page_lead_somewhere() -> None:
    """Each #anchor of the page is one of its headings."""
    text = PAGE.read_text()
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)
    }

    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings
