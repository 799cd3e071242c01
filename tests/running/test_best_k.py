"""flatten.k: auto, as a user meets it: every k is made, the one that was asked for is best.png."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import write_image
from commands import Project

AUTO = {"k": "auto", "auto": {"max": 6}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two small images, k 2..6, the knee asked for."""
    return Project.make(tmp_path, images=2, flatten=AUTO)


def suggested(project: Project) -> dict[str, dict[str, str]]:
    """The marked row of results.csv, by image."""
    rows = [row for row in project.rows("results.csv") if row["suggested"] == "1"]
    assert len({row["image"] for row in rows}) == len(rows) == 2
    return {row["image"]: row for row in rows}


def best_of(project: Project, image: str) -> bytes:
    """Bytes of an image's best.png."""
    return (project.out / "images" / image / "best.png").read_bytes()


def test_the_suggested_flat_is_also_best_png(project: Project) -> None:
    """k: auto makes every k up to max, and best.png is byte for byte the flat that results.csv marks."""
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stderr
    assert [row["k"] for row in project.rows("results.csv")] == [*"23456"] * 2
    for image, row in suggested(project).items():
        assert best_of(project, image) == (project.out / row["file"]).read_bytes()
        assert row["notes"] == ""
    assert "nothing to do" in project.flatpipe("run").stdout


def test_a_target_in_decibels_is_the_smallest_k_that_reaches_it(project: Project) -> None:
    """With psnr>=N the marked k reaches N and the one before does not; another target remakes sweeps, no flat."""
    project.flatpipe("run")
    quality = {row["k"]: float(row["psnr"]) for row in project.rows("results.csv") if row["image"] == "00.png"}
    done = project.flatpipe("run", "-s", f"flatten.k=auto:psnr>={quality['4']:.3f}")
    again = project.flatpipe("plan", "-s", "flatten.auto.target=psnr>=99")

    assert "\n2 images done\n" in done.stdout, done.stderr
    chosen = suggested(project)["00.png"]
    least = float(f"{quality['4']:.3f}")
    assert chosen["k"] == next(k for k, psnr in quality.items() if psnr >= least)
    assert best_of(project, "00.png") == (project.out / chosen["file"]).read_bytes()
    assert "best k psnr>=" in again.stdout
    assert "-> psnr>=99" in again.stdout


def test_a_target_out_of_reach_is_told(project: Project) -> None:
    """When no k reaches the target, the largest is best.png, and notes, page and the flatten command say so."""
    words = "no k up to 6 reaches 99 dB"
    project.flatpipe("run", "-s", "flatten.auto.target=psnr>=99")
    alone = project.flatpipe("flatten", "photos/00.png", "-k", "auto:psnr>=99", "-s", "flatten.auto.max=6")

    for row in suggested(project).values():
        assert (row["k"], row["notes"]) == ("6", words)
    assert words in (project.out / "gallery/data/details-00000.js").read_text()
    assert words in alone.stdout


def test_the_flatten_command_prints_the_chosen_k(project: Project) -> None:
    """`flatpipe flatten -k auto` names k, quality and file of each image, also when all was there before."""
    write_image(project.folder / "more.png", seed=9)
    done = project.flatpipe("flatten", "photos/00.png", "more.png", "-k", "auto", "-o", "out")
    assert done.returncode == 0, done.stderr
    told = project.flatpipe("flatten", "photos/00.png", "more.png", "-k", "auto", "-o", "out", "--json").stdout
    best = [line for line in map(json.loads, told.splitlines()) if line["event"] == "best"]

    lines = done.stdout.splitlines()[:2]
    for line, (image, row), event in zip(lines, suggested(project).items(), best, strict=True):
        assert line.startswith(f"{image}: k = {row['k']} (PSNR {float(row['psnr']):.1f} dB)")
        assert line.endswith(f"/out/images/{image}/best.png")
        assert (event["image"], event["k"], event["reached"]) == (image, int(row["k"]), True)


def test_best_png_is_an_output_like_the_others(project: Project) -> None:
    """verify checks it, a run repairs it when it is gone or changed, and clean removes it when k is no longer auto."""
    project.flatpipe("run")
    file = project.out / "images" / "00.png" / "best.png"
    sound = file.read_bytes()
    file.unlink()
    assert "1 done, 1 up to date" in project.flatpipe("run").stdout
    assert file.read_bytes() == sound
    file.write_bytes(sound[:-1] + b"x")
    assert project.flatpipe("verify").returncode == 4
    project.flatpipe("run")
    assert file.read_bytes() == sound

    project.configure(flatten={"k": "2-6"})
    project.flatpipe("run")
    done = project.flatpipe("clean", "--yes")
    assert "00.png: best.png (replaced)" in done.stdout, done.stderr
    assert not file.exists()
