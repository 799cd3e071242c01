"""What a worker does: records that agree with the files, and failures as records."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import imageio.v3 as iio
import numpy as np
import psutil
import pytest
from builders import noisy_pixels, settings_for, source_of, write_image
from file_builders import scan_bomb
from PIL import Image, ImageSequence
from waiting import wait_for

from flatpipe import layout
from flatpipe.decode.apart import decoding
from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.encode.png import decode_flat
from flatpipe.quantize.color_space import linear_light
from flatpipe.quantize.options import Dither, FlattenOptions
from flatpipe.records import ImageResult, ImageSource, PlannedImage
from flatpipe.settings import AnimationOptions, TaskSettings
from flatpipe.vocabulary import AnimationFormat, PictureFormat
from flatpipe.work import flats, loaded, sweep, tasks
from flatpipe.work.loaded import ImageKey
from flatpipe.work.worker import stop_run, this_worker

DATA = Path(__file__).parent.parent.parent / "data"
KS = (2, 3, 5, 8)
ANIMATIONS = [
    kind for kind in get_args(AnimationFormat) if kind in get_args(PictureFormat) or importlib.util.find_spec("av")
]


@pytest.fixture(autouse=True)
def fresh_worker() -> None:
    """Each test begins with an empty cache."""
    this_worker().images.clear()


def do_image(source: ImageSource, settings: TaskSettings, ks: tuple[int, ...] = KS) -> ImageResult:
    """All tasks of one image, in order."""
    token = tasks.load(source, settings)
    fresh = [tasks.flatten(token, source, k, settings) for k in ks]
    return tasks.sweep(token, fresh, source, (), settings)


def pixels_of(path: Path) -> np.ndarray:
    """Decoded pixels (H, W, 3) of an image file, by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("name", "dither"), [("kodim03.png", "none"), ("kodim23.png", "floyd-steinberg"), ("kodim05.png", "blue-noise")]
)
def test_the_recorded_mse_is_that_of_the_written_file(name: str, dither: Dither, tmp_path: Path) -> None:
    """On photographs, mse equals to six digits the mean squared distance between source and decoded PNG."""
    settings = replace(settings_for(tmp_path, enabled=False), flatten=FlattenOptions(dither=dither))
    result = do_image(source_of(DATA / name), settings)
    original = pixels_of(DATA / name).astype(np.float64)

    for flat in result.flats:
        written = pixels_of(tmp_path / "images" / name / f"k{flat.k:02d}.png")
        measured = ((original - written) ** 2).sum(axis=2).mean()
        assert flat.mse == pytest.approx(measured, rel=1e-6)
        assert len(np.unique(written.reshape(-1, 3), axis=0)) == flat.n_colors == flat.k


