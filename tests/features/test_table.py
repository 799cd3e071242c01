"""features.parquet, held against results.csv, palettes.json and plain arithmetic on the ledger's rows."""

from __future__ import annotations

import csv
import json
import math
import os
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from builders import write_image
from builders_report import BuiltRun, built_run, synthetic_results
from commands import Project
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from result_strategies import MEASURES, GroupedImage, chosen, colorings, group_of, name_of

from flatpipe import layout
from flatpipe.config import load_config
from flatpipe.features.table import COLUMNS
from flatpipe.features.writing import write_features
from flatpipe.palettes.charts import chart
from flatpipe.pipeline import run as run_pipeline
from flatpipe.report.tables import write_tables
from flatpipe.settings import TaskSettings
from flatpipe.text import uncell

PLAIN = TaskSettings("/out", features=True)


@settings(max_examples=25, deadline=None)
@example([GroupedImage(next(synthetic_results(1)), None)], TaskSettings("/out", target="psnr>=90"))
@given(st.lists(colorings(), max_size=4, unique_by=(name_of, group_of)), chosen)
def test_rows_are_those_of_results_csv(images: list[GroupedImage], asked: TaskSettings) -> None:
    """Whatever names, notes, numbers and groups there are, rows and values are those of results.csv, in its order."""
    with tempfile.TemporaryDirectory() as folder:
        run = _filled_run(Path(folder), images)
        write_tables(run.ledger, run.results, run.outputs, replace(asked, features=True))
        told, rows = _csv_rows(run, layout.RESULTS), _rows(run)
        groups = {name_of(one): one.group for one in images}
        run.ledger.close()
    assert len(rows) == len(told)
    for row, line in zip(rows, told, strict=True):
        image_id = uncell(line["image"])
        assert _id_of(row) == image_id
        assert (row["image_bytes"] is None) == _is_text(image_id)
        assert row["group"] == _as_text(groups[image_id])
        assert row["file"] == (_as_text(line["file"]) or None)
        assert row["notes"] == uncell(line["notes"])
        assert row["suggested"] is (line["suggested"] == "1")
        assert [str(row[name]) for name in ("k", "n_colors", "width", "height")] == [
            line[name] for name in ("k", "n_colors", "width", "height")
        ]
        assert (f"{row['mse']:.9g}", f"{row['psnr']:.4f}") == (line["mse"], line["psnr"])
        assert ["" if row[name] is None else f"{row[name]:.6f}" for name in MEASURES] == [line[n] for n in MEASURES]


@settings(max_examples=25, deadline=None)
@given(st.lists(colorings(), max_size=4, unique_by=(name_of, group_of)), st.booleans())
def test_colours_are_those_of_the_ledger(images: list[GroupedImage], has_names: bool) -> None:
    """Each palette comes with its shares, its OKLab by Ottosson's own formulas, and the names nearest to it there."""
    given_names = (("#0a0b0d", "ink\n", "K 1"), ("#fe0000", "", "R 2"))
    asked = replace(PLAIN, named=given_names if has_names else ())
    known = {"#0a0b0d": "ink", "#fe0000": "R 2"} if has_names else {c.hex: c.name for c in chart("css").colors}
    with tempfile.TemporaryDirectory() as folder:
        run = _filled_run(Path(folder), images)
        write_features(run.results, run.outputs, asked)
        rows = _rows(run)
        flats = {(name_of(one), k): flat for one in images for k, flat in _flats_of(run, one).items()}
        run.ledger.close()
    assert {(_id_of(row), row["k"]) for row in rows} == flats.keys()
    for row in rows:
        flat = flats[_id_of(row), row["k"]]
        assert row["palette"] == list(flat.palette)
        assert row["shares"] == [float(np.float32(share)) for share in flat.shares]
        assert row["content"] == "content"
        for color, lab, name in zip(row["palette"], row["oklab"], row["names"], strict=True):
            assert lab == pytest.approx(_oklab(color), abs=0.5 / 32768 + 1e-9)
            assert [32768 * part for part in lab] == [round(32768 * part) for part in lab]
            gaps = {other: math.dist(_oklab(color), _oklab(other)) for other in known}
            assert name in {known[other] for other, gap in gaps.items() if gap < min(gaps.values()) + 1e-4}


def test_a_clear_image_and_one_without_results(tmp_path: Path) -> None:
    """An image in which nothing counts has shares of 0; images that failed or wait have no row."""
    run = _small_run(tmp_path)
    run.add_failed("broken.png", "truncated", "short")
    run.add_waiting("later.png")
    clear = run.ledger.flats_of("b.png")
    assert {flat.weights for flat in clear} == {(0, 0)}
    write_features(run.results, run.outputs, PLAIN)
    assert {row["image"] for row in _rows(run)} == {"a.png", "b.png"}
    assert [row["shares"] for row in _rows(run) if row["image"] == "b.png"] == [[0, 0]] * len(clear)


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    """Before the first result the file has every column, each of its type, and no row."""
    run = built_run(tmp_path)
    write_features(run.results, run.outputs, PLAIN)
    table = _table(run)
    assert (table.num_rows, table.column_names) == (0, list(COLUMNS))


