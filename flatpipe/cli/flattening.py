"""The short way in: flatten images, folders, globs and URLs without a config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import click

from flatpipe.cli.importing import importing
from flatpipe.cli.options import A_PATH, RunFlags, SelectionFlags, gathered, run_options
from flatpipe.cli.sentences.running import best_text, compiling_text, failure_text, picture_text, reading_text
from flatpipe.cli.showing.json_lines import best_line, picture_line, print_json
from flatpipe.cli.showing.speaking import remark, say
from flatpipe.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.plan.workspace import Workspace
    from flatpipe.records import ImageSource
    from flatpipe.storage.several.named import NamedInput
    from flatpipe.summaries import RunSummary

_USUAL_KS = "2-15"
_FEW = 24
# ^ pictures of several images that are named one by one: a screen has as many lines


@dataclass(frozen=True, slots=True)
class FlattenChoice:
    """What is flattened, into how many colours, and where to."""

    places: tuple[str, ...]
    ks: str | None
    # ^ None: nobody has said
    output: str
    overrides: tuple[str, ...]


@click.command(short_help="Flatten images, folders or URLs: no config needed.")
@gathered(
    FlattenChoice,
    "chosen",
    click.argument("places", nargs=-1, required=True, metavar="PLACE...", type=A_PATH),
    click.option(
        "-k",
        "ks",
        metavar="K",
        help=f"Numbers of colours: 8, {_USUAL_KS} or 2,4,8; auto, or auto:psnr>=30: see below.  [default: {_USUAL_KS}]",
    ),
    click.option(
        *("-o", "--output"),
        default="flat",
        show_default=True,
        metavar="PLACE",
        type=A_PATH,
        help="Folder of results, or the one picture to write: flat.png, sweep.gif.",
    ),
    click.option("-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a config key."),
)
@run_options
def flatten(chosen: FlattenChoice, flags: RunFlags) -> ExitCode:
    """Flatten images, folders of them, globs or URLs, without a config; the report shows them all.

    Results go to a folder; a second call adds to it. Where -o names a picture, that picture of one image is all that is
    written: .png (of one k, or the suggested one), .gif or .webp (the sweep), .gpl, .ase and others (the palette).

    With `-k auto`, every k from 2 to 15 is made, and the one at the knee of the distortion curve is best.png too;
    `-k "auto:psnr>=30"` chooses the smallest k whose PSNR reaches 30 dB. The k chosen is printed for each image.

    \b
    Examples:
      flatpipe flatten photos
      flatpipe flatten photo.jpg -k 5 -o flat.png
      flatpipe flatten *.jpg -k auto
    """
    if not flags.quiet:
        remark(reading_text(chosen.places))
    with importing():
        from flatpipe.running.one_picture import is_one_picture, kind_of

    if not is_one_picture(chosen.output):
        return _flatten_all(chosen, flags)
    kind = kind_of(chosen.output)
    return _flatten_one(chosen, _USUAL_KS if kind == "sweep" else "auto", flags)


def _flatten_all(chosen: FlattenChoice, flags: RunFlags) -> ExitCode:
    """Everything that is named, into a folder."""
    from flatpipe.cli.running import carry_out

    named, config = _read(chosen, _USUAL_KS, flags)
    request = SelectionFlags().request(force=flags.force, fail_fast=flags.fail_fast)
    return carry_out(config, request, flags, named, lambda summary: _pictures(config, named, summary, flags))


def _read(chosen: FlattenChoice, usual_ks: str, flags: RunFlags) -> tuple[NamedInput, Config]:
    from flatpipe.config import Argument, default_config
    from flatpipe.plan.settings import selection
    from flatpipe.storage.several.named import NamedInput, common_place, places_named

    places = places_named(chosen.places)
    if not places:
        raise ConfigError(f"{chosen.places[0]}: no image is named")
    workers = () if flags.jobs is None else (Argument("-j", "execution.workers", flags.jobs),)
    own = (Argument("-o", "output.path", chosen.output), Argument("-k", "flatten.k", chosen.ks or usual_ks), *workers)
    config = default_config(common_place(places), (*own, *chosen.overrides))
    if config.output.layout != "tree":
        raise config.refused(("output", "layout"), "flatpipe flatten fills a tree, call by call; shards are a run's")
    return NamedInput(places, selection(config)), config


# --- a folder of results ---------------------------------------------------------------------------------------------


def _pictures(config: Config, named: NamedInput, summary: RunSummary, flags: RunFlags) -> list[str]:
    """The pictures to name one by one; none where they are many. The k that were chosen are told on the way."""
    from flatpipe.plan.palettes.colors import ks_of
    from flatpipe.plan.workspace import open_workspace

    if flags.quiet and not flags.as_json:
        return []
    with open_workspace(config, "read", named=named.places) as workspace:
        if config.flatten.target:
            _show_best(workspace, as_json=flags.as_json)
            return []
        if summary.images > 1 and summary.images * (len(ks_of(config)) + 1) > _FEW:
            return []
        return list(_files(workspace))


def _show_best(workspace: Workspace, *, as_json: bool) -> None:
    """Print which k was chosen for each named image, whether this run made it or another."""
    from flatpipe.report.gallery_rows import gallery_images
    from flatpipe.running.finishing import gallery_settings

    now = _named_now(workspace)
    for image in gallery_images(workspace.results, gallery_settings(workspace.settings, workspace.config)):
        if not image.has_sweep or image.image_id not in now:
            continue
        if as_json:
            print_json(best_line(image))
        else:
            say(best_text(image, workspace.outputs.place))


def _files(workspace: Workspace) -> Iterator[str]:
    """Every picture of the images that this call has named."""
    from flatpipe import layout

    settings, results = workspace.settings, workspace.outputs.place
    for image_id in sorted(_named_now(workspace)):
        if workspace.ledger.failure_of(image_id) is not None:
            continue
        folder = f"{results}/{layout.image_folder(image_id)}"
        made = {flat.k for flat in workspace.ledger.flats_of(image_id) if flat.sha256}
        yield from (f"{folder}/{layout.flat_name(k, settings.name_width)}" for k in workspace.ks if k in made)
        if settings.animation.enabled:
            yield f"{folder}/{layout.animation_name(settings.animation.format)}"


def _named_now(workspace: Workspace) -> set[str]:
    """Ids of the images that this call has named."""
    from flatpipe.vocabulary import EARLIER

    return {known.source.image_id for known in workspace.ledger.planned_inputs() if known.reason != EARLIER}


# --- one picture -----------------------------------------------------------------------------------------------------


def _flatten_one(chosen: FlattenChoice, usual_ks: str, flags: RunFlags) -> ExitCode:
    """One image, of which one picture is written."""
    from flatpipe.engines.compiling import compile_kernels
    from flatpipe.places import check_writable, place_of
    from flatpipe.running.one_picture import make_picture
    from flatpipe.stop import StopRequest
    from flatpipe.system.c_libraries import silence_c_libraries

    named, config = _read(chosen, usual_ks, flags)
    source = _only(named, chosen.output)
    output = check_writable(place_of(chosen.output, ""))
    _check_free(output, source, force=flags.force)
    silence_c_libraries()
    compile_kernels(partial(_tell_compiling, quiet=flags.quiet), StopRequest(), None if flags.quiet else remark)
    picture = make_picture(source, config, output)
    if flags.as_json:
        print_json(picture_line(source, chosen.output, picture))
    elif picture.failure is None:
        say(picture_text(chosen.output, picture))
    else:
        remark(failure_text(source, picture.failure))
    return ExitCode.DONE if picture.failure is None else ExitCode.SOME_FAILED


def _only(named: NamedInput, output: str) -> ImageSource:
    """The one image that is named."""
    from flatpipe.records import RefusedFile
    from flatpipe.storage.litter import PassedOver

    found = list(islice(named.images(PassedOver()), 2))
    if len(found) != 1:
        number = "several images are" if found else "no image is"
        raise ConfigError(f"{output} is one picture, and {number} named: -o FOLDER takes any number")
    if isinstance(found[0], RefusedFile):
        raise ConfigError(f"{found[0].source.path}: {found[0].failure.message}")
    return found[0]


def _check_free(output: str, source: ImageSource, *, force: bool) -> None:
    """Raise ConfigError where a file is in the way; an input is never written to."""
    from pathlib import Path

    from flatpipe.places import is_url

    if is_url(output) or not Path(output).exists():
        return
    if not is_url(source.path) and Path(output).samefile(source.path):
        raise ConfigError(f"{output} is the image itself, which is never written to: name another file")
    if not force:
        raise ConfigError(f"{output} is there already; --force writes over it")


def _tell_compiling(done: int, total: int, *, quiet: bool) -> None:
    if not quiet and done in (0, total):
        remark(compiling_text(done, total))
