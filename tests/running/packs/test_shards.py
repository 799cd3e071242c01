"""Shards: byte for byte what tarfile makes of a tree's files, whatever has happened on the way."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
import subprocess
import tarfile
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import webdataset
from builders import write_image
from commands import Project
from shard_builders import SIZE, config_of, found, names_of, shards_of, verified
from waiting import wait_for

from flatpipe import run
from flatpipe.errors import ExitCode
from flatpipe.pipeline import run as run_config
from flatpipe.plan.parts.part import RunPart
from flatpipe.plan.request import Request
from flatpipe.running.merging import merge


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Eleven images, one of them no image, and the tree that a run makes of them without a report."""
    project = Project.make(tmp_path_factory.mktemp("shards"), images=10)
    (project.folder / "photos" / "05b.png").write_bytes(b"no image")
    summary = run(project.folder / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
    assert summary.exit_code == ExitCode.SOME_FAILED
    return project


def _samples(urls: list[str]) -> list[dict[str, Any]]:
    """What the webdataset package reads of shards; it leaves its files to be closed by whoever collects garbage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        samples = list(webdataset.WebDataset(urls, shardshuffle=False))
        gc.collect()
    return samples


@pytest.mark.parametrize(
    "overrides",
    [
        ("execution.scheduler=synchronous", "execution.granularity=pair"),
        ("execution.workers=4", "execution.granularity=batch"),
        ("execution.scheduler=threads", "execution.granularity=image", "output.shard_size=3"),
    ],
    ids=" ".join,
)
def test_shards_are_what_tarfile_makes_of_the_tree(made: Project, overrides: tuple[str, ...], tmp_path: Path) -> None:
    """Scheduler, workers and granularity change no byte; a failed image is absent; the lock is the tree's."""
    config = config_of(made, f"output.path={tmp_path}/out", *overrides)
    assert run_config(config).exit_code == ExitCode.SOME_FAILED
    assert found(Project(tmp_path)) == shards_of(names_of(made), made.folder / "tree", config.output.shard_size)
    assert (tmp_path / "out" / "flatpipe.lock").read_bytes() == (made.folder / "tree" / "flatpipe.lock").read_bytes()


def test_webdataset_reads_what_the_tree_has(made: Project) -> None:
    """The webdataset package finds each image under its key, with the bytes of the tree's files."""
    run_config(config_of(made))
    urls = sorted(str(path) for path in (made.out / "shards").iterdir())
    samples = _samples(urls)
    names = names_of(made)
    assert [sample["__key__"] for sample in samples] == [
        f"{n:06d}" for n, name in enumerate(names) if name != "05b.png"
    ]
    for sample in samples:
        folder = made.folder / "tree" / "images" / names[int(sample["__key__"])]
        files = {key: content for key, content in sample.items() if not key.startswith("__")}
        assert files == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_results_tell_where_files_lie(made: Project) -> None:
    """results.csv names each flat image's shard and its place there."""
    run_config(config_of(made))
    for row in made.rows("results.csv"):
        shard, _, member = row["file"].rpartition("/")
        with tarfile.open(made.out / shard) as archive:
            content = archive.extractfile(member)
            assert content is not None
            assert len(content.read()) == int(row["bytes"])


def test_any_history_ends_in_the_same_shards(tmp_path: Path) -> None:
    """Images added, changed and removed, other shard sizes, parts done alone: what is there now is all that counts."""
    project = Project.make(tmp_path, images=0, flatten={"k": "2,3"}, animation={"enabled": False})
    chance, seeds, size = random.Random(5), dict[str, int](), SIZE
    for turn in range(8):
        for name in chance.sample(sorted(seeds), min(len(seeds), chance.randrange(3))):
            (tmp_path / "photos" / name).unlink()
            del seeds[name]
        for number in chance.sample(range(30), 1 + chance.randrange(4)):
            seeds[f"{number:02d}.png"] = turn * 100 + number
            write_image(tmp_path / "photos" / f"{number:02d}.png", seed=turn * 100 + number, height=8, width=9)
        size = chance.choice([size, size, 1, 3, 5])
        config = config_of(project, f"output.shard_size={size}")
        if chance.random() < 0.4:
            run_config(config, Request(limit=1 + chance.randrange(3)))
            # ^ a run that leaves some of it undone
        assert run_config(config).exit_code == ExitCode.DONE
        tree = run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
        assert tree.exit_code == ExitCode.DONE
        expected = shards_of(sorted(seeds), tmp_path / "tree", size)
        now = found(project)
        assert {name: now[name] for name in expected} == expected, turn
        assert verified(project, f"output.shard_size={size}") == []


def test_a_shift_computes_nothing(made: Project, tmp_path: Path) -> None:
    """An image added in front shifts all numbers: it alone is done, and every shard is packed from the old ones."""
    project = Project.make(tmp_path, images=9)
    assert run_config(config_of(project)).done == 9
    write_image(tmp_path / "photos" / "!.png", seed=77)
    summary = run_config(config_of(project))
    assert (summary.done, summary.current) == (1, 9)
    run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
    assert found(project) == shards_of(names_of(project), tmp_path / "tree")


def test_a_shard_that_is_gone_or_cut_is_made_again_alone(tmp_path: Path) -> None:
    """Its images are due and no others, and it comes out as it was."""
    project = Project.make(tmp_path, images=9)
    run_config(config_of(project))
    before, shards = found(project), project.out / "shards"
    (shards / "000000.tar").unlink()
    os.truncate(shards / "000002.tar", 700)
    summary = run_config(config_of(project))
    assert (summary.done, summary.current) == (5, 4)
    assert found(project) == before


def test_a_piece_that_changed_on_the_disk_goes_into_no_shard(tmp_path: Path) -> None:
    """A run that finds one gives up in words; the next makes its images anew."""
    project = Project.make(tmp_path, images=6)
    run_config(config_of(project, "output.shard_size=6"), Request(limit=3))
    (piece,) = list((project.out / ".pieces").iterdir())
    content = bytearray(piece.read_bytes())
    content[600] ^= 1
    piece.write_bytes(content)
    summary = run_config(config_of(project, "output.shard_size=6"))
    assert summary.exit_code == ExitCode.GIVEN_UP
    assert "have changed on the disk, those of 00.png first" in summary.reason
    assert not (project.out / "shards").exists()
    assert run_config(config_of(project, "output.shard_size=6")).exit_code == ExitCode.DONE
    run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
    assert found(project) == shards_of(names_of(project), tmp_path / "tree", 6)


KILLS = int(os.environ.get("FLATPIPE_KILLS", "2"))


def test_kills_lose_nothing_recorded_and_leave_no_partial_shard(tmp_path: Path) -> None:
    """kill -9 at random moments: every shard under its final name is whole, and the end is that of one quiet run.

    The run that is killed moves every image to another shard too, so that shards are set aside and packed anew.
    """
    project = Project.make(tmp_path, images=14, flatten={"k": "2,3"}, animation={"enabled": False})
    config = config_of(project)
    run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
    wanted, chance = {}, random.Random(int(os.environ.get("FLATPIPE_KILL_SEED", "1")))
    for kill in range(KILLS):
        moved = tmp_path / "photos" / "!.png"
        write_image(moved, seed=99) if kill % 2 else moved.unlink(missing_ok=True)
        names = names_of(project)
        if kill % 2:
            run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
        wanted = shards_of(names, tmp_path / "tree")
        arguments = (
            "-s",
            "output.layout=shards",
            "-s",
            f"output.shard_size={SIZE}",
            "-s",
            "execution.granularity=image",
        )
        killed = project.start("run", *arguments, "--force" if kill % 3 == 0 else "-q", faults={"slow": 0.02})
        _kill_at(killed, project.out, chance)
        killed.communicate()
        for path in sorted((project.out / "shards").glob("*")):
            with tarfile.open(path) as archive:
                assert all(member.size == len(_content(archive, member)) for member in archive)
            assert path.read_bytes().endswith(bytes(1024))
        recorded = _recorded(project)
        summary = run_config(config)
        assert summary.exit_code == ExitCode.DONE
        assert summary.done <= len(names) - recorded
        assert found(project) == wanted


def _recorded(project: Project) -> int:
    """How many images the ledger has as done, and in a tar file, of those of the plan."""
    query = "SELECT count(*) FROM planned p JOIN packed q USING (image_id) JOIN sweeps s USING (image_id)"
    with sqlite3.connect(project.out / "ledger.sqlite") as db:
        return int(db.execute(query).fetchone()[0])


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def _kill_at(process: subprocess.Popen[str], out: Path, chance: random.Random) -> None:
    """Kill a run some time after it has begun to work, or to pack."""
    began = len(list((out / "runs").glob("*/log.jsonl")))
    wait_for(lambda: process.poll() is not None or len(list((out / "runs").glob("*/log.jsonl"))) > began)
    time.sleep(chance.random() * chance.choice([0.2, 1.5]))
    process.kill()


def test_parts_leave_pieces_and_merge_packs_them(made: Project, tmp_path: Path) -> None:
    """Two parts, the second first: merge gives the shards and lock of one run; a part then has nothing to do."""
    config = config_of(made, f"output.path={tmp_path}/out")
    for part in (RunPart(2, 1), RunPart(2, 0)):
        run_config(config, Request(part=part))
    assert not (tmp_path / "out" / "shards").exists()
    merged = merge(config, print)
    assert merged.summary is not None
    assert found(Project(tmp_path)) == shards_of(names_of(made), made.folder / "tree")
    assert (tmp_path / "out" / "flatpipe.lock").read_bytes() == (made.folder / "tree" / "flatpipe.lock").read_bytes()
    assert not list((tmp_path / "out" / "parts").rglob("*.tar"))
    again = run_config(config, Request(part=RunPart(2, 0)))
    assert again.done == 0
    assert found(Project(tmp_path)) == shards_of(names_of(made), made.folder / "tree")


def test_a_renamed_image_is_copied_from_its_shard(tmp_path: Path) -> None:
    """Nothing is found anew of bytes that are known under another name."""
    project = Project.make(tmp_path, images=6)
    run_config(config_of(project))
    (tmp_path / "photos" / "01.png").rename(tmp_path / "photos" / "z.png")
    summary = run_config(config_of(project))
    assert (summary.done, summary.pairs) == (1, 0)
    run(tmp_path / "pipeline.yaml", ["output.path=tree", "report.enabled=false"])
    expected = shards_of(names_of(project), tmp_path / "tree")
    assert found(project) == expected
