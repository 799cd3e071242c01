"""The queries of docs/data-sets.md, run as they stand there."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from builders_report import BuiltRun, built_run, synthetic_results

from flatpipe.features.writing import write_features
from flatpipe.quantize.color_space import srgb_to_oklab
from flatpipe.quantize.knee import suggested_k
from flatpipe.settings import TaskSettings

PAGE = (Path(__file__).parents[2] / "docs" / "data-sets.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Colours as a table\n")[2].partition("\n## ")[0]
BLUE = (0.4291, -0.0132, -0.1678)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltRun]:
    """Images with results, and their features.parquet below `outputs`."""
    run = built_run(tmp_path_factory.mktemp("queries"))
    for result in synthetic_results(60):
        run.store(result)
    write_features(run.results, run.outputs, TaskSettings("/out", features=True))
    yield run
    run.ledger.close()


@pytest.fixture
def answers(run: BuiltRun, monkeypatch) -> dict[str, list[Any]]:
    """What DuckDB and pandas answer to each of the three questions, in rows."""
    monkeypatch.chdir(Path(run.outputs.place).parent)
    queries, programs = (re.findall(rf"^```{kind}\n(.*?)^```", SECTION, re.M | re.S) for kind in ("sql", "python"))
    assert (len(queries), len(programs)) == (3, 3)
    names: dict[str, Any] = {}
    exec("\n".join(programs), names)
    nearest, quality, training = names["nearest"], names["quality"], names["training"]
    with duckdb.connect() as connection:
        asked = [connection.execute(query).fetchall() for query in queries]
    return {
        "DuckDB": asked,
        "pandas": [
            list(nearest[["image", "palette", "distance"]].itertuples(index=False, name=None)),
            [(k, row["mean"], row["size"]) for k, row in quality.iterrows()],
            list(training.itertuples(index=False, name=None)),
        ],
    }


@pytest.mark.parametrize("kind", ["DuckDB", "pandas"])
def test_the_documented_queries_answer(kind: str, run: BuiltRun, answers: dict[str, list[Any]]) -> None:
    """Each of the three queries of the page finds what a plain walk over the ledger finds."""
    near, quality, training = answers[kind]
    images = [(image.source.image_id, run.ledger.flats_of(image.source.image_id)) for image in run.results.images()]
    best = []
    for image_id, flats in images:
        (flat,) = (one for one in flats if one.k == 7)
        gaps = [(math.dist(_oklab(color), BLUE), color) for color, share in zip(flat.palette, flat.shares, strict=True)
                if share >= 0.1]  # fmt: skip
        best += [(min(gaps)[0], image_id, min(gaps)[1])]
    assert [(image_id, color) for image_id, color, _ in near] == [(name, color) for _, name, color in sorted(best)[:20]]
    assert [gap for *_, gap in near] == pytest.approx([gap for gap, *_ in sorted(best)[:20]], abs=1e-4)

    mses = {k: [flat.mse for _, flats in images for flat in flats if flat.k == k] for k in range(2, 16)}
    assert [(k, size) for k, _, size in quality] == [(k, 60) for k in range(2, 16)]
    assert [mse for _, mse, _ in quality] == pytest.approx([sum(values) / 60 for values in mses.values()])

    assert len(training) == 60
    for (image_id, content, k, palette, oklab, shares), (name, flats) in zip(training, images, strict=True):
        assert (image_id, content, k) == (name, "content", suggested_k(range(2, 16), [flat.mse for flat in flats]))
        assert list(palette) == list(flats[k - 2].palette)
        assert list(shares) == pytest.approx(flats[k - 2].shares)
        assert np.array([list(lab) for lab in oklab]) == pytest.approx(np.array([_oklab(c) for c in palette]), abs=2e-5)


def _oklab(color: str) -> list[float]:
    levels = np.frombuffer(bytes.fromhex(color[1:]), np.uint8)
    found: list[float] = srgb_to_oklab(levels[None])[0].tolist()
    return found
