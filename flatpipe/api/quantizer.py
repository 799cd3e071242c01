"""The same in the words of scikit-learn: fit, predict, transform."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from flatpipe.api.checks import check_choice
from flatpipe.api.common import common_palette
from flatpipe.api.image_like import ImageLike
from flatpipe.api.palette import Palette
from flatpipe.errors import ConfigError
from flatpipe.quantize.options import Solver, Space

_PARAMETERS = ("n_colors", "space", "solver", "seed")


class ColorQuantizer:
    """An estimator in scikit-learn's style: fitted to colours, it puts others into the palette that it found.

    It takes colours (n, 3) uint8, a row each, or an image as `flatten` does; an array (H, W) of grey has to be a
    Pillow image when it is three wide. After `fit` it has `palette_`, a Palette, and `cluster_centers_`, the same as
    (n_colors, 3) uint8. Parameters are checked by `fit`.

    >>> import flatpipe, numpy
    >>> colors = numpy.array([[0, 0, 0], [2, 0, 0], [250, 250, 250], [255, 255, 255]], numpy.uint8)
    >>> quantizer = flatpipe.ColorQuantizer(2).fit(colors)
    >>> quantizer.predict(colors).tolist(), quantizer.transform(colors)[:2].tolist()
    ([0, 0, 1, 1], [[1, 0, 0], [1, 0, 0]])
    >>> quantizer.transform("data/kodim03.png").shape
    (512, 768, 3)
    """

    def __init__(
        self, n_colors: int = 8, *, space: Space = "rgb", solver: Solver = "multilevel", seed: int = 0
    ) -> None:
        self.n_colors, self.space, self.solver, self.seed = n_colors, space, solver, seed

    def fit(self, X: ImageLike, y: object = None) -> Self:  # noqa: N803, ARG002 - as pipelines call it
        """Find the palette of colours or an image; returns the estimator itself."""
        self.palette_: Palette = common_palette(
            [_as_image(X)], self.n_colors, space=self.space, solver=self.solver, seed=self.seed
        )
        self.cluster_centers_: NDArray[np.uint8] = self.palette_.rgb
        return self

    def predict(self, X: ImageLike) -> NDArray[np.uint8]:  # noqa: N803
        """Return the palette's row of each colour, (n,) uint8, or of each pixel, (H, W) uint8."""
        if not hasattr(self, "palette_"):
            raise ConfigError("the quantizer has no palette yet: call fit first")
        check_choice("space", self.space, Space)
        labels = self.palette_.apply(_as_image(X), match=self.space).label_map
        return labels[:, 0] if _are_colors(X) else labels

    def transform(self, X: ImageLike) -> NDArray[np.uint8]:  # noqa: N803
        """Return each colour, (n, 3) uint8, or pixel, (H, W, 3) uint8, as the nearest one of the palette."""
        labels = self.predict(X)
        return self.cluster_centers_[labels]

    def fit_transform(self, X: ImageLike, y: object = None) -> NDArray[np.uint8]:  # noqa: N803
        """Return what `fit` and then `transform` give."""
        return self.fit(X, y).transform(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters, as scikit-learn copies and searches them."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name; returns the estimator itself."""
        for name, value in parameters.items():
            if name not in _PARAMETERS:
                raise ConfigError(f"a quantizer has {', '.join(_PARAMETERS)}, and no {name!r}")
            setattr(self, name, value)
        return self


def _are_colors(given: object) -> bool:
    """Whether an array is a list of colours."""
    return isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 3


def _as_image(given: ImageLike) -> ImageLike:
    return given[:, None] if isinstance(given, np.ndarray) and _are_colors(given) else given