def test_the_record_of_a_sweep_names_every_file_with_its_digest(tmp_path: Path) -> None:
    """All that a sweep task writes stands in its record, so that the ledger can check it and knows what is ours."""
    source = source_of(write_image(tmp_path / "in" / "a.png"), "trips/a.png")
    settings = TaskSettings(str(tmp_path / "out"), palettes=("gpl",), stills=True)
    result = do_image(source, settings)

    assert result.sweep is not None
    written = {path.relative_to(tmp_path / "out"): path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    flats = {Path(f"images/trips/a.png/k{k:02d}.png") for k in KS}
    named = {Path(name if "/" in name else f"images/trips/a.png/{name}"): digest for name, digest in result.sweep.files}
    assert named.keys() == written.keys() - flats
    assert len(named) == 2 + 2 + 3 + len(KS)
    for name, digest in named.items():
        assert hashlib.sha256(written[name].read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
def test_records_agree_with_the_files(dither: Dither, tmp_path: Path) -> None:
    """Sizes, digests, palettes and pixel counts in the records are those of the files on disk."""
    settings = replace(settings_for(tmp_path / "out"), flatten=FlattenOptions(dither=dither))
    result = do_image(source_of(write_image(tmp_path / "a.png")), settings)
    folder = tmp_path / "out" / "images" / "a.png"

    assert result.failure is None
    assert result.sweep is not None
    for flat in result.flats:
        content = (folder / f"k{flat.k:02d}.png").read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (flat.bytes, flat.sha256)
        with Image.open(io.BytesIO(content)) as image:
            colors, counts = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_counts=True)
        by_color = {f"#{r:02x}{g:02x}{b:02x}": n for (r, g, b), n in zip(colors.tolist(), counts.tolist(), strict=True)}
        assert dict(zip(flat.palette, flat.weights, strict=True)) == by_color
    palettes = json.loads((folder / "palettes.json").read_text())
    assert [entry["k"] for entry in palettes["palettes"]] == list(KS)
    assert hashlib.sha256((folder / "sweep.gif").read_bytes()).hexdigest() == result.sweep.animation_sha256


@pytest.mark.parametrize("dither", get_args(Dither))
def test_the_sweep_shows_the_flats_and_then_the_original(dither: Dither, tmp_path: Path) -> None:
    """Frames of the GIF, read by Pillow and by imageio, are the pixels of the PNGs; the last is near the source."""
    photo = write_image(tmp_path / "a.png", height=48, width=64)
    do_image(source_of(photo), replace(settings_for(tmp_path / "out"), flatten=FlattenOptions(dither=dither)))
    folder = tmp_path / "out" / "images" / "a.png"
    with Image.open(folder / "sweep.gif") as sweep:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(sweep)]

    assert len(frames) == len(KS) + 1
    for frame, by_imageio, k in zip(frames, iio.imread(folder / "sweep.gif"), KS, strict=False):
        flat = pixels_of(folder / f"k{k:02d}.png")
        assert np.array_equal(frame, flat)
        assert np.array_equal(by_imageio[..., :3], flat)
    assert np.abs(frames[-1].astype(int) - pixels_of(photo)).mean() < 12


@pytest.mark.parametrize(
    "settings",
    [
        *(settings_for(Path(), format=kind, max_side=100) for kind in ANIMATIONS),
        *(settings_for(Path(), format=kind, captions=True, fade=1) for kind in ANIMATIONS),
        replace(settings_for(Path()), stills=True, palettes=("gpl",), target="knee"),
        replace(settings_for(Path(), max_side=100, fade=1), flatten=FlattenOptions(dither="floyd-steinberg")),
        replace(settings_for(Path(), enabled=False), stills=True, flatten=FlattenOptions(dither="blue-noise")),
        replace(settings_for(Path(), enabled=False), stills=True),
    ],
)
def test_files_are_the_same_whatever_the_shape_of_tasks(settings: TaskSettings, tmp_path: Path) -> None:
    """In one task, with a task per k, with some k kept, in a process that made none: the same files, the same bytes."""
    pixels, alpha = noisy_pixels(120, 130), np.tile(np.linspace(0, 255, 130).astype(np.uint8), (120, 1))
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "a.png")
    source, made = source_of(tmp_path / "a.png"), []
    for fresh_ks in (KS, KS[::-1], KS[1:3], ()):
        own = replace(settings, output=str(tmp_path / str(len(made))), widest_k=8)
        whole = tasks.whole_image(PlannedImage(source, KS, sweep=True, reason=""), (), own)
        if made:
            for name, _ in whole.sweep.files if whole.sweep else ():
                Path(own.output, layout.sweep_file("a.png", name)).unlink()
            token = tasks.load(source, own)
            fresh = [tasks.flatten(token, source, k, own) for k in fresh_ks]
            kept = tuple(flat for flat in whole.flats if flat.k not in fresh_ks)
            assert tasks.sweep(token, fresh, source, kept, own, tasks.prepare(token, source, own)).failure is None
        files = (path for path in Path(own.output).rglob("*") if path.is_file())
        made.append({str(path.relative_to(own.output)): path.read_bytes() for path in files})
    assert len(made[0]) > len(KS)
    assert all(files == made[0] for files in made)


