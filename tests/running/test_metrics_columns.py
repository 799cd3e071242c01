"""output.metrics, as a user meets it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from commands import Project
from PIL import Image

ALL = "output.metrics=[mse, psnr, ssim, ciede2000]"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two small images, k 2..4, and no animation."""
    return Project.make(tmp_path, images=2, animation={"enabled": False})


def pixels_of(path: Path) -> np.ndarray:
    """Decoded pixels (H, W, 3) of an image file, by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_measures_are_taken_when_they_are_asked_for(project: Project) -> None:
    """ssim and ciede2000 are empty by default; asked for later they are those of scikit-image, and no byte changes."""
    from skimage import color, metrics

    project.flatpipe("run")
    assert {(row["ssim"], row["ciede2000"]) for row in project.rows("results.csv")} == {("", "")}
    before = project.digests()
    planned = project.flatpipe("plan", "-s", ALL).stdout
    done = project.flatpipe("run", "-s", ALL)

    assert "metrics added" in planned
    assert "6 flat images in" in done.stdout, done.stderr
    assert project.digests() == before
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    for row in project.rows("results.csv"):
        first, second = pixels_of(project.folder / "photos" / row["image"]), pixels_of(project.out / row["file"])
        gap = color.deltaE_ciede2000(color.rgb2lab(first), color.rgb2lab(second)).mean()
        similarity = metrics.structural_similarity(first, second, channel_axis=-1, **window)
        assert float(row["ciede2000"]) == pytest.approx(gap, rel=1e-5)
        assert float(row["ssim"]) == pytest.approx(similarity, abs=2e-6)


def test_measures_are_taken_once(project: Project) -> None:
    """A rerun has nothing to do, with fewer measures too; then only those that are asked for are shown."""
    Image.new("RGB", (8, 9), "red").save(project.folder / "photos" / "00.png")
    project.flatpipe("run", "-s", ALL)
    rows = {(row["image"], row["k"]): row for row in project.rows("results.csv")}
    done = project.flatpipe("run", "-s", "output.metrics=ciede2000")

    assert "nothing to do" in done.stdout
    assert rows["00.png", "2"]["ssim"] == ""
    assert float(rows["00.png", "2"]["ciede2000"]) == 0
    assert 0 < float(rows["01.png", "2"]["ssim"]) < 1
    assert [row["ssim"] for row in project.rows("results.csv")] == [""] * 6
    assert all(row["ciede2000"] for row in project.rows("results.csv"))


def test_a_ledger_without_measures_is_still_read(project: Project) -> None:
    """A ledger of the version before is taken over: nothing is due, until measures are asked for."""
    project.flatpipe("run")
    with sqlite3.connect(project.out / "ledger.sqlite") as ledger:
        ledger.execute("ALTER TABLE flats DROP COLUMN metrics")
        ledger.execute("PRAGMA user_version = 2")
    ledger.close()

    assert project.flatpipe("verify").returncode == 0
    assert "nothing to do" in project.flatpipe("run").stdout
    assert "6 flat images in" in project.flatpipe("run", "-s", ALL).stdout
