"""Another image of the same bytes, whose outputs need only be copied: of a file that was moved, an archive repacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flatpipe.ledger.answers import SettledImage
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import ReadPolicy
from flatpipe.quantize.options import CostlyMetric
from flatpipe.records import ImageSource, SettingsDigests, Twin
from flatpipe.storage.reading import remembered_digests

_MOST = 8
# ^ images of the same bytes that are looked at: of many copies one is enough


class SameBytes:
    """Finds such images, by the size of the bytes and then by their digest; close it after use."""

    def __init__(
        self, ledger: Ledger, digests: SettingsDigests, metrics: Sequence[CostlyMetric], reading: ReadPolicy
    ) -> None:
        """The outputs are those that `digests` ask for, with these measures taken."""
        self._ledger, self._digests, self._metrics = ledger, digests, metrics
        self._known = ledger.known_bytes(digests)
        self._digest_of = remembered_digests(reading)

    def of(self, source: ImageSource, is_given: Callable[[SettledImage], bool]) -> str:
        """The id of an image of the same bytes that lacks nothing; "" when there is none.

        `is_given` tells whether its palettes are those that the source is given.
        """
        alike = self._known.of_size(source) if source.has_exact_size else {}
        if not alike and (source.has_exact_size or self._known.is_empty):
            return ""
        content = self._digest_of(source)
        if not source.has_exact_size:
            alike = self._known.of_content(content, source)
        found = alike.get(content, [])[:_MOST]
        settled = self._ledger.settled(found, self._digests, self._metrics) if content and found else {}
        return next((image_id for image_id in found if image_id in settled and is_given(settled[image_id])), "")

    def close(self) -> None:
        """Drop what was looked up."""
        self._known.close()


def twin_of(ledger: Ledger, image_id: str, ks: Sequence[int]) -> Twin:
    """All that is recorded of an image now, with the flats of these k."""
    sweep, flats = ledger.sweep_of(image_id), ledger.flats_of(image_id)
    made = tuple(flat for flat in flats if flat.k in ks)
    packed = ledger.packs.of([image_id]).get(image_id)
    return Twin(ledger.token_of(image_id), made, sweep.files if sweep else (), packed)
