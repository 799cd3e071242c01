"""The outputs of an image copied from those of another one of the same bytes: nothing is decoded or found anew."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from flatpipe import layout
from flatpipe.errors import ImageError
from flatpipe.pictures.image_pictures import script_for_another
from flatpipe.records import FlattenResult, ImageResult, Twin
from flatpipe.storage.packs.ranges import files_in
from flatpipe.storage.reading import source_digest
from flatpipe.work.image_work import ImageWork
from flatpipe.work.retry import with_retries
from flatpipe.work.sweep import encode_palette_files, encode_palettes, named_palette

_SCRIPT = "original.js"
# ^ the picture that holds the image's key


def copied_image(work: ImageWork, twin: Twin) -> ImageResult | None:
    """All that becomes of an image, copied; None where the source, or a file to copy, is not what was recorded.

    Another image's outputs may be written anew or removed meanwhile: what is copied has the digest that was recorded.
    """
    try:
        if work.is_stopped() or source_digest(work.source, work.settings.reading) != twin.token.content:
            return None
        return _copied(work, twin)
    except (OSError, ImageError):
        return None
        # ^ it is made as usual, and whoever makes it meets what stands in the way


def _copied(work: ImageWork, twin: Twin) -> ImageResult:
    began, image_id, read = time.perf_counter(), work.source.image_id, _reader(work, twin)
    flats = [replace(flat, image_id=image_id, seconds=0.0) for flat in twin.flats]
    for flat in flats:
        if flat.sha256:
            name = layout.flat_name(flat.k, work.settings.name_width)
            work.outputs.write(f"{work.outputs.folder}/{name}", _checked(read, name, flat.sha256))
    swept = replace(work.put(_files(work, twin, flats, read), began), moved=tuple(flats))
    work.outputs.put_in_place()
    token = replace(twin.token, image_id=image_id, seconds=0.0)
    return ImageResult(work.source, token, (), swept, None, same_as=twin.token.image_id)


def _files(
    work: ImageWork, twin: Twin, flats: Sequence[FlattenResult], read: Callable[[str], bytes]
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files that need all k: those that name the image are encoded anew, the others copied."""
    image_id, named = work.source.image_id, named_palette(work.settings)
    palettes = dict(encode_palette_files(image_id, flats, work.settings, named))
    other = f"{layout.picture_key(twin.token.image_id)}-"
    for name, sha256 in twin.files:
        if name == layout.PALETTES:
            yield name, encode_palettes(image_id, flats, named)
        elif name in palettes:
            yield name, palettes[name]
        elif "/" in name:
            kind, content = name.rpartition("/")[2].removeprefix(other), _checked(read, name, sha256)
            content = script_for_another(content, image_id) if kind == _SCRIPT else content
            yield layout.picture_name(image_id, kind), content
        else:
            yield name, _checked(read, name, sha256)


def _reader(work: ImageWork, twin: Twin) -> Callable[[str], bytes]:
    """What reads a file of the other image, in whichever layout it lies; raises OSError, as what it returns does."""
    root, packed = work.worker.root(work.settings.output, work.settings.part), twin.packed
    if packed is None:
        return lambda name: with_retries(
            lambda: root.read(layout.sweep_file(twin.token.image_id, name)), work.settings.io_retries
        )
    files = files_in(root, packed)
    return lambda name: files.get(name, b"")
    # ^ one that is not there has another digest too


def _checked(read: Callable[[str], bytes], name: str, sha256: str) -> bytes:
    """A file of the other image, with the bytes that are recorded; raises OSError where it has others."""
    content = read(name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise OSError(f"{name} has other bytes than were recorded")
    return content
