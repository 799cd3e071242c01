"""Frames of animated files as images of their own."""

from __future__ import annotations

from pathlib import Path

from builders import noisy_pixels, source_of, write_image
from PIL import Image

from flatpipe.plan.inputs.every_frame import every_frame
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings


def test_an_animation_is_taken_apart_and_a_still_is_not(tmp_path: Path) -> None:
    """A GIF of three frames gives three images #001..#003; a PNG and a broken file pass as they are."""
    frames = [Image.fromarray(noisy_pixels(seed=n)) for n in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    write_image(tmp_path / "b.png")
    (tmp_path / "c.gif").write_bytes(b"nothing")
    sources = [source_of(tmp_path / name) for name in ("a.gif", "b.png", "c.gif")]
    found = [source for source in every_frame(sources, TaskSettings("")) if isinstance(source, ImageSource)]

    assert [(source.image_id, source.frame) for source in found] == [
        ("a.gif#001", 0),
        ("a.gif#002", 1),
        ("a.gif#003", 2),
        ("b.png", 0),
        ("c.gif", 0),
    ]
    assert {source.path for source in found[:3]} == {str(tmp_path / "a.gif")}
