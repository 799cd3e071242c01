"""A look at a folder of images -> the starter config that suits it, written beside them with its schema."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from flatpipe.config import StarterFacts, default_config, starter_config
from flatpipe.config.documents.schema import SCHEMA_FILE
from flatpipe.errors import ConfigError
from flatpipe.places import CONFIG, SCHEMA
from flatpipe.records import ImageSource
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.discover import Selection, discover

_OUTPUT = "outputs/"


def write_starter(folder: str) -> tuple[str, int]:
    """The path of the config written into the folder, and how many images it is for.

    Raises ConfigError when one is there already, or cannot be written.
    The JSON Schema that its first line names lies beside it, so that the folder can be moved or committed; one that is
    there already stays. Images are listed, never opened: a folder of a million takes seconds.
    """
    place = os.path.join(folder, CONFIG)  # noqa: PTH118 - Path would drop the "./" of what the user typed
    if os.path.lexists(place):
        raise ConfigError(f"{place}: is there already; init never overwrites (remove it, or name another folder)")
    try:
        facts = look_at(folder)
        with Path(place).open("x", encoding="utf-8") as file:
            file.write(starter_config(facts))
        _write_schema(Path(folder))
    except FileExistsError:
        raise ConfigError(f"{place}: is there already; init never overwrites") from None
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror or error}") from None
    return place, facts.n_images


def _write_schema(folder: Path) -> None:
    with contextlib.suppress(FileExistsError), (folder / SCHEMA).open("x", encoding="utf-8") as file:
        file.write(SCHEMA_FILE.read_text(encoding="utf-8"))


def look_at(folder: str) -> StarterFacts:
    """What the folder holds, and where its config should look; raises OSError when it cannot be listed."""
    os.listdir(folder)  # noqa: PTH208 - names a missing folder, or a file, as the system does
    include = default_config(folder).input.include
    selection = Selection(str(Path(folder).absolute()), include, exclude=(f"{_OUTPUT}**",))
    images = [found for found in discover(selection) if isinstance(found, ImageSource)]
    # ^ results of an earlier run are no input
    path = _common_folder(image.image_id for image in images)
    name = Path(folder).absolute().name or "images"
    return StarterFacts(
        path=path or "./",
        output=_OUTPUT if path and path != _OUTPUT else f"../{name}-flat/",
        n_images=len(images),
        extensions=Counter(Path(image.image_id).suffix.lower().lstrip(".") for image in images),
        largest_bytes=max((image.size for image in images), default=0),
        total_bytes=sum(image.size for image in images),
        schema=SCHEMA,
        day=datetime.now(UTC).date().isoformat(),
    )


def _common_folder(image_ids: Iterable[str]) -> str:
    """The one subfolder that holds all images, with "/" behind it; "" when some lie elsewhere, or in an archive."""
    tops = {image_id.partition("/")[0] if "/" in image_id else "" for image_id in image_ids}
    top = tops.pop() if len(tops) == 1 else ""
    return f"{top}/" if top and not is_archive(top) else ""