@pytest.mark.parametrize("case", [
    {"flatten": {"k": "2-4", "dither": "floyd-steinberg", "space": "oklab"}, "output": {"flats": "best"}},
    {"flatten": {"k": [2, 4]}, "palette": {"scope": "collection", "from": "pico-8"}, "output": {"palettes": "gpl"}},
], ids=["dithered", "shared"])  # fmt: skip
def test_a_run_tells_the_same_everywhere(case: dict[str, Any], tmp_path: Path) -> None:
    """After a run each row is that of results.csv, and its colours are those of palettes.json, names of a chart too."""
    project = Project(tmp_path)
    for number, name in enumerate(("a.png", "sub/=b,\n.png")):
        write_image(tmp_path / "photos" / name, seed=number)
    Image.new("RGBA", (9, 7), (200, 0, 0, 0)).save(tmp_path / "photos" / "clear.png")
    (tmp_path / "photos" / "broken.png").write_bytes(b"none")
    fixed = {"output": {"path": "out", "features": True, "metrics": ["ssim"], **case.get("output", {})}}
    project.configure(**{**case, **fixed, "animation": {"enabled": False}, "report": {"enabled": False}})
    summary = run_pipeline(load_config(project.folder / "pipeline.yaml"))
    assert (summary.done, summary.failed) == (3, 1)

    rows, lines = pyarrow.parquet.read_table(project.out / layout.FEATURES).to_pylist(), project.rows("results.csv")
    assert [(row["image"], str(row["k"])) for row in rows] == [(uncell(line["image"]), line["k"]) for line in lines]
    for row, line in zip(rows, lines, strict=True):
        content = json.loads((project.out / "images" / row["image"] / "palettes.json").read_text())
        (entry,) = (one for one in content["palettes"] if one["k"] == row["k"])
        assert row["palette"] == [color["hex"] for color in entry["colors"]]
        assert [round(share, 6) for share in row["shares"]] == pytest.approx(
            [color["share"] for color in entry["colors"]], abs=1e-6
        )
        assert row["mse"] == pytest.approx(entry["mse"], abs=1e-6)
        assert (f"{row['mse']:.9g}", row["file"], row["suggested"]) == (
            *(line["mse"], line["file"] or None),
            line["suggested"] == "1",
        )
        assert line["ssim"] == ("" if row["ssim"] is None else f"{row['ssim']:.6f}")
        assert row["file"] is None or (project.out / row["file"]).is_file()
        assert row["group"] == ("collection" if "palette" in case else None)
        if "palette" in case:
            assert row["names"] == [color["name"] for color in entry["colors"]]


def test_files_in_shards_are_told_by_their_members(tmp_path: Path) -> None:
    """With output.layout: shards, `file` is a tar file and a member that it has, as in results.csv."""
    project = Project.make(tmp_path, images=2, output={"path": "out", "features": True, "layout": "shards"},
                           flatten={"k": [2]}, animation={"enabled": False})  # fmt: skip
    run_pipeline(load_config(project.folder / "pipeline.yaml"))
    files = [row["file"] for row in pyarrow.parquet.read_table(project.out / layout.FEATURES).to_pylist()]
    assert files == [line["file"] for line in project.rows("results.csv")]
    for file in files:
        shard, _, member = file.rpartition("/")
        with tarfile.open(project.out / shard) as tar:
            assert tar.getmember(member).isfile()


def _filled_run(folder: Path, images: Sequence[GroupedImage]) -> BuiltRun:
    run = built_run(folder)
    for one in images:
        run.store(one.result, one.group)
    return run


def _small_run(folder: Path) -> BuiltRun:
    """Two images: one of noise, and one that is clear all over."""
    run = built_run(folder, ks=(2, 3))
    run.add("a.png", np.random.default_rng(0).integers(0, 256, (8, 9, 3)).astype(np.uint8))
    run.add("b.png", np.tile(np.array([[[10, 20, 30], [200, 100, 0]]], np.uint8), (4, 3, 1)))
    run.ledger._db.execute("UPDATE flats SET weights = '0 0' WHERE image_id = 'b.png'")
    return run


def _flats_of(run: BuiltRun, one: GroupedImage) -> dict[int, Any]:
    return {flat.k: flat for flat in run.ledger.flats_of(name_of(one))}


def _table(run: BuiltRun) -> Any:
    return pyarrow.parquet.read_table(Path(run.outputs.place) / layout.FEATURES)


def _rows(run: BuiltRun) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _table(run).to_pylist()
    return rows


def _csv_rows(run: BuiltRun, name: str) -> list[dict[str, str]]:
    path = Path(run.outputs.place) / name
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def _id_of(row: dict[str, Any]) -> str:
    """The id that a row tells of, whatever bytes it has."""
    return row["image"] if row["image_bytes"] is None else os.fsdecode(row["image_bytes"])


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_text(name: str | None) -> str | None:
    return None if name is None else os.fsencode(name).decode("utf-8", "backslashreplace")


def _oklab(color: str) -> tuple[float, float, float]:
    """Oklab of "#rrggbb" as its author wrote it down: https://bottosson.github.io/posts/oklab/."""
    levels = [level / 255 for level in bytes.fromhex(color[1:])]
    r, g, b = (level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels)
    l = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)  # noqa: E741
    m = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )
