"""What tables tell of files: none that is not there."""

from __future__ import annotations

from pathlib import Path

from commands import Project
from shard_builders import config_of

from flatpipe.pipeline import run as run_config
from flatpipe.plan.request import Request


def test_an_image_that_has_failed_since_names_no_file_in_a_shard(tmp_path: Path) -> None:
    """Its rows stay, as in a tree; the file that its shard no longer has is not named."""
    project = Project.make(tmp_path, images=3)
    run_config(config_of(project))
    (tmp_path / "photos" / "00.png").write_bytes(b"no picture")
    run_config(config_of(project))
    files = {row["image"]: row["file"] for row in project.rows("results.csv")}
    assert not files["00.png"]
    assert files["01.png"].startswith("shards/000000.tar/")


def test_an_image_that_lies_in_the_other_layout_names_no_file(tmp_path: Path) -> None:
    """After a change of layout that was limited to one image, the others name nothing."""
    project = Project.make(tmp_path, images=3)
    run_config(config_of(project))
    run_config(config_of(project, "output.layout=tree", "report.enabled=false"), Request(limit=1))
    files = [row["file"] for row in project.rows("results.csv")]
    assert all((project.out / name).is_file() for name in files if name)
    assert sum(1 for name in files if not name) > 0
