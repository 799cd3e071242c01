"""The ways to the same clusters behind one signature: the default, scikit-learn's, and one to be read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.options import Solver
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.search.multilevel import multilevel

Centroids = NDArray[np.float64]

_MAX_ROUNDS = 1000
# ^ photographs need 20 to 200 until nothing changes


def sklearn(pyramid: ColorPyramid, k: int, seed: int) -> Centroids:
    """Return k centroids (k, 3) of the colours by scikit-learn's KMeans: k-means++ and Lloyd, one thread."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    colors = pyramid.colors.positions.T.astype(np.float64)
    model = KMeans(k, init="k-means++", n_init=1, random_state=seed, algorithm="lloyd")
    with threadpool_limits(1):
        # ^ a task has one compute thread, and sums added by several threads differ from run to run
        model.fit(colors, sample_weight=pyramid.colors.sums[:, 3])
    centroids: Centroids = model.cluster_centers_
    return centroids


def textbook(pyramid: ColorPyramid, k: int, seed: int) -> Centroids:
    """Return k centroids (k, 3) of the colours by Lloyd's iteration as the textbooks give it.

    S. P. Lloyd, "Least squares quantization in PCM", 1982: repeat (1) each colour joins its nearest centroid,
    (2) each centroid moves to the mean of its colours, until no colour changes its cluster.
    """
    colors = pyramid.colors.positions.T.astype(np.float64)
    counts = pyramid.colors.sums[:, 3]
    centroids = np.random.default_rng([seed, k]).choice(colors, size=k, replace=False, p=counts / counts.sum())
    labels = np.full(len(colors), -1)
    for _ in range(_MAX_ROUNDS):
        last_labels, labels = labels, _nearest_centroid(colors, centroids)
        if np.array_equal(labels, last_labels):
            break
        for cluster in range(k):
            members = labels == cluster
            if members.any():
                centroids[cluster] = np.average(colors[members], axis=0, weights=counts[members])
    return centroids


def _nearest_centroid(colors: NDArray[np.float64], centroids: Centroids) -> NDArray[np.intp]:
    """Return the row of the centroid nearest to each colour, the lowest of equals. (n,) intp."""
    squared = np.stack([np.sum((colors - centroid) ** 2, axis=1) for centroid in centroids])
    nearest: NDArray[np.intp] = np.argmin(squared, axis=0)
    return nearest


SOLVERS: dict[Solver, Callable[[ColorPyramid, int, int], Centroids]] = {
    "multilevel": multilevel,
    "sklearn": sklearn,
    "textbook": textbook,
}
