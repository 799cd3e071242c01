"""The images of an input, dealt: those of a part pass, the others are counted, and a digest says what was there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flatpipe.plan.parts.part import RunPart
from flatpipe.records import ImageSource, RefusedFile


@dataclass(slots=True)
class Dealing:
    """What passes of an input, for one part, and how much there is in all. For one way through the input."""

    part: RunPart
    listed: int = 0
    # ^ images of all parts; files, where each frame is an image
    _digest: Any = field(default_factory=hashlib.sha256)

    def own(self, sources: Iterable[ImageSource | RefusedFile]) -> Iterator[ImageSource | RefusedFile]:
        """The part's own of these sources, and of the files that will not be opened."""
        for item in sources:
            image_id = item.source.image_id if isinstance(item, RefusedFile) else item.image_id
            self.listed += 1
            self._digest.update(os.fsencode(image_id) + b"\0")
            if self.part.holds(image_id):
                yield item

    @property
    def listing(self) -> str:
        """A digest of the ids of all images: parts with equal ones have dealt the same input."""
        return str(self._digest.hexdigest())[:32]
