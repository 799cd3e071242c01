"""What `--json` prints of a run: enough to go on with, in numbers of a sensible length."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from commands import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two images, one of them broken."""
    project = Project.make(tmp_path_factory.mktemp("json"), images=1)
    (project.folder / "photos" / "bad.png").write_bytes(b"nothing")
    return project


def test_an_image_has_file_quality_and_colours(project: Project) -> None:
    """Each flat of a line names its file, which is there, its PSNR and its colours; results.csv says the same."""
    lines = [json.loads(line) for line in project.flatpipe("run", "--json").stdout.splitlines()]
    images = {line["image"]: line for line in lines if line["event"] == "image"}
    rows = project.rows("results.csv")

    assert images["bad.png"]["flats"] == []
    assert [flat["file"] for flat in images["00.png"]["flats"]] == [row["file"] for row in rows]
    for flat, row in zip(images["00.png"]["flats"], rows, strict=True):
        assert math.isclose(flat["psnr"], float(row["psnr"]), rel_tol=1e-4)
        assert len(flat["colors"]) == flat["n_colors"] == int(row["n_colors"])
        assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in flat["colors"])
        assert (Path(project.out) / flat["file"]).stat().st_size == flat["bytes"]


@pytest.mark.parametrize(
    "arguments",
    [("run", "--force"), ("plan", "--estimate", "--force"), ("status",), ("explain", "00.png")],
    ids=" ".join,
)
def test_numbers_have_six_digits_at_most(arguments: tuple[str, ...], project: Project) -> None:
    """No fraction that a command prints has more digits than anybody has measured."""
    printed = project.flatpipe(*arguments, "--json").stdout
    fractions = re.findall(r"(?<![\w.\"-])\d+\.\d+(?:e-?\d+)?(?![\w.-])", printed)

    assert fractions
    assert [number for number in fractions if len(number.replace(".", "").strip("0").partition("e")[0]) > 6] == []