@pytest.mark.parametrize("dither", ["floyd-steinberg", "blue-noise"])
def test_shrunk_frames_are_dithered_in_the_flats_own_colors(dither: Dither, tmp_path: Path) -> None:
    """A frame too small for the pattern has its own, in the same colours; small flats on the page are the files."""
    light = np.linspace(40, 220, 300)[:, None, None].repeat(400, axis=1).repeat(3, axis=2).astype(np.uint8)
    Image.fromarray(light).save(tmp_path / "a.png")
    settings = replace(settings_for(tmp_path / "out", max_side=200), flatten=FlattenOptions(dither=dither))
    result = do_image(source_of(tmp_path / "a.png"), settings, (2, 5))
    folder = tmp_path / "out" / "images" / "a.png"
    with Image.open(folder / "sweep.gif") as sweep:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(sweep)][:2]

    assert result.failure is None
    for k, frame in zip((2, 5), frames, strict=True):
        flat = pixels_of(folder / f"k{k:02d}.png")
        assert frame.shape == (150, 200, 3)
        assert {*np.unique(frame)} == {*np.unique(flat)}
        seen = [linear_light(one[:, :, 0] / 255).reshape(10, -1).mean(axis=1) for one in (frame, flat)]
        assert np.abs(seen[0] - seen[1]).max() < 0.01
    assert '"opaque": false' in (tmp_path / "out" / layout.picture_name("a.png", "original.js")).read_text()


def test_nothing_is_made_twice_nor_read_back_where_each_k_is_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep whose flats and original were done beside each other only assembles: one decoding, one frame each."""
    calls: Counter[str] = Counter()
    for module, name in (
        (decoding, "decode"),
        (loaded, "encode_last"),
        (loaded, "original_pictures"),
        (sweep, "encode_flat"),
    ):
        monkeypatch.setattr(module, name, counted(calls, getattr(module, name)))
    source, settings = source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out")
    token = tasks.load(source, settings)
    original = tasks.prepare(token, source, settings)
    fresh = [tasks.flatten(token, source, k, settings) for k in KS]
    before = +calls
    for flat in (tmp_path / "out" / "images" / "a.png").iterdir():
        flat.unlink()
    result = tasks.sweep(token, fresh, source, (), settings, original)

    assert result.failure is None
    assert result.sweep is not None
    assert result.sweep.seconds > original.seconds > 0
    assert calls == before == {"decode": 1, "encode_last": 1, "original_pictures": 1, "encode_flat": len(KS)}


def counted(calls: Counter[str], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which counts its calls by its name."""

    def call(*arguments: Any, **named: Any) -> Any:
        calls[function.__name__] += 1
        return function(*arguments, **named)

    return call


def test_a_cached_image_counts_what_is_kept_for_its_sweep(tmp_path: Path) -> None:
    """Encoded frames, files and pictures are part of the bytes that bound the cache."""
    source, settings = source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out")
    token = tasks.load(source, settings)
    cached = this_worker().images.get(ImageKey(source, settings), pytest.fail)
    sizes = [cached.nbytes]
    result = tasks.flatten(token, source, 5, settings)
    sizes.append(cached.nbytes)
    tasks.prepare(token, source, settings)
    sizes.append(cached.nbytes)

    assert sizes[1] - sizes[0] > result.bytes + len(cached.flats[5].frame.encoded.content)
    assert sizes[2] - sizes[1] == cached.last_frame.get().nbytes + cached.pictures.get().nbytes


