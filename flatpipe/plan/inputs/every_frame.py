"""Each frame of an animated or multi-page file as an image of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flatpipe.decode.decode import count_frames
from flatpipe.errors import ImageError
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.settings import TaskSettings
from flatpipe.storage.reading import read_input


def every_frame(
    sources: Iterable[ImageSource | RefusedFile], settings: TaskSettings
) -> Iterator[ImageSource | RefusedFile]:
    """The sources, those of several frames taken apart: `name.gif#001`, `name.gif#002`, ...; reads every file.

    A file that cannot be read or has one frame passes as it is: loading it tells what is wrong.
    """
    for source in sources:
        frames = 1 if isinstance(source, RefusedFile) else _count(source, settings)
        if isinstance(source, RefusedFile) or frames < 2:
            yield source
            continue
        digits = max(3, len(str(frames)))
        for frame in range(frames):
            yield replace(source, image_id=f"{source.image_id}#{frame + 1:0{digits}d}", frame=frame)


def _count(source: ImageSource, settings: TaskSettings) -> int:
    try:
        return count_frames(read_input(source, settings.reading), settings.decode)
    except (OSError, ImageError):
        return 1
