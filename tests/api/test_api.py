"""import flatpipe: the examples run, arguments are checked, results are those of a run."""

from __future__ import annotations

import base64
import doctest
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import noisy_pixels
from commands import Project
from PIL import Image

import flatpipe
from flatpipe import api
from flatpipe.encode.png import decode_flat
from flatpipe.quantize.options import Dither

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["flatten", "sweep", "run"])
def test_the_examples_of_the_docstrings_run(name: str, checkout: Path) -> None:
    """Each public function's example gives what it says."""
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (example,) = finder.find(getattr(api, name), name)
    runner.run(example)

    assert example.examples
    assert runner.failures == 0


def test_the_examples_of_the_docs_run(checkout: Path) -> None:
    """docs/python.md can be typed as it stands."""
    result = doctest.testfile(str(ROOT / "docs" / "python.md"), module_relative=False)

    assert result.attempted > 15
    assert result.failed == 0
    assert (checkout / "parrots.ase").stat().st_size > 50
    with Image.open(checkout / "parrots.gif") as animation:
        assert animation.n_frames == 8


def test_importing_flatpipe_is_light() -> None:
    """import flatpipe loads neither numpy nor numba nor Dask; flatten loads no Dask."""
    program = (
        "import sys, flatpipe\n"
        "heavy = {'numpy', 'numba', 'dask', 'distributed', 'pydantic', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert {'flatten', 'sweep', 'run', 'load_config'} < set(dir(flatpipe))\n"
        "flatpipe.flatten\nassert not {'dask', 'distributed', 'sklearn'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="no attribute 'flaten'"):
        _ = flatpipe.flaten


def test_no_room_takes_a_name_of_the_api() -> None:
    """No module below flatpipe has a public name: importing it would put itself in that name's place."""
    assert {path.stem for path in Path(flatpipe.__file__).parent.iterdir()} & set(flatpipe.__all__) == set()


def test_a_path_its_bytes_a_picture_and_an_array_are_one_image(tmp_path: Path) -> None:
    """Whatever holds the pixels, the result is the same; grey arrays are grey pictures."""
    pixels = noisy_pixels()
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    expected = flatpipe.flatten(path, 4)

    with Image.open(path) as picture:
        for image in (str(path), path.read_bytes(), picture, pixels):
            flat = flatpipe.flatten(image, 4)
            assert np.array_equal(flat.palette, expected.palette)
            assert np.array_equal(flat.label_map, expected.label_map)
    grey = flatpipe.flatten(pixels[:, :, 0], 3)
    assert (np.ptp(grey.palette.astype(int), axis=1) == 0).all()


@pytest.mark.parametrize(("dither", "max_side"), [("none", 1024), ("floyd-steinberg", 30), ("blue-noise", 1024)])
def test_flatten_and_sweep_save_the_bytes_of_a_run(dither: Dither, max_side: int, tmp_path: Path) -> None:
    """The API's PNG and animation are those that `flatpipe run` writes, byte for byte."""
    animation = {"fade": 2, "captions": True, "max_side": max_side}
    project = Project.make(tmp_path, images=1, animation=animation, flatten={"k": "2-4", "dither": dither})
    summary = flatpipe.run(project.folder / "pipeline.yaml")
    assert (summary.exit_code, summary.pairs) == (0, 3)
    sweep = flatpipe.sweep(project.folder / "photos" / "00.png", [2, 3, 4], dither=dither)
    sweep.save(tmp_path / "sweep.gif", fade=2, captions=True, max_side=max_side)
    for k, flat in sweep.items():
        flat.save(tmp_path / f"k{k:02d}.png")
    for name in ("k02.png", "k03.png", "k04.png", "sweep.gif"):
        assert (tmp_path / name).read_bytes() == (project.out / "images/00.png" / name).read_bytes()


def test_opacity_is_kept_or_composited(tmp_path: Path) -> None:
    """A transparent array or picture is saved with its opacity; a background takes its place when one is named."""
    pixels = np.dstack([noisy_pixels(), np.repeat(np.arange(24, dtype=np.uint8)[:, None] * 11, 32, axis=1)])
    flatpipe.flatten(pixels, 3).save(tmp_path / "a.png")
    saved = decode_flat((tmp_path / "a.png").read_bytes())
    with_ground = flatpipe.flatten(Image.fromarray(pixels), 3, alpha="#ff0000")

    assert saved.alpha is not None
    assert np.array_equal(saved.alpha, pixels[:, :, 3])
    assert with_ground.alpha is None
    assert with_ground.flat[0, 0, 0] > 150


def test_a_notebook_shows_image_and_palette() -> None:
    """_repr_png_ is the image; _repr_html_ holds it with each colour and share, and nothing from elsewhere."""
    flat = flatpipe.flatten(noisy_pixels(), 3)
    with Image.open(io.BytesIO(flat._repr_png_())) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), flat.flat)
    page = flatpipe.sweep(noisy_pixels(), [2, 3])._repr_html_()
    assert page.count("<figure") == 2
    assert all(f"background:{color}" in page for color in flat.hex_colors)
    text = re.sub("<[^>]*>", "", page)
    assert all(f" {color}" in text for color in flat.hex_colors)
    assert text.count("(suggested)") == 1
    assert "script" not in page
    assert "http" not in page


