"""flatpipe.lock: what can change a byte of the outputs, and the digests of what came out; no times, no paths.

An image's line holds the sha256 of its input, that of its outputs (both cut to 32 hex digits) and its id as JSON. The
outputs' digest is that of what `sha256sum *` prints in the image's folder, so that it can be checked without flatpipe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from PIL import features

from flatpipe import layout
from flatpipe.environment import Effect, versions_for
from flatpipe.ledger.results import ImageDigests, Results
from flatpipe.ledger.shared_rows import SharedPalette
from flatpipe.plan.fingerprint import Fingerprints
from flatpipe.versions import __version__
from flatpipe.vocabulary import VideoFormat

_FORMAT = "1"
_DIGITS = 32
UNREAD = "-" * _DIGITS
NOT_DONE = "not-done"
_CODECS = ("avif", "freetype2", "jpg", "jpg_2000", "libjpeg_turbo", "libtiff", "littlecms2", "webp", "zlib")
_TITLE = "# What the outputs beside this file are made of. Equal runs have equal locks: flatpipe diff A B\n"


class Unfinished(Exception):
    """A lock is wanted of a run that has not done all of its plan."""


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One image's line."""

    image_id: str
    content: str
    # ^ digest of the input; UNREAD when it has failed
    outcome: str
    # ^ digest of the outputs, "failed:" and the error's word, or NOT_DONE


def lock_header(prints: Fingerprints) -> dict[str, str]:
    """The lines that are known before any image is read: settings and versions that can change a byte."""
    choices = prints.choices[prints.sweep]
    lines = {"lock": _FORMAT, "config": prints.sweep}
    lines |= {f"setting.{key}": value for key, value in sorted(_flattened(choices))}
    lines |= {f"version.{name}": version for name, version in sorted(_versions(choices).items())}
    return lines


def lock_lines(
    prints: Fingerprints, results: Results, name_width: int, palettes: Iterable[SharedPalette] = ()
) -> Iterator[str]:
    """The whole lock, line by line, from the ledger; the images in its order, then a digest over all their lines.

    Before that stands one over the `palettes` that images share, where they do.
    Raises Unfinished when an image of the plan is neither done nor failed.
    """
    yield _TITLE
    yield from (f"{key}: {value}\n" for key, value in lock_header(prints).items())
    everything = hashlib.sha256()
    images = 0
    for image in locked_images(results, name_width):
        if image.outcome == NOT_DONE:
            raise Unfinished(image.image_id)
        line = f"{image.content} {image.outcome} {json.dumps(image.image_id)}\n"
        everything.update(line.encode())
        images += 1
        yield line
    if prints.shared:
        yield f"palettes: {_palettes_digest(palettes)}\n"
    yield f"images: {images}\n"
    yield f"outputs: {everything.hexdigest()}\n"


def locked_images(results: Results, name_width: int) -> Iterator[LockedImage]:
    """Every image of the last run's plan as a lock tells it."""
    for image in results.digests():
        image_id = image.source.image_id
        if image.failure is not None:
            yield LockedImage(image_id, UNREAD, f"failed:{image.failure.error}")
        elif image.files is None or not image.flats:
            yield LockedImage(image_id, UNREAD, NOT_DONE)
        else:
            yield LockedImage(image_id, shortened(image.content), _outputs_digest(image, name_width))


def _palettes_digest(palettes: Iterable[SharedPalette]) -> str:
    """How many palettes there are, and a digest of whose they are and of their colours."""
    digest, found = hashlib.sha256(), 0
    for palette in palettes:
        digest.update(f"{json.dumps(palette.group)} {palette.k} {' '.join(palette.colors)}\n".encode())
        found += 1
    return f"{found} {shortened(digest.hexdigest())}"


def shortened(sha256: str) -> str:
    """A digest as a lock holds it."""
    return sha256[:_DIGITS]


def _outputs_digest(image: ImageDigests, name_width: int) -> str:
    """The digest of the files in one image's folder, as `sha256sum * | sha256sum` finds it in the C locale."""
    files = [file for file in image.files or () if "/" not in file[0]]
    files += [(layout.flat_name(k, name_width), sha256) for k, sha256 in image.flats if sha256]
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()[:_DIGITS]


def _flattened(choices: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in choices.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value)


def _versions(choices: dict[str, Any]) -> dict[str, str]:
    """Versions of what can change a byte under these choices."""
    effects: set[Effect] = {"images", "heif"}
    effects |= {"sklearn"} if choices["solver"] == "sklearn" else set()
    animation = choices["animation"].get("format", "gif")
    effects |= {"video"} if animation in get_args(VideoFormat) else {"animations"} if animation != "gif" else set()
    codecs = {f"pillow.{codec}": str(features.version(codec)) for codec in _CODECS}
    return {"flatpipe": __version__, **versions_for(effects), **codecs, **_video_codecs(effects)}


def _video_codecs(effects: set[Effect]) -> dict[str, str]:
    """Versions of FFmpeg's libraries, which PyAV brings with it; their encoders have none that they tell."""
    if "video" not in effects or not versions_for({"video"}):
        return {}
    from av import library_versions

    used = ("libavcodec", "libavfilter", "libavformat", "libswscale")
    return {f"av.{name}": ".".join(map(str, library_versions[name])) for name in used}
