"""Three ways to the same clusters behind one signature: the default, scikit-learn's, and one to be read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.kmeans import Clusters, refine
from flatpipe.quantize.levels import ColorLevels
from flatpipe.quantize.options import Solver
from flatpipe.quantize.seeding import pick_spread

_STARTS = 4


def multilevel(levels: ColorLevels, k: int, seed: int) -> Clusters:
    """Return k clusters of the finest table: searched for on a coarse table, then refined level by level."""
    coarse_to_fine = [table for table in reversed(levels.tables) if table.n > 4 * k] or [levels.finest]
    random = np.random.default_rng([seed, k])
    trials = 2 + int(np.log(k))
    start = coarse_to_fine[0]
    draws = [random.random((k, trials)) for _ in range(_STARTS)]
    found = [refine(start, pick_spread(start.positions, start.counts, k, draw), tol=0.01) for draw in draws]
    best = min(found, key=lambda clusters: clusters.distortion)
    for table in coarse_to_fine[1:]:
        best = refine(table, best.centroids, tol=0.02)
    return best


def sklearn(levels: ColorLevels, k: int, seed: int) -> Clusters:
    """Return k clusters of the finest table by scikit-learn's KMeans: k-means++ and Lloyd, one thread."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    points = levels.finest
    coordinates = points.positions.T.astype(np.float64)
    model = KMeans(k, init="k-means++", n_init=1, random_state=seed, algorithm="lloyd")
    with threadpool_limits(1):
        # ^ a task has one compute thread, and sums added by several threads differ from run to run
        model.fit(coordinates, sample_weight=points.counts)
    return Clusters(model.labels_.astype(np.uint8), model.cluster_centers_, float(model.inertia_))


def textbook(levels: ColorLevels, k: int, seed: int) -> Clusters:
    """Return k clusters of the finest table by Lloyd's iteration as the textbooks give it.

    S. P. Lloyd, "Least squares quantization in PCM", 1982: repeat (1) each colour joins its nearest centroid,
    (2) each centroid moves to the mean of its colours, until no centroid moves.
    """
    colors = levels.finest.positions.T.astype(np.float64)
    counts = levels.finest.counts
    centroids = np.random.default_rng([seed, k]).choice(colors, size=k, replace=False, p=counts / counts.sum())
    while True:
        labels = _nearest_centroid(colors, centroids)
        means = centroids.copy()
        for cluster in range(k):
            members = labels == cluster
            if members.any():
                means[cluster] = np.average(colors[members], axis=0, weights=counts[members])
        if np.array_equal(means, centroids):
            break
        centroids = means
    distortion = float(np.sum(counts * np.sum((colors - centroids[labels]) ** 2, axis=1)))
    return Clusters(labels.astype(np.uint8), centroids, distortion)


def _nearest_centroid(colors: NDArray[np.float64], centroids: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the row of the centroid nearest to each colour, the lowest of equals. (n,) intp."""
    squared = np.stack([np.sum((colors - centroid) ** 2, axis=1) for centroid in centroids])
    nearest: NDArray[np.intp] = np.argmin(squared, axis=0)
    return nearest


SOLVERS: dict[Solver, Callable[[ColorLevels, int, int], Clusters]] = {
    "multilevel": multilevel,
    "sklearn": sklearn,
    "textbook": textbook,
}
