"""Runs whose images share palettes: the same palettes whatever carries the run, and nothing done twice."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Project
from PIL import Image
from servers import wait_for

SHARED = {
    "palette": {"scope": "collection"},
    "animation": {"enabled": False},
    "report": {"enabled": False},
}
IMAGES = 160
# ^ in three parts, which are added up


def is_counted(project: Project) -> bool:
    """Whether the ledger has a part of the images."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(project.out / "ledger.sqlite")) as db:
        return bool(db.execute("SELECT count(*) FROM counted").fetchone()[0])
    return False


def palettes(project: Project, group: str = "collection") -> dict[str, Any]:
    """The palettes of a group, by file name."""
    folder = project.out / "palettes" / group
    return {file.name: json.loads(file.read_text()) for file in folder.glob("*.json")}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run on one core."""
    execution = {"scheduler": "synchronous"}
    project = Project.make(tmp_path_factory.mktemp("reference"), images=IMAGES, **SHARED, execution=execution)
    done = project.flatpipe("run")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


ENGINES: dict[str, dict[str, Any]] = {
    "threads": {"scheduler": "threads", "workers": 4},
    "processes": {"scheduler": "processes", "workers": 2, "granularity": "pair"},
}


@pytest.mark.parametrize("execution", ENGINES.values(), ids=ENGINES)
def test_palettes_do_not_depend_on_what_carries_the_run(
    execution: dict[str, Any], reference: Project, tmp_path: Path
) -> None:
    """Threads and worker processes write the palettes and images of a run on one core, byte for byte."""
    project = Project.make(tmp_path, images=IMAGES, **SHARED, execution=execution)
    done = project.flatpipe("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.digests() == reference.digests()
    assert palettes(project) == palettes(reference)


def test_every_image_holds_the_palette_of_its_group(reference: Project) -> None:
    """Each flat PNG has the group's colours, all of them, in their order, and each pixel the nearest of them."""
    for k in (2, 3, 4):
        wanted = [tuple(bytes.fromhex(color["hex"][1:])) for color in palettes(reference)[f"k{k:02d}.json"]["colors"]]
        for file in (reference.out / "images").rglob(f"k{k:02d}.png"):
            flat = Image.open(file)
            found = np.array(flat.getpalette()).reshape(-1, 3)[:k]
            assert [tuple(color) for color in found.tolist()] == wanted
            original = np.asarray(Image.open(reference.folder / "photos" / file.parent.name).convert("RGB"), np.int64)
            far = ((original[..., None, :] - np.array(wanted)) ** 2).sum(axis=-1)
            assert (np.asarray(flat) == far.argmin(axis=-1)).all()


def test_what_was_counted_is_not_counted_again(reference: Project, tmp_path: Path) -> None:
    """One image more: its part is counted, and no other image is decoded but to be flattened; plan says it before."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    before = {file.name for file in (project.out / ".sums").rglob("*.npz")}
    shutil.copy(project.folder / "photos" / "00.png", project.folder / "photos" / "zzz.png")
    planned = project.flatpipe("plan").stdout
    done = project.flatpipe("run")
    kept = {file.name for file in (project.out / ".sums").rglob("*.npz")} & before

    assert "palette of collection changed: 1 image added" in planned
    assert done.returncode == 0, done.stderr
    assert kept
    assert "nothing to do" in project.flatpipe("run").stdout
    assert "no differences" in project.flatpipe("verify").stdout


def test_a_killed_run_goes_on_from_what_it_has_counted(reference: Project, tmp_path: Path) -> None:
    """A run that is killed while it counts goes on; the palettes are those of a run that was left alone."""
    execution = {"scheduler": "threads", "workers": 1}
    project = Project.make(tmp_path, images=IMAGES, **SHARED, execution=execution)
    run = project.start("run", faults={"slow": 0.02, "log": str(tmp_path / "first")})
    wait_for(lambda: run.poll() is not None or is_counted(project))
    run.kill()
    run.communicate()
    counted = len((tmp_path / "first").read_text().split())
    again = project.flatpipe("run", faults={"log": str(tmp_path / "again")})
    decoded = len((tmp_path / "again").read_text().split())

    assert again.returncode == 0, again.stderr
    assert counted < IMAGES
    assert decoded < 2 * IMAGES
    assert project.digests() == reference.digests()
    assert palettes(project) == palettes(reference)


def test_frozen_palettes_stay_and_new_images_get_them(reference: Project, tmp_path: Path) -> None:
    """With palettes frozen one image more is the only one that is made, with the palette that the others have."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    before = palettes(project)
    Image.fromarray(np.full((24, 24, 3), (250, 20, 30), np.uint8)).save(project.folder / "photos" / "new.png")
    done = project.flatpipe("run", "-s", "palette.frozen=true")

    assert done.returncode == 0, done.stderr
    assert "1 done" in done.stdout
    assert palettes(project) == before


def test_frozen_palettes_must_be_there(tmp_path: Path) -> None:
    """Without a palette to keep, frozen is refused with the way to get one."""
    project = Project.make(tmp_path, images=2, palette={"scope": "collection", "frozen": True})
    done = project.flatpipe("run")
    assert done.returncode == 2
    assert "run once without frozen" in done.stderr


