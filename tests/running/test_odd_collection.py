"""A collection of odd and broken files, through the real command."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Project

ODD = Path(__file__).parents[3] / "shared" / "images" / "odd"
BROKEN = {"xc1n0g08", "xc9n2c08", "xcrn0g04", "xd0n2c08", "xd3n2c08", "xd9n2c08", "xdtn0g01", "xhdn0g08", "xlfn0g04"}
BROKEN |= {"xs1n0g01", "xs2n0g01", "xs4n0g01", "xs7n0g01"}
# ^ PngSuite's x*.png but xcsn0g01, whose only fault is a checksum of its compressed data, which decoders pass over


@pytest.mark.skipif(not ODD.is_dir(), reason="PngSuite is not beside this checkout (../shared/images/odd)")
def test_every_odd_file_is_flattened_or_has_its_row(tmp_path: Path) -> None:
    """PngSuite and eight orientations: all valid files flattened, all broken ones refused, nothing missing, exit 1."""
    project = Project(tmp_path)
    project.configure(input={"path": str(ODD)}, flatten={"k": [2, 7]}, report={"enabled": False})
    done = project.flatpipe("run", "--no-progress")
    failed = {Path(row["image"]).stem: row["error"] for row in project.rows("failures.csv")}
    flattened = {row["image"] for row in project.rows("results.csv")}

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert set(failed) == BROKEN
    assert set(failed.values()) <= {"decoder-error", "not-an-image", "truncated"}
    assert len(flattened) + len(failed) == sum(path.is_file() for path in ODD.rglob("*"))


@pytest.mark.skipif(not ODD.is_dir(), reason="the orientation samples are not beside this checkout")
def test_orientations_come_out_upright(tmp_path: Path) -> None:
    """The eight EXIF orientations of one photograph have one shape, and the turned ones say so."""
    project = Project(tmp_path)
    project.configure(input={"path": str(ODD / "exif-orientation")}, flatten={"k": 4}, report={"enabled": False})
    project.flatpipe("run")
    rows = project.rows("results.csv")

    assert len(rows) == 8
    assert len({(row["width"], row["height"]) for row in rows}) == 1
    assert sum("rotated" in row["notes"] or "mirrored" in row["notes"] for row in rows) == 7
