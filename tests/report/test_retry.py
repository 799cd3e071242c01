"""The command that the report offers for failed images, typed by somebody else in another folder."""

from __future__ import annotations

import html
import re
import shlex
import subprocess
import sys
from pathlib import Path

from builders import write_image
from commands import Project

from flatpipe.cli.options import ConfigChoice


def test_retry_works_as_copied(tmp_path: Path) -> None:
    """The command as the page shows it, run from another folder, does the failed image with the same settings."""
    project = Project.make(tmp_path / "it's here", images=1, flatten={"k": "2-3"})
    behind = project.folder / "photos" / "behind"
    (project.folder / "photos" / "gone.png").symlink_to(behind)
    assert project.flatpipe("run", "-s", "output.path=other out", "-s", "flatten.k=[2]").returncode == 1
    page = (project.folder / "other out" / "index.html").read_text()
    found = re.search('<code id="retry">(.*?)</code>', page)
    assert found is not None
    program, *arguments = shlex.split(html.unescape(found[1]))
    assert program == "flatpipe"
    write_image(tmp_path / "back.png", seed=5).rename(behind)
    again = subprocess.run([sys.executable, "-m", "flatpipe", *arguments], cwd=tmp_path, check=False, timeout=240)
    assert again.returncode == 0
    assert [path.name for path in (project.folder / "other out/images/gone.png").glob("k*.png")] == ["k02.png"]


def test_no_secret_stands_in_the_page() -> None:
    """What was said of the cluster on the command line, where passwords may stand, is not in the command."""
    said = ("execution.cluster.options.password=hunter2", "flatten.k=[2]")
    command = ConfigChoice("/a b/c.yaml", said, "far").command
    assert shlex.split(command) == ["flatpipe", "run", "/a b/c.yaml", "--set=flatten.k=[2]", "--profile=far"]
