"""The rows of features.parquet, from the ledger: one for each image and k."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from flatpipe import layout
from flatpipe.ledger.results import ImageResults, Results, ValidFlat
from flatpipe.quantize.knee import best_k, missed
from flatpipe.settings import TaskSettings
from flatpipe.text import printable


class ImagePart(NamedTuple):
    """What the rows of an image have in common."""

    image: str
    image_bytes: bytes | None
    # ^ of an id that is not valid UTF-8, and of no other
    content: str
    # ^ sha256 of the input
    width: int
    height: int
    group: str | None
    notes: str


class Suggestion(NamedTuple):
    """What an image's curve says."""

    k: int | None
    notes: str
    # ^ what was done to decode the image, and that its best k falls short of the target


class FeatureRow(NamedTuple):
    """One flat image. A tuple, because tables are made of millions of them."""

    part: ImagePart
    flat: ValidFlat
    metrics: dict[str, float | None]
    # ^ the costly ones that are asked for
    is_suggested: bool
    file: str | None
    # ^ None where none is written


def feature_rows(results: Results, settings: TaskSettings) -> Iterator[FeatureRow]:
    """Every row, by image ids, then k, as a stream; none of an image that has failed, or has no results."""
    for image in results.images():
        if image.flats and image.failure is None:
            yield from _rows_of(image, settings)


def _rows_of(image: ImageResults, settings: TaskSettings) -> Iterator[FeatureRow]:
    suggestion = suggestion_of(image, settings)
    part = _part_of(image, suggestion.notes)
    before = text_of(before_names(image, settings))
    for flat in image.flats:
        file = f"{before}{layout.flat_name(flat.k, settings.name_width)}" if flat.sha256 and before else None
        yield FeatureRow(part, flat, metrics_of(flat, settings), flat.k == suggestion.k, file)


def _part_of(image: ImageResults, notes: str) -> ImagePart:
    token, name = image.token, text_of(image.source.image_id)
    content = os.fsencode(image.source.image_id)
    group = None if image.group is None else text_of(image.group)
    is_text = name.encode() == content
    return ImagePart(name, None if is_text else content, token.content, token.width, token.height, group, notes)


def suggestion_of(image: ImageResults, settings: TaskSettings) -> Suggestion:
    """Which k is suggested of those asked for, and the notes that tables have of an image."""
    ks, mses = [flat.k for flat in image.asked], [flat.mse for flat in image.asked]
    shortfall = missed(ks, mses, settings.target)
    notes = "; ".join([*image.token.notes, *([shortfall] if shortfall else [])])
    return Suggestion(best_k(ks, mses, settings.target), printable(notes))


def metrics_of(flat: ValidFlat, settings: TaskSettings) -> dict[str, float | None]:
    """The costly measures that are asked for, by name; None where the image has no such value."""
    if not settings.metrics:
        return {}
    taken = json.loads(flat.metrics)
    return {name: taken.get(name) for name in settings.metrics}


def before_names(image: ImageResults, settings: TaskSettings) -> str:
    """What stands before the names of an image's files, as tables tell them: its folder, or its place in a tar file.

    "" of an image that has none as the settings have them laid out: it failed, or still lies in the other layout.
    """
    if settings.pieces or image.pack:
        return image.pack if settings.pieces else ""
    return f"{layout.image_folder(image.source.image_id)}/"


def text_of(name: str) -> str:
    """A name as valid UTF-8, which is all that a text in Parquet can be; bytes that are not become `\\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