def test_folders_and_groups_have_palettes_of_their_own(tmp_path: Path) -> None:
    """By folder each folder has its palettes; by patterns each group, and an image of none has its own."""
    project = Project.make(tmp_path, images=4, palette={"scope": "folder"})
    for row, name in enumerate(("a", "a/b", "c")):
        folder = project.folder / "photos" / name
        folder.mkdir(parents=True)
        Image.fromarray(np.full((8, 8, 3), 60 * row, np.uint8)).save(folder / "one.png")
    assert project.flatpipe("run").returncode == 0
    found = {str(file.parent.relative_to(project.out)) for file in (project.out / "palettes").rglob("k02.json")}
    assert found == {"palettes", "palettes/a", "palettes/a/b", "palettes/c"}

    project.configure(palette={"groups": {"letters": ["a/**", "c/*"], "rest": "0?.png"}})
    (project.folder / "photos" / "lone.png").write_bytes((project.folder / "photos" / "00.png").read_bytes())
    done = project.flatpipe("run")
    assert done.returncode == 0, done.stderr
    found = {str(file.parent.relative_to(project.out)) for file in (project.out / "palettes").rglob("k02.json")}
    assert found == {"palettes/letters", "palettes/rest"}
    assert "no differences" in project.flatpipe("verify").stdout


def test_an_image_that_cannot_be_read_counts_nothing(tmp_path: Path) -> None:
    """A broken file is its own row; the palettes of the others are made, and it makes no later run count again."""
    project = Project.make(tmp_path, images=4, **SHARED)
    (project.folder / "photos" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    done = project.flatpipe("run")
    assert done.returncode == 1
    assert len(palettes(project)) == 3
    assert "palette" not in project.flatpipe("plan").stdout


def test_an_image_that_ends_its_worker_is_left_out(tmp_path: Path) -> None:
    """A decoder that crashes is one image's row; the palette is that of the others, and no neighbour is blamed."""
    execution = {"scheduler": "processes", "workers": 2}
    project = Project.make(tmp_path / "p", images=5, **SHARED, execution=execution)
    done = project.flatpipe("run", faults={"crash": ["03.png"]})
    others = Project.make(tmp_path / "others", images=5, **SHARED)
    (others.folder / "photos" / "03.png").unlink()

    assert done.returncode == 1, done.stdout + done.stderr
    assert [row["image"] for row in project.rows("failures.csv")] == ["03.png"]
    assert others.flatpipe("run").returncode == 0
    assert {name: one["colors"] for name, one in palettes(project).items()} == {
        name: one["colors"] for name, one in palettes(others).items()
    }


def test_a_damaged_sum_is_made_again(reference: Project, tmp_path: Path) -> None:
    """A sum whose file was changed or lost is counted anew when it is needed next."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    sums = sorted((project.out / ".sums").rglob("*.npz"))
    sums[0].write_bytes(b"junk")
    for file in sums[1:]:
        file.unlink()
    done = project.flatpipe("run", "-s", "flatten.seed=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no differences" in project.flatpipe("verify", "-s", "flatten.seed=1").stdout


def test_verify_recomputes_with_the_palettes_that_images_share(reference: Project) -> None:
    """Images that are done once more, each by itself, come out as they were recorded."""
    done = reference.flatpipe("verify", "--recompute", "3")
    assert done.returncode == 0, done.stdout
    assert "recomputed" in done.stdout


def test_explain_names_the_palette(reference: Project, tmp_path: Path) -> None:
    """What a run would do to an image, and why, is told of one whose palette must change too."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    (project.folder / "photos" / "05.png").unlink()
    done = project.flatpipe("explain", "07.png")
    assert done.returncode == 0, done.stderr
    assert "palette of collection changed: 1 image removed" in done.stdout


def test_locks_tell_palettes_apart(reference: Project, tmp_path: Path) -> None:
    """Equal runs have equal locks, which hold a digest of the palettes; another seed's differ in it."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    assert project.flatpipe("run", "--force").returncode == 0
    lock = (reference.out / "flatpipe.lock").read_text()
    assert (project.out / "flatpipe.lock").read_text() == lock
    assert "\npalettes: 3 " in lock
    assert project.flatpipe("run", "--locked").returncode == 0


def test_own_mse_is_measured_where_it_is_asked_for(reference: Project, tmp_path: Path) -> None:
    """Beside the mse of the shared palette stands that of the image's own, which is never more; frozen asks for it."""
    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    shutil.copy(project.folder / "photos" / "00.png", project.folder / "photos" / "zz.png")
    assert project.flatpipe("run", "-s", "palette.frozen=true").returncode == 0
    rows = {(row["image"], row["k"]): row for row in project.rows("results.csv")}
    new = rows["zz.png", "3"]
    assert 0 < float(new["own_mse"]) < float(new["mse"])
    assert rows["00.png", "3"]["own_mse"] == ""


def test_the_use_of_colours_is_told(reference: Project, tmp_path: Path) -> None:
    """colors.csv counts the pixels of every PNG; spoilt, it is found and comes back; without sharing it is gone."""
    folder = reference.out / "images"
    counted = {
        (file.parent.name, str(k), str(row)): pixels
        for k in (2, 3, 4)
        for file in folder.rglob(f"k{k:02d}.png")
        for row, pixels in enumerate(np.bincount(np.asarray(Image.open(file)).ravel(), minlength=k).tolist())
    }
    rows = reference.rows("colors.csv")
    assert {(row["image"], row["k"], row["index"]): int(row["pixels"]) for row in rows} == counted
    assert {row["group"] for row in rows} == {"collection"}

    shutil.copytree(reference.folder, tmp_path / "p")
    project = Project(tmp_path / "p")
    table = project.out / "colors.csv"
    whole = table.read_bytes()
    table.write_bytes(whole.swapcase())
    assert "colors.csv" in project.flatpipe("verify").stdout
    assert project.flatpipe("run").returncode == 0
    assert table.read_bytes() == whole
    done = project.flatpipe("run", "-s", "palette.scope=image")
    assert (done.returncode, table.exists()) == (0, False)
    assert "no differences" in project.flatpipe("verify", "-s", "palette.scope=image").stdout
