"""flatpipe.Palette, common_palette and ColorQuantizer."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import numpy as np
import pytest
from builders import noisy_pixels
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import flatpipe
from flatpipe import api
from flatpipe.palettes.palette import PaletteColor
from flatpipe.quantize.flatten import flatten_pixels

NAMED = flatpipe.Palette(
    (PaletteColor(0, 0, 0, "Black", "310"), PaletteColor(255, 0, 0), PaletteColor(255, 255, 255, "<White>")), "Three"
)


def nearest(pixels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The palette's colour that is nearest to each pixel, by all distances."""
    distances = ((pixels[..., None, :].astype(int) - palette.astype(int)) ** 2).sum(axis=-1)
    return palette[distances.argmin(axis=-1)]


@pytest.mark.parametrize("name", ["Palette", "common_palette", "ColorQuantizer"])
def test_the_examples_of_the_docstrings_run(name: str, checkout: Path) -> None:
    """Each public name's examples, those of its methods included, give what they say."""
    runner = doctest.DocTestRunner()
    examples = [one for one in doctest.DocTestFinder().find(getattr(api, name), name) if one.examples]
    for example in examples:
        runner.run(example)

    assert examples
    assert runner.failures == 0


def test_a_palette_is_put_onto_an_image() -> None:
    """Each pixel gets the nearest colour, the palette stays whole and in its order, opacity stays."""
    pixels = noisy_pixels(20, 30)
    image = np.dstack([pixels, np.arange(600, dtype=np.uint8).reshape(20, 30)])
    palette = flatpipe.Palette.of_hex(["#ffffff", "#123456", "#00ff00", "#000000", "#123456"])
    flat = palette.apply(image)

    assert flat.hex_colors == palette.hex_colors
    assert np.array_equal(flat.flat, nearest(pixels, palette.rgb))
    assert np.array_equal(flat.alpha, image[..., 3])
    assert not np.array_equal(palette.apply(image, match="oklab").flat, flat.flat)


def test_dithering_mixes_what_is_not_there() -> None:
    """A grey becomes as much white and black as gives its light; without dithering it becomes one of them."""
    grey = np.full((64, 64, 3), 150, np.uint8)
    palette = flatpipe.Palette.read("black-white")
    light = ((150 / 255 + 0.055) / 1.055) ** 2.4

    assert palette.apply(grey).shares.tolist() == [0, 1]
    for dither in ("floyd-steinberg", "blue-noise"):
        assert palette.apply(grey, dither=dither).shares[1] == pytest.approx(light, abs=0.03)


def test_names_go_with_the_colors(tmp_path: Path) -> None:
    """What is saved of an image that was put into a palette has its names and codes, and so has a notebook."""
    flat = NAMED.apply(np.zeros((2, 2, 3), np.uint8))
    flat.save(tmp_path / "flat.csv")

    assert flatpipe.Palette.read(tmp_path / "flat.csv").colors == NAMED.colors
    for shown in (flat._repr_html_(), NAMED._repr_html_()):
        assert "Black [310]" in shown
        assert "&lt;White&gt;" in shown
        assert "<White>" not in shown


def test_a_palette_is_a_record(tmp_path: Path) -> None:
    """Palettes are equal by what they hold, travel between processes, and come back from what they saved."""
    NAMED.save(tmp_path / "three.gpl")
    saved = flatpipe.Palette.read(tmp_path / "three.gpl")

    assert saved == NAMED == pickle.loads(pickle.dumps(NAMED))
    assert repr(saved) == "<Palette 'Three', 3 colours>"
    assert repr(flatpipe.Palette.of_hex(["#000000"])) == "<Palette 1 colour>"


def test_a_common_palette_does_not_depend_on_order() -> None:
    """The order of the images changes nothing, and one image alone gives about what it has as its own palette."""
    images = [noisy_pixels(30, 20, seed=seed) for seed in range(3)]
    common = flatpipe.common_palette(images, 5)

    assert flatpipe.common_palette(reversed(images), 5) == common
    alone = flatpipe.common_palette(images[:1], 5).apply(images[0])
    assert alone.mse <= 1.02 * flatten_pixels(images[0], 5).mse


def test_images_may_count_alike() -> None:
    """By pixels a large image decides, by images a small one as much: two colours go to what has most weight."""
    large = np.zeros((100, 100, 3), np.uint8)
    large[::2] = (0, 0, 60)
    small = np.full((2, 2, 3), 255, np.uint8)
    small[0] = (255, 255, 100)

    assert flatpipe.common_palette([large, small], 3, weigh="pixels").hex_colors[:2] == ("#000000", "#00003c")
    assert flatpipe.common_palette([large, small], 3, weigh="images").hex_colors[1:] == ("#ffff64", "#ffffff")


