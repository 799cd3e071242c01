"""Parquet files that are no good, or no images; with what must come of each. Empty where pyarrow is not installed."""

from __future__ import annotations

import importlib.util
import io

from archive_builders import Case, parquet_of, table_of

SOUND = b"sound"
BYTES_AND_PATH = [{"bytes": SOUND, "path": "a.png"}, {"bytes": SOUND, "path": "z.png"}]


def _table_of_arrays(*names: str) -> bytes:
    """A file whose columns need not have names of their own; those called path are texts."""
    import pyarrow
    import pyarrow.parquet

    columns = [pyarrow.array(["a.png"] if name == "path" else [SOUND]) for name in names]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, names), file)
    return file.getvalue()


def cases() -> dict[str, Case]:
    """Every case by its name."""
    import pyarrow

    sound = table_of({"image": BYTES_AND_PATH}, compression="none")
    numbered = {"000000": "sound", "000001": "sound"}
    unsupported, damaged = {"": "unsupported"}, {"": "decoder-error"}
    large = parquet_of({f"{n}.png": bytes(1000) for n in range(4)}, compression="none")
    made = {
        "nothing": (b"", unsupported),
        "another file": (b"\x89PNG" * 10, unsupported),
        "the magic alone": (b"PAR1PAR1", {"": "truncated"}),
        "the end is missing": (sound[:-9], {"": "truncated"}),
        "the start is missing": (sound[9:], unsupported),
        "a directory longer than the file": (sound[:-8] + b"\xff\xff\xff\x7fPAR1", damaged),
        "a directory of noise": (sound[:-60] + b"\x7f" * 52 + sound[-8:], damaged),
        "an encrypted directory": (sound[:-4] + b"PARE", unsupported),
        "a directory said to be small": (sound[:-8] + b"\x04\0\0\0PAR1", damaged),
        "no column": (table_of({}), unsupported),
        "texts": (table_of({"image": ["a.png", "b.png"]}), unsupported),
        "numbers": (table_of({"image": [1, 2]}), unsupported),
        "lists of bytes": (table_of({"image": [[SOUND], [SOUND, SOUND]]}), unsupported),
        "lists of images": (table_of({"image": [BYTES_AND_PATH]}), unsupported),
        "paths without bytes": (table_of({"image": [{"path": "a.png"}]}), unsupported),
        "a struct of other things": (table_of({"image": [{"bytes": "text", "path": "a"}]}), unsupported),
        "two columns of bytes": (table_of({"image": [SOUND], "mask": [SOUND]}), unsupported),
        "a column with a dot": (table_of({"a.b": [SOUND]}), unsupported),
        "no row": (table_of({"image": pyarrow.array([], pyarrow.binary())}), {}),
        "bytes alone": (table_of({"image": [SOUND, SOUND]}), numbered),
        "large bytes": (table_of({"image": pyarrow.array([SOUND, SOUND], pyarrow.large_binary())}), numbered),
        "bytes and names as views": (
            table_of(
                {
                    "b": pyarrow.array([SOUND, SOUND], pyarrow.binary_view()),
                    "path": pyarrow.array(["a.png", "z.png"], pyarrow.string_view()),
                }
            ),
            {"a.png": "sound", "z.png": "sound"},
        ),
        "two columns of one name": (_table_of_arrays("image", "image"), unsupported),
        "two columns of paths": (_table_of_arrays("image", "path", "path"), {"000000": "sound"}),
        "bytes of one length": (table_of({"image": pyarrow.array([SOUND, SOUND], pyarrow.binary(5))}), numbered),
        "bytes as a dictionary": (table_of({"image": pyarrow.array([SOUND] * 2).dictionary_encode()}), numbered),
        "bytes with names beside": (
            table_of({"b": [SOUND, SOUND], "file_name": ["a.png", "b.txt"]}),
            {"a.png": "sound"},
        ),
        "rows of null": (table_of({"image": [SOUND, None]}), {"000000": "sound", "000001": "unsupported"}),
        "images of null": (
            table_of({"image": [BYTES_AND_PATH[0], None, {"bytes": None, "path": "n.png"}]}),
            {"a.png": "sound", "000001": "unsupported", "n.png": "unsupported"},
        ),
        "a path twice": (table_of({"image": [BYTES_AND_PATH[0]] * 2}), numbered),
        "a path that is a folder of another": (
            table_of({"image": [{"bytes": SOUND, "path": path} for path in ("a.png", "a.png/b.png")]}),
            {"a.png": "sound", "a.png/b.png": "unsupported"},
        ),
        "paths that lead out": (
            table_of(
                {"image": [{"bytes": SOUND, "path": path} for path in ("../a.png", "/a.png", "", "a/", "C:\\a.png")]}
            ),
            {f"{number:06d}": "sound" for number in range(5)},
        ),
        "paths with a NUL, and none": (
            table_of({"image": [{"bytes": SOUND, "path": path} for path in ("a\0.png", None)]}),
            numbered,
        ),
        "paths as a dictionary": (
            table_of({"b": [SOUND, SOUND], "path": pyarrow.array(["a.png", "z.png"]).dictionary_encode()}),
            {"a.png": "sound", "z.png": "sound"},
        ),
        "an image larger than memory allows": (
            table_of({"image": [SOUND, b"\0" * (3 << 20), SOUND, SOUND]}),
            {"000000": "sound", "000001": "too-large", "000002": "sound", "000003": "sound"},
        ),
        "pages of noise": (
            large[:4] + b"\xee" * 400 + large[404:],
            {"0.png": "decoder-error", "1.png": "decoder-error", "2.png": "read", "3.png": "read"},
        ),
    }
    return {f"parquet: {name}": Case(content, rows, "parquet") for name, (content, rows) in made.items()}


PARQUET_CASES = cases() if importlib.util.find_spec("pyarrow") else {}