@pytest.mark.parametrize(("word", "best"), [
    ("auto", lambda sweep: flatpipe.sweep(noisy_pixels(), range(2, 16)).suggested_k),
    ("auto:psnr>=20.5", lambda sweep: next(k for k, flat in sweep.items() if flat.psnr >= 20.5)),
    ("auto:psnr>=99", lambda sweep: 15),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_auto_chooses_k_as_a_run_does(word: str, best) -> None:
    """`auto` tries 2 to 15 and gives the knee, `auto:psnr>=N` the first that reaches N dB, or else the last."""
    sweep, flat = flatpipe.sweep(noisy_pixels(), word), flatpipe.flatten(noisy_pixels(), word)

    assert list(sweep) == list(range(2, 16))
    assert sweep.suggested_k == best(sweep)
    assert np.array_equal(flat.flat, sweep[best(sweep)].flat)


@pytest.mark.parametrize("dither", ["none", "blue-noise"])
def test_a_large_sweep_in_a_notebook_is_shrunk(dither: Dither) -> None:
    """The pictures of the grid have 480 pixels at most, and keep colours and transparency."""
    cut = np.dstack([noisy_pixels(600, 900), np.full((600, 900), 255, np.uint8)])
    cut[:300, :, 3] = 0
    page = flatpipe.sweep(cut, [3], dither=dither)._repr_html_()
    found = re.search('base64,([^"]+)', page)
    assert found is not None
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
        assert picture.size == (480, 320)
        assert set(np.unique(np.asarray(picture.convert("RGBA"))[..., 3])) == {0, 255}


@pytest.mark.parametrize(("arguments", "words"), [
    ({"k": "atuo"}, "k must be a whole number, 'auto', or one such as"),
    ({"k": 0}, "k must be from 1 to 256, not 0"),
    ({"k": 2.5}, "k must be a whole number"),
    ({"k": 2, "seed": -1}, "seed must be from 0"),
    ({"k": 2, "space": "lab"}, "space must be one of rgb, oklab, not 'lab'"),
    ({"k": 2, "dither": "bayer"}, "dither must be one of none, floyd-steinberg, blue-noise"),
    ({"k": 2, "solver": "fast"}, "solver must be one of"),
    ({"k": 2, "alpha": "white"}, "alpha must be 'keep' or a background"),
    ({"k": 2, "image": np.zeros((3, 3), np.float32)}, "must be .* of uint8, not 3 x 3 of float32"),
    ({"k": 2, "image": np.zeros((3, 3, 2), np.uint8)}, "not 3 x 3 x 2 of uint8"),
    ({"k": 2, "image": np.zeros((0, 3, 3), np.uint8)}, "not 0 x 3 x 3"),
    ({"k": 2, "image": 7}, "not int"),
    ({"k": 2, "image": Image.new("I;16", (3, 3))}, "mode I;16 is not read"),
    ({"k": 2, "image": Image.new("CMYK", (3, 3))}, "mode CMYK is not read"),
], ids=lambda value: value if isinstance(value, str) else "given")  # fmt: skip
def test_arguments_that_cannot_be_are_named(arguments: dict[str, object], words: str) -> None:
    """A wrong argument is a ConfigError that says what is allowed."""
    with pytest.raises(flatpipe.ConfigError, match=words):
        flatpipe.flatten(**{"image": noisy_pixels(), **arguments})  # type: ignore[arg-type]


def test_files_that_cannot_be_are_image_errors(tmp_path: Path) -> None:
    """A missing file and a text are ImageErrors with their words; an unknown suffix names those that are known."""
    with pytest.raises(flatpipe.ImageError, match=r"none\.png: No such file"):
        flatpipe.flatten(tmp_path / "none.png", 2)
    with pytest.raises(flatpipe.ConfigError, match=r"must end in one of \.png, \.gpl, \.ase"):
        flatpipe.flatten(noisy_pixels(), 2).save(tmp_path / "a.jpg")
    with pytest.raises(flatpipe.ConfigError, match="must end in one of"):
        flatpipe.sweep(noisy_pixels(), [2]).save(tmp_path / "a.avi")
    with pytest.raises(flatpipe.ConfigError, match="fade must be from 0 to 4 for a frame_ms of 100, not 5"):
        flatpipe.sweep(noisy_pixels(), [2]).save(tmp_path / "a.gif", frame_ms=100, fade=5)
    with pytest.raises(flatpipe.ConfigError, match="go to load_config"):
        flatpipe.run(flatpipe.load_config(ROOT / "pipeline.yaml"), ["flatten.k=2"])