def test_fixed_colors_stand_where_they_are_asked_for() -> None:
    """Colours that are fixed are in, with their names, in their rows; a chart's are the only ones."""
    images = [noisy_pixels(30, 20)]
    fixed = flatpipe.common_palette(images, 4, fixed={2: NAMED.colors[0], 0: "#ff0000"})

    assert fixed.colors[0].hex == "#ff0000"
    assert fixed.colors[2] == NAMED.colors[0]
    chosen = flatpipe.common_palette(images, 4, chart="pico-8", fixed=[NAMED.colors[0]])
    assert chosen.colors[0] == NAMED.colors[0]
    assert set(chosen.colors[1:]) < set(flatpipe.Palette.read("pico-8").colors)
    assert len(chosen) == 4


def test_a_quantizer_does_what_its_palette_does() -> None:
    """Colours and images are told their rows and become their colours, as brute force has it; in a pipeline too."""
    colors = noisy_pixels(1, 200)[0]
    quantizer = flatpipe.ColorQuantizer(4).fit(colors)

    assert np.array_equal(quantizer.transform(colors), nearest(colors, quantizer.cluster_centers_))
    assert np.array_equal(quantizer.cluster_centers_[quantizer.predict(colors)], quantizer.transform(colors))
    assert np.array_equal(quantizer.transform(colors[None]), quantizer.transform(colors)[None])
    assert np.array_equal(quantizer.predict(Image.fromarray(colors[None])), quantizer.predict(colors)[None])
    assert np.array_equal(make_pipeline(clone(quantizer)).fit_transform(colors), quantizer.transform(colors))
    assert clone(quantizer).set_params(n_colors=2).fit(colors).cluster_centers_.shape == (2, 3)


BLACK = np.zeros((1, 1, 3), np.uint8)
REFUSED = {
    "no palette": (lambda: flatpipe.Palette.read("no/such.gpl"), "there is no such file"),
    "a suffix": (lambda: NAMED.save("a.txt"), "a.txt: the name must end in one of .gpl, .ase, .aco, .act, .pal, .csv"),
    "a dither": (lambda: NAMED.apply(BLACK, dither="bayer"), "dither must be one of none, floyd-steinberg, blue-noise"),
    "a space": (lambda: NAMED.apply(BLACK, match="lab"), "match must be one of rgb, oklab, not 'lab'"),
    "too many": (
        lambda: flatpipe.Palette.of_hex(["#000000"] * 257).apply(BLACK),
        "a flat image has 256 colours at most, and this palette 257",
    ),
    "no image": (lambda: flatpipe.common_palette([], 3), "a common palette needs an image with a visible pixel"),
    "nothing seen": (
        lambda: flatpipe.common_palette([np.zeros((1, 1, 4), np.uint8)], 3),
        "a common palette needs an image with a visible pixel",
    ),
    "a k": (lambda: flatpipe.common_palette([BLACK], 0), "k must be from 1 to 256, not 0"),
    "no k": (lambda: flatpipe.common_palette([BLACK], "3"), "k must be a whole number"),
    "a weight": (lambda: flatpipe.common_palette([BLACK], 3, weigh="size"), "weigh must be one of pixels, images"),
    "a color": (lambda: flatpipe.common_palette([BLACK], 3, fixed=["red"]), "a colour is '#rrggbb', or a PaletteColor"),
    "many fixed": (
        lambda: flatpipe.common_palette([BLACK], 1, fixed=["#000000", "#ffffff"]),
        "2 fixed colours have no room in a palette of 1",
    ),
    "a row": (
        lambda: flatpipe.common_palette([BLACK], 3, fixed={3: "#000000"}),
        "#000000 cannot stand in row 3 of a palette of 3",
    ),
    "a chart": (lambda: flatpipe.common_palette([BLACK], 3, chart="pico8"), "did you mean pico-8?"),
    "not fitted": (
        lambda: flatpipe.ColorQuantizer().predict(BLACK),
        "the quantizer has no palette yet: call fit first",
    ),
    "a parameter": (lambda: flatpipe.ColorQuantizer().set_params(k=3), "a quantizer has n_colors, space, solver, seed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_arguments_that_cannot_be_are_a_sentence(what: str) -> None:
    """Each is refused before anything is computed, by a ConfigError that says what is allowed."""
    call, said = REFUSED[what]

    with pytest.raises(flatpipe.ConfigError) as caught:
        call()
    assert said in str(caught.value)