def test_what_fails_in_preparing_the_original_is_the_images_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a record, the sweep passes it on and writes nothing, and a broken file's failure stays the load's."""

    def fail(*_: object) -> None:
        raise MemoryError

    source, settings = source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(loaded, "encode_last", fail)
        token = tasks.load(source, settings)
        original = tasks.prepare(token, source, settings)
    this_worker().images.clear()
    result = tasks.sweep(tasks.load(source, settings), (), source, (), settings, original)
    missing = tasks.prepare(tasks.load(replace(source, path=str(tmp_path / "b.png")), settings), source, settings)

    assert result.failure is not None
    assert (result.failure.stage, result.failure.error) == ("sweep", "too-large")
    assert not (tmp_path / "out").exists()
    assert missing.failure is not None
    assert missing.failure.stage == "load"


def test_the_boxes_of_captions_fit_the_widest_k(tmp_path: Path) -> None:
    """A frame is captioned by the task that has it alone, yet as in the sweep of all of them together."""
    source, options = source_of(write_image(tmp_path / "a.png", 0, 120, 130)), AnimationOptions(captions=True)
    result = do_image(source, replace(settings_for(tmp_path), animation=options, widest_k=12), (2, 12))
    folder = tmp_path / "images" / "a.png"
    flats = {k: decode_flat((folder / f"k{k:02d}.png").read_bytes()) for k in (2, 12)}

    assert result.failure is None
    assert (folder / "sweep.gif").read_bytes() == encode_animation(flats, Original(noisy_pixels(120, 130)), options)


@pytest.mark.parametrize("max_side", [1024, 20])
def test_sweeps_of_images_too_large_to_keep_are_made_of_their_files(
    max_side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the worker does not hold until the sweep it reads back, one after another, to the same bytes."""
    source = source_of(write_image(tmp_path / "a.png"))
    kept = do_image(source, settings_for(tmp_path / "kept", fade=2, max_side=max_side))
    monkeypatch.setattr(flats, "_LARGEST_KEPT", 0)
    reread = do_image(source, settings_for(tmp_path / "reread", fade=2, max_side=max_side))

    assert kept.sweep is not None
    assert reread.sweep is not None
    assert reread.sweep.files == kept.sweep.files


def test_two_runs_in_one_process_keep_their_frames_apart(tmp_path: Path) -> None:
    """A sweep takes no frame that a run with other settings has left in the cache."""
    source = source_of(write_image(tmp_path / "a.png"))
    rgb = settings_for(tmp_path / "rgb")
    oklab = replace(settings_for(tmp_path / "oklab"), flatten=FlattenOptions(space="oklab"))
    alone = do_image(source, oklab)
    for k in KS:
        tasks.flatten(tasks.load(source, rgb), source, k, rgb)
    again = tasks.sweep(tasks.load(source, oklab), (), source, alone.flats, oklab)

    assert again.sweep is not None
    assert alone.sweep is not None
    assert again.sweep.animation_sha256 == alone.sweep.animation_sha256


def test_a_broken_file_becomes_a_record_at_every_stage(tmp_path: Path) -> None:
    """Load tells why, flatten and sweep pass it on, and nothing is written."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(write_image(tmp_path / "a.png").read_bytes()[:200])
    result = do_image(source_of(broken), settings_for(tmp_path / "out"))

    assert result.failure is not None
    assert (result.failure.stage, result.failure.error) == ("load", "truncated")
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_an_io_error(tmp_path: Path) -> None:
    """A file that is gone by the time of loading is an io-error with the system's words, and not fatal to the run."""
    token = tasks.load(ImageSource("a.png", str(tmp_path / "a.png"), 1, ""), settings_for(tmp_path))

    assert token.failure is not None
    assert (token.failure.error, token.failure.fatal) == ("io-error", False)
    assert "No such file" in token.failure.message


