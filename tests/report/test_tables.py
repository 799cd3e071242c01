"""results.csv, failures.csv and colors.csv, held against a plain writer of the same rows."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders_report import DIGESTS, HOSTILE_NAMES, BuiltRun, built_run
from hypothesis import given, settings
from hypothesis import strategies as st
from result_strategies import MEASURES, GroupedImage, chosen, colorings, group_of, name_of, results, texts

from flatpipe import layout
from flatpipe.ledger.answers import BesideFile
from flatpipe.ledger.results import ImageResults
from flatpipe.quantize.knee import best_k, missed, psnr
from flatpipe.quantize.options import FixedColor, FlattenOptions
from flatpipe.records import Failure, FlattenResult, ImageResult, ImageSource, LoadToken, PlannedImage
from flatpipe.report.color_rows import COLOR_COLUMNS
from flatpipe.report.tables import FAILURE_COLUMNS, RESULT_COLUMNS, write_tables
from flatpipe.settings import TaskSettings
from flatpipe.text import cell, printable


@settings(max_examples=60, deadline=None)
@given(st.lists(results(), max_size=4, unique_by=lambda result: result.source.image_id), chosen)
def test_results_are_what_a_csv_writer_writes(images: list[ImageResult], asked: TaskSettings) -> None:
    """Whatever names, notes and numbers there are, results.csv is byte for byte that of Python's csv module."""
    with tempfile.TemporaryDirectory() as folder:
        run = built_run(Path(folder))
        for image in images:
            run.ledger.store_plan([PlannedImage(image.source, (), sweep=False, reason="")])
            run.record(image)
        rows = [row for image in run.results.images() for row in _rows(image, asked)]
        assert _written(run, layout.RESULTS, asked) == _as_csv(RESULT_COLUMNS, rows)
        run.ledger.close()


COMMON = FlattenOptions(fixed=(FixedColor("#0a0b0c"),))


@settings(max_examples=40, deadline=None)
@given(st.lists(colorings(), max_size=4, unique_by=(name_of, group_of)), texts, texts)
def test_colours_are_what_a_csv_writer_writes(images: list[GroupedImage], name: str, code: str) -> None:
    """Whatever images, groups, names and codes there are, colors.csv has a row for each colour of each palette."""
    asked = TaskSettings("/out", flatten=COMMON, named=(("#0a0b0c", name, code), ("#ff0000", "=1+1", "")))
    named = {color: (cell(printable(said)), cell(printable(by))) for color, said, by in asked.named}
    groups = {one.result.source.image_id: one.group or "" for one in images}
    with tempfile.TemporaryDirectory() as folder:
        run = built_run(Path(folder))
        for one in images:
            run.store(one.result, one.group)
        rows = [
            (cell(image_id), flat.k, cell(groups[image_id]), index, color, *named.get(color, ("", "")), weight, share)
            for image_id in (image.source.image_id for image in run.results.images())
            for flat in run.ledger.flats_of(image_id)
            for index, (color, weight) in enumerate(zip(flat.palette, flat.weights, strict=True))
            for share in [f"{flat.shares[index]:.6f}"]
        ]
        assert _written(run, layout.COLORS, asked) == _as_csv(COLOR_COLUMNS, rows)
        run.ledger.close()


@pytest.mark.parametrize(
    "asked", [{"is_shared": True}, {"flatten": COMMON}, {"flatten": FlattenOptions(chart=("#0a0b0c",))}]
)
def test_colours_are_told_where_they_are_common(asked: dict[str, Any], tmp_path: Path) -> None:
    """colors.csv is there with palettes that are shared, fixed colours or a chart, is mended, and goes with them."""
    run, plain = built_run(tmp_path), TaskSettings("/out")
    _written(run, layout.COLORS, replace(plain, **asked))
    run.outputs.write(layout.COLORS, b"")
    assert _written(run, layout.COLORS, replace(plain, **asked))
    run.ledger.note_beside([BesideFile(layout.COLORS, "digest", 1)])
    _written(run, layout.RESULTS, plain)
    assert layout.COLORS not in run.outputs.sizes("")


