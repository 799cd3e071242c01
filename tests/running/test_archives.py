"""Runs over archives: the same images come out the same, and what an archive packed anew holds is not done again."""

from __future__ import annotations

import csv
import os
import random
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from archive_builders import ARCHIVES, tar_of, zip_of
from builders import write_image
from commands import Project
from hostile_tar import TAR_CASES
from hostile_zip import ZIP_CASES

import flatpipe
from flatpipe.config import load_config
from flatpipe.plan.settings import task_settings
from flatpipe.proof.listed_input import ListedInput
from flatpipe.records import ImageSource
from flatpipe.storage.discover import Selection, discover
from flatpipe.summaries import RunSummary
from flatpipe.work import tasks

SUFFIXES = ("tree", *ARCHIVES)


def run(project: Project, *overrides: str, **options: object) -> RunSummary:
    """A run in this process."""
    return flatpipe.run(project.folder / "pipeline.yaml", overrides, **options)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three images in a folder, and in an archive of each kind beside it; done."""
    project = Project.make(tmp_path, images=0, flatten={"k": "2,5"}, report={"enabled": False})
    for name in ("a.png", "sub/b.jpg", "sub/c.png"):
        write_image(project.folder / "photos" / "tree" / name, seed=len(name))
    for suffix, build in ARCHIVES.items():
        (project.folder / "photos" / f"shard.{suffix}").write_bytes(build(contents(project)))
    assert run(project).done == 3 * len(SUFFIXES)
    return project


def contents(project: Project) -> dict[str, bytes]:
    """The bytes of the images, by name."""
    root = project.folder / "photos" / "tree"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.*"))}


def test_images_come_out_the_same_whatever_holds_them(project: Project) -> None:
    """A folder, a tar, a tar.gz and a zip of the same images: equal digests of each image, k and sweep."""
    made: dict[str, set[str]] = defaultdict(set)
    for file, sha256 in project.digests().items():
        if not file.endswith("palettes.json"):
            made[file.partition("/")[2]].add(sha256)

    assert len(made) == 3 * 3
    assert all(len(digests) == 1 for digests in made.values())
    assert Counter(file.partition("/")[0] for file in project.digests()) == dict.fromkeys(
        ("tree", *(f"shard.{suffix}" for suffix in ARCHIVES)), 3 * 4
    )


def test_an_archive_packed_anew_is_done_again_only_where_its_members_are_others(project: Project) -> None:
    """Moved members, another compression and a new date compute nothing; a member with other bytes is done, alone."""
    for suffix, build in ARCHIVES.items():
        shuffled = list(contents(project).items())
        random.Random(1).shuffle(shuffled)
        (project.folder / "photos" / f"shard.{suffix}").write_bytes(build({"new.txt": b"first", **dict(shuffled)}))
    verified = project.flatpipe("verify", "--recompute", "50")
    again = run(project)

    assert verified.returncode == 0, verified.stdout
    assert (again.done, again.current) == (0, 3 * len(SUFFIXES))

    write_image(project.folder / "photos" / "tree" / "a.png", seed=99)
    (project.folder / "photos" / "shard.tar").write_bytes(tar_of(contents(project)))
    assert run(project, only=["shard.*"]).reasons[0] == ("content changed", 1)
    assert run(project).done == 1


def test_an_archive_that_is_replaced_meanwhile_gives_no_image_anothers_colours(project: Project) -> None:
    """A member that is read after its archive got another date is a row; one whose archive got a link is not."""
    shard = project.folder / "photos" / "shard.tar"
    settings = task_settings(load_config(project.folder / "pipeline.yaml"))
    first, second, _ = (one for one in discover(Selection(str(shard), ("*",))) if isinstance(one, ImageSource))
    (project.folder / "link.tar").hardlink_to(shard)
    assert tasks.load(first, settings).failure is None
    turned = dict(reversed(contents(project).items()))
    shard.unlink()
    shard.write_bytes(tar_of(turned))
    os.utime(shard, ns=(1, 1))
    failure = tasks.load(second, settings).failure

    assert failure is not None
    assert (failure.error, failure.message) == ("io-error", "its archive was changed since it was listed; run again")


def test_a_shard_cut_short_is_one_row_and_keeps_its_results(project: Project) -> None:
    """The archive is the row; members before the cut are up to date, and clean deletes nothing of those behind it."""
    shard = project.folder / "photos" / "shard.tar"
    shard.write_bytes(tar_of(contents(project))[:-11_000])
    cut = run(project)
    with (project.out / "failures.csv").open(newline="") as table:
        rows = [(row["image"], row["error"]) for row in csv.DictReader(table)]

    assert (cut.done, cut.failed) == (0, 1)
    assert rows == [("shard.tar", "truncated")]
    cleaned = project.flatpipe("clean", "--yes")
    assert "cannot be read in full" in cleaned.stdout + cleaned.stderr
    assert len(project.digests()) == 3 * 4 * len(SUFFIXES)


def test_hostile_archives_are_rows_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """One run over many of the table's archives: their rows are the table's, images beside them are done."""
    project = Project.make(tmp_path, images=1, flatten={"k": "2"}, report={"enabled": False})
    wanted = {}
    for number, case in enumerate([*TAR_CASES.values(), *ZIP_CASES.values()]):
        if case.is_long or number % 3:
            continue
        name = f"{number:03d}.{case.suffix}"
        (tmp_path / "photos" / name).write_bytes(case.content)
        words = {"sound": "not-an-image", "read": "not-an-image", "too-large": "not-an-image"}
        wanted |= {f"{name}/{row}".rstrip("/"): words.get(word, word) for row, word in case.rows.items()}
    done = run(project, "limits.memory_per_worker=1 GiB")

    assert (done.done, done.failed) == (1, len(wanted))
    assert {row["image"]: row["error"] for row in project.rows("failures.csv")} == wanted


def test_a_frame_of_a_member_is_gone_only_when_the_member_can_be_read(tmp_path: Path) -> None:
    """Clean asks the archive whether a member is whole before it takes frames for gone that nobody asks for now."""
    project = Project.make(tmp_path, images=0)
    sound = zip_of({"a.gif": b"frames of old", "b.gif": b"other frames"}, zipfile.ZIP_STORED)
    (tmp_path / "photos" / "shard.zip").write_bytes(sound.replace(b"frames of old", b"frames of now"))
    listed = ListedInput(load_config(project.folder / "pipeline.yaml"))

    assert not listed.is_gone("shard.zip/a.gif#002")
    assert listed.unreadable == ["shard.zip/a.gif"]
    assert listed.is_gone("shard.zip/b.gif#002")
    assert listed.is_gone("shard.zip/c.gif")
    listed.close()
