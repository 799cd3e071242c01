"""The columns of features.parquet, and rows of it as Arrow has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from flatpipe.features.color_lists import ColorLists, color_lists
from flatpipe.features.names import NearestNames
from flatpipe.features.rows import FeatureRow
from flatpipe.quantize.knee import psnr
from flatpipe.quantize.options import CostlyMetric, FreeMetric

_MEASURES, _COSTLY = get_args(FreeMetric), get_args(CostlyMetric)
COLUMNS: dict[str, str] = {
    "image": "string",
    "image_bytes": "binary",
    "content": "string",
    **dict.fromkeys(("width", "height", "k", "n_colors"), "int32"),
    "palette": "list<string>",
    "oklab": "list<list<float>>",
    "shares": "list<float>",
    "names": "list<string>",
    **dict.fromkeys((*_MEASURES, *_COSTLY), "double"),
    "suggested": "bool",
    **dict.fromkeys(("group", "notes", "file"), "string"),
}
# ^ each with its type; the same in every file, so that those of several collections are read as one table
REPEATED = ["image", "content", "width", "height", "k", "n_colors", "names.list.element", "group", "notes"]
# ^ columns whose values come often: they are kept once a group, and numbered


def arrow_schema() -> Any:
    """The schema that pyarrow writes."""
    import pyarrow  # late: an extra, and 50 MB of memory

    types = {
        "string": pyarrow.string(),
        "binary": pyarrow.binary(),
        "int32": pyarrow.int32(),
        "double": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "list<string>": pyarrow.list_(pyarrow.string()),
        "list<float>": pyarrow.list_(pyarrow.float32()),
        "list<list<float>>": pyarrow.list_(pyarrow.list_(pyarrow.float32(), 3)),
    }
    return pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


def arrow_batch(rows: Sequence[FeatureRow], names: NearestNames) -> Any:
    """Rows as a batch of that schema."""
    import pyarrow

    lists = color_lists([row.flat.palette for row in rows], [row.flat.weights for row in rows])
    columns = {**_plain_columns(rows), **_color_columns(lists, names)}
    schema = arrow_schema()
    arrays = [pyarrow.array(columns[field.name], field.type) for field in schema]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _plain_columns(rows: Sequence[FeatureRow]) -> dict[str, list[Any]]:
    """The columns that have one value in each row."""
    parts, flats = [row.part for row in rows], [row.flat for row in rows]
    of_images = {name: [getattr(part, name) for part in parts] for name in parts[0]._fields}
    of_flats = {name: [getattr(flat, name) for flat in flats] for name in ("k", "n_colors", "mse")}
    costly = {name: [row.metrics.get(name) for row in rows] for name in _COSTLY}
    own: dict[str, list[Any]] = {"suggested": [row.is_suggested for row in rows], "file": [row.file for row in rows]}
    return {**of_images, **of_flats, "psnr": [psnr(flat.mse) for flat in flats], **costly, **own}


def _color_columns(lists: ColorLists, names: NearestNames) -> dict[str, Any]:
    """The columns that have a list of the palette's length in each row."""
    import pyarrow

    def listed(values: Any) -> Any:
        return pyarrow.ListArray.from_arrays(pyarrow.array(lists.starts), values)

    coordinates = pyarrow.array(lists.oklab_floats.ravel())
    called = pyarrow.array(names.names).take(pyarrow.array(names.rows_of(lists.oklab)))
    return {
        "palette": listed(_hex_texts(lists)),
        "oklab": listed(pyarrow.FixedSizeListArray.from_arrays(coordinates, 3)),
        "shares": listed(pyarrow.array(lists.shares)),
        "names": listed(called),
    }


def _hex_texts(lists: ColorLists) -> Any:
    """Each colour as "#rrggbb": texts of one length, put together without a Python object for each."""
    import pyarrow

    count = len(lists.colors)
    texts = np.full((count, 7), ord("#"), np.uint8)
    texts[:, 1:] = np.frombuffer(lists.colors.tobytes().hex().encode("ascii"), np.uint8).reshape(count, 6)
    offsets = np.arange(0, 7 * count + 1, 7, dtype=np.int32)
    return pyarrow.StringArray.from_buffers(count, pyarrow.py_buffer(offsets), pyarrow.py_buffer(texts))