def test_a_table_of_another_stays(tmp_path: Path) -> None:
    """A colors.csv that no run has written is not removed."""
    run = built_run(tmp_path)
    run.outputs.write(layout.COLORS, b"mine")
    _written(run, layout.RESULTS, TaskSettings("/out"))
    assert run.outputs.read(layout.COLORS) == b"mine"


def test_failures_are_what_a_csv_writer_writes(tmp_path: Path) -> None:
    """failures.csv is that of Python's csv module, in the order of ids, whatever the names and messages."""
    run = built_run(tmp_path)
    failure = Failure("load", "truncated", 'it "ends",\nearly')
    for name in HOSTILE_NAMES:
        run.ledger.record_failure(ImageSource(name, f"/photos/{name}", 1, "s"), failure, "run")
    ordered = sorted(HOSTILE_NAMES, key=lambda name: ("\udc80" <= max(name) <= "\udcff", os.fsencode(name)))
    message = printable(failure.message)
    rows = [(cell(name), failure.stage, failure.error, message, f"/photos/{name}") for name in ordered]
    assert _written(run, layout.FAILURES, TaskSettings("/out")) == _as_csv(FAILURE_COLUMNS, rows)


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    """Tables stay as they are until they would tell something else: a failure, a time, a measure; or one is spoilt."""
    run, asked = built_run(tmp_path), TaskSettings("/out")
    source = ImageSource("a.png", "/photos/a.png", 1, "s")
    flat = FlattenResult("a.png", 2, 2, 1.5, ("#0a0b0c",), (9,), 77, "ab", 0.5, (("ssim", 0.5),))
    result = ImageResult(source, LoadToken("a.png", "content", 3, 2, 5), (flat,))
    run.ledger.store_plan([PlannedImage(source, (2,), sweep=True, reason="new")])
    run.record(result)

    def is_written(asked: TaskSettings = asked, *, anew: bool = False) -> bool:
        written = write_tables(run.ledger, run.ledger.results(DIGESTS), run.outputs, asked, anew=anew)
        assert not write_tables(run.ledger, run.ledger.results(DIGESTS), run.outputs, asked)
        return written

    assert is_written()
    assert not is_written()
    assert is_written(anew=True)
    run.record(replace(result, flats=(replace(flat, seconds=0.7),)))
    assert is_written()
    run.add_failed("b.png", "truncated", "short")
    assert is_written()
    assert is_written(replace(asked, metrics=("ssim",)))
    for table in (layout.RESULTS, layout.FAILURES):
        run.outputs.write(table, run.outputs.read(table)[:-1])
        assert is_written(replace(asked, metrics=("ssim",)))
    run.outputs.remove(layout.RESULTS)
    assert is_written(replace(asked, metrics=("ssim",)))


def _written(run: BuiltRun, name: str, asked: TaskSettings) -> bytes:
    write_tables(run.ledger, run.ledger.results(DIGESTS), run.outputs, asked)
    return run.outputs.read(name)


def _rows(image: ImageResults, asked: TaskSettings) -> Iterator[tuple[Any, ...]]:
    ks, curve = [flat.k for flat in image.flats], [flat.mse for flat in image.flats]
    said = [*image.token.notes, missed(ks, curve, asked.target)]
    notes = cell(printable("; ".join(filter(None, said))))
    for flat in image.flats:
        taken = json.loads(flat.metrics)
        costly = [taken.get(name) if name in asked.metrics else None for name in MEASURES]
        file = f"{layout.image_folder(image.source.image_id)}/{layout.flat_name(flat.k, asked.name_width)}"
        yield (
            *(cell(image.source.image_id), flat.k, flat.n_colors, f"{flat.mse:.9g}", f"{psnr(flat.mse):.4f}"),
            *("" if value is None else f"{value:.6f}" for value in costly),
            *(file, flat.bytes, flat.sha256, image.token.width, image.token.height, image.token.distinct_colors),
            *(f"{flat.seconds:.4f}", int(flat.k == best_k(ks, curve, asked.target)), notes),
        )


def _as_csv(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    return b"".join(map(_line, [columns, *rows]))


def _line(row: Sequence[Any]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    # ^ with it every version quotes a lone \r, which a reader needs
    return os.fsencode(text.getvalue().removesuffix("\r\n") + "\n")
