"""What follows from the outputs that a config asks for: whether they have a gallery."""

from __future__ import annotations

from typing import Any

import pytest

from flatpipe.config import Config, parse_config
from flatpipe.proof.recorded import config_yaml


def _config(**sections: dict[str, Any]) -> Config:
    return Config.model_validate({"input": {"path": "/photos"}, **sections}, context={"folder": "/here"})


@pytest.mark.parametrize("flats", ["best", "none"])
@pytest.mark.parametrize("report", [{}, {"enabled": True}], ids=["by default", "as a starter writes it"])
def test_without_all_flats_there_is_no_gallery(flats: str, report: dict[str, bool]) -> None:
    """A report gives way, in words; false needs none; and what a run keeps of it reads back as it was."""
    config = _config(output={"flats": flats}, report=report)
    kept = parse_config(config_yaml(config), "config.yaml", "/elsewhere").config

    assert _config().has_report
    assert not config.has_report
    assert f"output.flats is {flats}" in config.why_no_report
    assert not _config(output={"flats": flats}, report={"enabled": False}).has_report
    assert not kept.has_report
    assert kept.recorded() == config.recorded()
