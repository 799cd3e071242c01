"""plan, explain and clean: what will be done, what is known, what can go."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from builders import noisy_pixels, write_image
from commands import Project
from PIL import Image


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three images (one turned on its side), and one that fails; done for k 2..4."""
    project = Project.make(tmp_path_factory.mktemp("finished"), images=2)
    exif = Image.Exif()
    exif[0x0112] = 6
    (project.folder / "photos/trips").mkdir()
    Image.fromarray(noisy_pixels()).save(project.folder / "photos/trips/turned.jpg", exif=exif)
    (project.folder / "photos" / "bad.png").write_bytes(b"nothing")
    assert project.flatpipe("run").returncode == 1
    return project


def test_a_plan_has_totals_then_cost_then_reasons(finished: Project) -> None:
    """Images and pairs, bytes by what is there, memory, the largest files, and reasons last; --json has it all."""
    lines = finished.flatpipe("plan", "-s", "flatten.k=2-6").stdout.splitlines()
    assert lines[0] == "4 images: 11 flat images and 4 sweeps to make"
    assert lines[1].startswith("write:   about ")
    assert lines[2].startswith("read:    ")
    assert lines[3].startswith("memory:  about ")
    assert {line.split(":")[0].strip() for line in lines[4:7]} == {"00.png", "01.png", "trips/turned.jpg"}
    assert all(line.endswith(", 768 pixels") for line in lines[4:7])
    assert sorted(lines[-2:]) == ["1 image: new", "3 images: k = 5, 6 added"]

    printed = finished.flatpipe("plan", "--estimate", "--json", "-s", "output.path=elsewhere").stdout.splitlines()
    totals = json.loads(printed[-1])
    assert [json.loads(line)["image"] for line in printed[:-1]] == ["00.png", "01.png", "bad.png", "trips/turned.jpg"]
    assert (totals["bytes_to_write"], totals["estimate"]["sampled"], totals["estimate"]["workers"]) == (None, 3, 2)
    assert not (finished.folder / "elsewhere").exists()
    written = sum(path.stat().st_size for path in finished.out.rglob("*") if path.is_file())
    assert written / 1.5 < totals["estimate"]["bytes_to_write"] < written * 1.5
    assert totals["estimate"]["free_bytes"] > 0
    assert totals["estimate"]["bytes_like_these"] > 1000 * totals["estimate"]["bytes_to_write"]
    assert 0 < totals["estimate"]["seconds"] < 60
    assert [image["pixels"] for image in totals["largest"]] == [768, 768, 768]
    assert totals["memory_per_worker"] > 400e6


def test_explain_tells_the_history_of_an_image(finished: Project) -> None:
    """Source, digest, decoding, each k, files and what is next, for an id or a path; failures with their run."""
    told = finished.flatpipe("explain", "trips/turned.jpg").stdout
    row = finished.rows("results.csv")[-1]
    assert f"{finished.folder}/photos/trips/turned.jpg" in told
    assert "24 x 32 pixels" in told
    assert "rotated (EXIF 6)" in told
    assert row["sha256"] not in told
    assert row["sha256"] in finished.flatpipe("explain", "trips/turned.jpg", "-v").stdout
    assert f"PSNR {float(row['psnr']):5.1f} dB" in told
    assert "#" in told
    assert "images/trips/turned.jpg/sweep.gif" in told
    assert told.endswith("next:     nothing: everything is up to date\n")

    history = json.loads(finished.flatpipe("explain", "photos/00.png", "--json", "-s", "flatten.seed=4").stdout)
    assert [flat["k"] for flat, _ in history["flats"]] == [2, 3, 4]
    assert history["next"]["ks"] == [2, 3, 4]
    assert history["next"]["reason"] == "seed changed: 0 -> 4"
    failed = finished.flatpipe("explain", "bad.png").stdout
    assert "failed:   text, not an image (not-an-image, load)" in failed
    assert failed.endswith("next:     k = 2-4 and the sweep, because: it failed\n")


def test_explain_knows_names_that_are_near(finished: Project) -> None:
    """An image that nobody knows ends with exit 2 and the nearest id; one that was never run is told as new."""
    done = finished.flatpipe("explain", "turned.jpg")
    assert done.returncode == 2
    assert "no such image" in done.stderr
    assert "did you mean 'trips/turned.jpg'?" in done.stderr
    fresh = finished.flatpipe("explain", "01.png", "-s", "output.path=nowhere")
    assert fresh.stdout.endswith("because: new\n")


def test_clean_lists_first_and_deletes_only_what_is_ours(project: Project) -> None:
    """Other k, gone images and replaced files are listed, deleted with --yes; foreign and changed files stay."""
    shutil.rmtree(project.folder / "photos/trips")
    project.configure(flatten={"k": [2, 3, 5]}, animation={"format": "webp"})
    assert "3 images: 2 done, 1 failed" in project.flatpipe("run").stdout
    mine = project.out / "images/trips/turned.jpg/mine.txt"
    mine.write_text("notes")
    changed = project.out / "images/00.png/k04.png"
    changed.write_bytes(b"edited by hand")
    before = project.digests()
    listed = project.flatpipe("clean")
    assert project.digests() == before
    assert "01.png: k04 (k not asked for)" in listed.stdout.splitlines()
    assert re.search(
        r"^trips/turned.jpg: k02-k04, .*sweep.gif.*, \d pictures of the report \(image gone\)$", listed.stdout, re.M
    )
    assert "00.png: k04 (k not asked for, but changed since written: kept)" in listed.stdout.splitlines()
    number = re.search(r"nothing was deleted; .*: flatpipe clean --yes (\d+)", listed.stderr)
    assert number, listed.stderr
    deleted = project.flatpipe("clean", "--yes", number[1], "--json")

    assert listed.returncode == deleted.returncode == 0
    lines = [json.loads(line) for line in deleted.stdout.splitlines()]
    assert {(line["name"], line["why"], line["is_ours"]) for line in lines[:-1] if "gallery" not in line["name"]} == {
        ("images/00.png/k04.png", "k not asked for", False),
        ("images/01.png/k04.png", "k not asked for", True),
        ("images/00.png/sweep.gif", "replaced", True),
        ("images/01.png/sweep.gif", "replaced", True),
        *((f"images/trips/turned.jpg/k0{k}.png", "image gone", True) for k in (2, 3, 4)),
        ("images/trips/turned.jpg/sweep.gif", "image gone", True),
        ("images/trips/turned.jpg/palettes.json", "image gone", True),
    }
    assert (lines[-1]["files"], lines[-1]["kept"]) == (len(lines) - 2, 1)
    kept = {"k02.png", "k03.png", "k05.png", "palettes.json", "sweep.webp"}
    assert project.digests().keys() == {
        *(f"{image}/{name}" for image in ("00.png", "01.png") for name in kept),
        "00.png/k04.png",
        "trips/turned.jpg/mine.txt",
    }
    assert project.flatpipe("clean").stdout == "nothing to delete\n"
    assert "2 up to date" in project.flatpipe("run").stdout


def test_clean_removes_the_folders_it_empties(project: Project) -> None:
    """Nothing is left of an image that is gone, and its folder's parents go when they are empty too."""
    shutil.rmtree(project.folder / "photos/trips")
    assert project.flatpipe("clean", "--yes", "8").returncode == 0

    assert sorted(path.name for path in (project.out / "images").iterdir()) == ["00.png", "01.png"]
    write_image(project.folder / "photos/trips/turned.jpg", seed=5)
    assert "1 done, 2 up to date, 1 failed" in project.flatpipe("run").stdout
