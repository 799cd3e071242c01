"""Shards verified and cleaned: each fault is named, and only what nobody needs goes."""

from __future__ import annotations

import tarfile
from pathlib import Path

from commands import Project
from shard_builders import clean, config_of, found, verified

from flatpipe import run
from flatpipe.pipeline import run as run_config


def test_verify_names_the_shard_and_the_images_of_changed_bytes(tmp_path: Path) -> None:
    """One byte in a file, and one in the padding: both are told, and the next run does their images alone."""
    project = Project.make(tmp_path, images=9)
    run_config(config_of(project))
    before, shard = found(project), project.out / "shards" / "000001.tar"
    with tarfile.open(shard) as archive:
        inside = archive.getmember("000005.k03.png").offset_data + 8
        padding = archive.getmember("000006.k02.png")
    content = bytearray(shard.read_bytes())
    content[inside] ^= 1
    content[padding.offset_data + padding.size] ^= 1
    shard.write_bytes(content)
    told = verified(project)
    assert told == [
        "changed: shards/000001.tar",
        "changed: shards/000001.tar/000005.k03.png",
        "changed: shards/000001.tar/000006",
    ]
    summary = run_config(config_of(project))
    assert (summary.done, summary.current) == (2, 7)
    assert found(project) == before
    assert verified(project) == []


def test_a_change_of_layout_takes_nothing_for_what_it_is_not(tmp_path: Path) -> None:
    """Tree, shards, tree again: each is copied from the other and right, and clean removes what that has left."""
    project = Project.make(tmp_path, images=5)
    run(tmp_path / "pipeline.yaml", ["report.enabled=false"])
    tree = project.digests()
    there = run_config(config_of(project))
    assert (there.done, there.pairs, there.reasons) == (5, 0, (("layout changed", 5),))
    shards = found(project)
    clean(config_of(project))
    assert not any((project.out / "images").iterdir())
    assert found(project) == shards
    assert run_config(config_of(project)).current == 5
    back = run(tmp_path / "pipeline.yaml", ["report.enabled=false"])
    assert (back.done, back.pairs) == (5, 0)
    assert project.digests() == tree
    clean(config_of(project, "output.layout=tree"))
    assert not any((project.out / "shards").iterdir())
    assert run(tmp_path / "pipeline.yaml", ["report.enabled=false"]).current == 5


def test_what_shards_have_replaced_goes_though_the_settings_changed_too(tmp_path: Path) -> None:
    """Files of other bytes than those in the shards are known as they were written in folders."""
    project = Project.make(tmp_path, images=5)
    run(tmp_path / "pipeline.yaml", ["report.enabled=false"])
    run_config(config_of(project))
    run_config(config_of(project, "flatten.k=2-6"))
    clean(config_of(project, "flatten.k=2-6"))
    assert not any((project.out / "images").iterdir())
    assert run_config(config_of(project, "flatten.k=2-6")).current == 5


def test_clean_removes_a_shard_of_images_that_are_gone(tmp_path: Path) -> None:
    """The last shard stays until clean when all its images are gone; the others stay then too."""
    project = Project.make(tmp_path, images=9)
    run_config(config_of(project))
    before = found(project)
    (tmp_path / "photos" / "08.png").unlink()
    run_config(config_of(project))
    assert found(project) == before
    clean(config_of(project))
    assert found(project) == {name: before[name] for name in ("000000.tar", "000001.tar")}
    assert run_config(config_of(project)).current == 8