def test_an_output_that_cannot_be_written_is_fatal(tmp_path: Path) -> None:
    """When the output tree cannot be written, the record says that the next image would fare alike."""
    (tmp_path / "out").write_bytes(b"a file where a folder should be")
    result = do_image(source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out"))

    assert result.failure is not None
    assert (result.failure.stage, result.failure.fatal) == ("flatten", True)


def test_a_file_replaced_between_two_reads_is_noticed(tmp_path: Path) -> None:
    """A k that would be clustered from other pixels than its siblings fails instead."""
    photo = write_image(tmp_path / "a.png")
    source, settings = source_of(photo), settings_for(tmp_path / "out")
    token = tasks.load(source, settings)
    this_worker().images.clear()
    write_image(photo, seed=7)
    flat = tasks.flatten(token, source, 3, settings)

    assert flat.failure is not None
    assert "changed" in flat.failure.message


def test_an_image_beyond_the_workers_memory_is_refused_with_the_numbers(tmp_path: Path) -> None:
    """What decoding would take is compared with this process's share before it begins; other processes may do it."""
    source, settings = source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out")
    this_worker().configure(1 << 30, decode_bytes=1000)
    try:
        refused = do_image(source, settings).failure
    finally:
        this_worker().configure(1 << 30)

    assert refused is not None
    assert refused.error == "too-large"
    assert "this worker's share is 1 kB" in refused.message
    assert do_image(source, settings).failure is None


def test_after_a_stop_nothing_of_that_run_is_begun(tmp_path: Path) -> None:
    """A stopped run loads and flattens nothing, its record is no failure, and another run in the process goes on."""
    source, settings = source_of(write_image(tmp_path / "a.png")), settings_for(tmp_path / "out")
    stop_run("stopped")
    result = do_image(source, replace(settings, run="stopped"))

    assert result.failure is not None
    assert result.failure.error == "interrupted"
    assert not (tmp_path / "out").exists()
    assert do_image(source, replace(settings, run="another")).failure is None


def test_transparent_images_keep_their_alpha(tmp_path: Path) -> None:
    """Every flat of an RGBA image has the source's alpha bit for bit, and hidden colours are not in its palette."""
    alpha = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
    pixels = noisy_pixels()
    pixels[alpha == 0] = (255, 0, 255)
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "a.png")
    result = do_image(source_of(tmp_path / "a.png"), settings_for(tmp_path / "out"))

    assert result.failure is None
    for flat in result.flats:
        with Image.open(tmp_path / "out" / "images" / "a.png" / f"k{flat.k:02d}.png") as image:
            written = np.asarray(image.convert("RGBA"))
        assert np.array_equal(written[..., 3], alpha)
        assert "#ff00ff" not in flat.palette


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_captioned_frames_have_no_colour_more(kind: AnimationFormat, tmp_path: Path) -> None:
    """With captions each frame is its PNG outside a box in at most k colours, and the original outside one too."""
    source = source_of(DATA / "kodim03.png")
    plain = do_image(source, replace(settings_for(tmp_path / "a"), animation=AnimationOptions(format=kind)))
    options = AnimationOptions(format=kind, captions=True)
    drawn = do_image(source, replace(settings_for(tmp_path / "b"), animation=options))

    assert plain.sweep
    assert drawn.sweep
    assert plain.sweep.animation_sha256 != drawn.sweep.animation_sha256
    folder = tmp_path / "b" / "images" / "kodim03.png"
    with Image.open(folder / f"sweep.{kind}") as sweep:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(sweep)]
    for k, frame in zip(KS, frames, strict=False):
        apart = (frame != pixels_of(folder / f"k{k:02d}.png")).any(axis=2)
        assert len(np.unique(frame.reshape(-1, 3), axis=0)) <= k + (k < 5)
        # ^ of so few, no two are far enough apart
        assert apart.any()
        assert not apart[:450].any()
        assert not apart[:, 120:].any()
    if kind != "gif":
        apart = (frames[-1] != pixels_of(DATA / "kodim03.png")).any(axis=2)
        assert apart[450:, :160].any()
        assert not apart[:450].any()
        assert not apart[:, 160:].any()


@pytest.mark.parametrize(("seconds", "error"), [(1.0, "timeout"), (None, "interrupted")])
def test_a_decoder_that_is_left_is_ended(seconds: float | None, error: str, tmp_path: Path) -> None:
    """When an image's time is up, or the user stops, nothing goes on decoding it, though this process does."""
    (tmp_path / "bomb.jpg").write_bytes(scan_bomb(6144, 100_000))
    settings = replace(settings_for(tmp_path), seconds_per_image=seconds, run=f"with {error}")
    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(tasks.load, source_of(tmp_path / "bomb.jpg"), settings)
        wait_for(lambda: bool(_decoders()))
        if seconds is None:
            stop_run(settings.run)
        failure = token.result(60).failure

    assert failure is not None
    assert (failure.stage, failure.error) == ("worker" if seconds is None else "load", error)
    wait_for(lambda: not _decoders())


def _decoders() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [
        child for child in found if child.status() != psutil.STATUS_ZOMBIE and "apart.child" in str(child.cmdline())
    ]
