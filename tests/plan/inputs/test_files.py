"""The files of the input as a watch looks at them."""

from __future__ import annotations

from pathlib import Path

from builders import write_image
from commands import Project

from flatpipe.config import load_config
from flatpipe.plan.inputs.sources import input_files, input_sources
from flatpipe.records import ImageSource, RefusedFile


def test_a_look_opens_no_file(tmp_path: Path) -> None:
    """Archives and animations come as the files that they are, with place and stamp of the images within them."""
    project = Project.make(tmp_path, images=1, input={"path": "photos", "frames": "all"})
    (project.folder / "photos" / "a.zip").write_bytes(b"no archive")
    write_image(project.folder / "photos" / "b.gif")
    config = load_config(project.folder / "pipeline.yaml")
    looked, found = list(input_files(config)), list(input_sources(config))

    assert all(isinstance(item, ImageSource) for item in looked)
    assert [item.image_id for item in looked if isinstance(item, ImageSource)] == ["00.png", "a.zip", "b.gif"]
    sources = [item.source if isinstance(item, RefusedFile) else item for item in (*looked, *found)]
    assert [(one.path, one.stamp) for one in sources[:3]] == [(one.path, one.stamp) for one in sources[3:]]
    assert isinstance(found[1], RefusedFile)
