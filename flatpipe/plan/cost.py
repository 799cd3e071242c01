"""How long an image is going to take: by the size of its file, and by what was learned from those that came back."""

from __future__ import annotations

from flatpipe.places import is_url
from flatpipe.records import PlannedImage

_PRIOR_SECONDS, _PRIOR_SECONDS_PER_BYTE = 0.02, 0.2e-6
# ^ before anything is known: 128x128 in 15 to 25 ms, a PNG of 700 kB in 110, a JPEG of 6 MB in 1,500, for 14 k
_FETCH_SECONDS = 0.2
# ^ what waits for a web server, whose files nobody has asked the size of
_USUAL_KS = 14
_MEMORY = 0.2
# ^ weight of the newest image in a mean: what came a while ago counts less


class CostModel:
    """Seconds that an image keeps a worker busy, by the size of its file and the number of its k."""

    def __init__(self) -> None:
        self._factors: dict[int, float] = {}
        # ^ measured over expected, by magnitude of the file: the prior need only be right up to a factor

    def seconds(self, image: PlannedImage) -> float:
        """Seconds to expect."""
        return expected_seconds(image) * self._factor(image.source.size.bit_length())

    def learn(self, image: PlannedImage, seconds: float) -> None:
        """Take note of what an image took."""
        magnitude, factor = image.source.size.bit_length(), seconds / expected_seconds(image)
        known = self._factors.get(magnitude)
        self._factors[magnitude] = factor if known is None else known + _MEMORY * (factor - known)

    @property
    def has_learned(self) -> bool:
        """Whether any image has come back."""
        return bool(self._factors)

    def _factor(self, magnitude: int) -> float:
        """That of the nearest magnitude that is known."""
        if magnitude in self._factors or not self._factors:
            return self._factors.get(magnitude, 1.0)
        return self._factors[min(self._factors, key=lambda known: (abs(known - magnitude), known))]


def expected_seconds(image: PlannedImage) -> float:
    """Seconds that an image is going to keep a worker busy, by the size of its file: right up to a factor of a few."""
    if image.is_current:
        return 0.0
    source = image.source
    fetching = 0.0 if source.size or not is_url(source.path) else _FETCH_SECONDS
    share = (len(image.ks) + 1) / (_USUAL_KS + 1)
    return fetching + (_PRIOR_SECONDS + _PRIOR_SECONDS_PER_BYTE * source.size) * share
