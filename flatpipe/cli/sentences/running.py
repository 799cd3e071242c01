"""A run in words: what it found, how far it is, how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.errors import ExitCode
from flatpipe.places import is_url
from flatpipe.quantize.knee import psnr, suggested_k
from flatpipe.storage.litter import skipped_words
from flatpipe.text import counted, duration, figure, in_bytes, printable, spans
from flatpipe.vocabulary import NOT_SELECTED

if TYPE_CHECKING:
    from flatpipe.records import Failure, ImageRecord, ImageSource
    from flatpipe.report.gallery_rows import GalleryImage
    from flatpipe.running.one_picture import OnePicture
    from flatpipe.summaries import PlanSummary, RunSummary
    from flatpipe.vocabulary import Flats

HINTS = {
    "not-an-image": "no picture inside; input.exclude leaves such files out",
    "truncated": "get whole copies, or have the rest filled: -s input.truncated=fill",
    "too-large": "raise limits.max_pixels, or take fewer workers (-j), so that each has more memory",
    "unsupported": "save as PNG, TIFF or JPEG",
    "decoder-error": "damaged; get new copies",
    "io-error": "see the message, mend file or disk, and run again",
    "timeout": "raise limits.seconds_per_image; else input.exclude",
    "worker-died": "more memory may help: fewer workers (-j); else input.exclude",
    "internal-error": "a fault of flatpipe's own: please report it, with the message",
}
# ^ what to do about each kind of failure, by its stable word


# --- before and while ------------------------------------------------------------------------------------------------


def reading_text(places: Sequence[str]) -> str:
    """That a command has begun, before anything is known."""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return printable(f"reading {places[0]}{more} ...")


def compiling_text(done: int, total: int) -> str:
    """How far the kernels are, which are compiled once."""
    return f"compiling once for this machine: {done} of {total} parts"


def found_text(plan: PlanSummary) -> str:
    """What a run has found, and what of it there is to do."""
    states = _states({"up to date": plan.current, "refused": plan.refused, "not selected": _not_selected(plan)})
    whole = f" of {plan.listed:,} (part {plan.part})" if plan.part else ""
    found = f"{counted(plan.images, 'image')}{whole}{', ' * bool(states)}{states}"
    due = " and ".join(counted(number, noun) for number, noun in due_parts(plan) if number)
    return "\n".join([f"{found}: {due} to make" if due else found, *_marked_lines(plan), *skipped_lines(plan)])


def due_parts(plan: PlanSummary) -> tuple[tuple[int, str], tuple[int, str]]:
    """How much there is to make, of what."""
    return (plan.pairs, noun_of(plan.flats)), (plan.sweeps, "sweep")


def noun_of(flats: Flats) -> str:
    """What an image gets for each k: a palette, where it is not its file."""
    return "flat image" if flats == "all" else "palette"


def _marked_lines(plan: PlanSummary) -> list[str]:
    """A line about images that would lie in each other's folder; none where there are none."""
    which = f"{counted(plan.marked, 'image')} marked with ~ and 12 digits"
    why = "there the output's file system takes the name for that of an image before"
    return [f"{which}: {why}"] if plan.marked else []


def skipped_lines(plan: PlanSummary) -> list[str]:
    """A line about what of the input's folder was not looked at; none where that is nothing."""
    words = skipped_words(plan.passed_over, plan.suffixes)
    return [printable(words)] if words else []


def image_text(record: ImageRecord, ks: Sequence[int]) -> str:
    """What became of one image: its size, what was made of it, and, where all `ks` were, the k that suits it.

    Of one that failed, why.
    """
    if record.failure is not None:
        return _failed_text(record.source, record.failure)
    name = printable(record.source.image_id)
    told = json.loads(record.line)
    if told.get("same_as"):
        return f"{name}: {told['width']} x {told['height']}, same bytes as {printable(told['same_as'])}: copied"
    noun = noun_of("all" if all(flat["sha256"] for flat in told["flats"]) else "none")
    made = f"{counted(record.pairs, noun)} in {record.seconds:.2f} s"
    mse_of = {flat["k"]: flat["mse"] for flat in told["flats"]}
    best = suggested_k(ks, list(mse_of.values())) if len(ks) > 1 and list(mse_of) == list(ks) else None
    suggested = f", suggested k = {best} ({_quality(mse_of[best])})" if best else ""
    return f"{name}: {told['width']} x {told['height']}, {made}{suggested}"


def failure_text(source: ImageSource, failure: Failure) -> str:
    """Why one image failed that was all there was to do, and what to do about it."""
    return f"{_failed_text(source, failure)}\n{HINTS[failure.error]}"


def _failed_text(source: ImageSource, failure: Failure) -> str:
    return f"failed: {printable(source.image_id)}: {printable(failure.message)} ({failure.error})"


def progress_text(done: int, images: int, failed: int, pairs: int, seconds: float) -> str:
    """How far a run is, on one line."""
    left = seconds / done * (images - done)
    lost = f", {failed} failed" if failed else ""
    return f"{done} of {images} images{lost}, {rate_text(done, pairs, seconds)}, about {duration(left)} left"


def rate_text(images: int, pairs: int, seconds: float) -> str:
    """How fast a run goes; "" as long as nobody can tell."""
    if not images or seconds <= 0:
        return ""
    words = [f"{figure(images / seconds)} images/s"]
    words += [f"{figure(pairs / seconds)} flats/s"] if pairs else []
    return ", ".join(words)


# --- at the end ------------------------------------------------------------------------------------------------------


def summary_text(summary: RunSummary, pictures: Sequence[str] = ()) -> str:
    """The last lines of a run: where to look, what failed and what to do about it, what is left, and the counts.

    `pictures` are what to name of them; without any, the folder of all.
    """
    lines = _places(summary, pictures)
    if summary.failures:
        lines += [f"failures: {summary.output}/{layout.FAILURES}"] if not summary.part else ["failures:"]
        lines += [f"          {count} {kind}: {HINTS[kind]}" for kind, count in summary.failures]
    return "\n".join(map(printable, [*lines, *_reason_lines(summary), counts_text(summary)]))


def quiet_text(summary: RunSummary) -> str:
    """The same in one line."""
    words = [summary.reason or "", counts_text(summary)]
    own = layout.part_folder(summary.part) if summary.part else layout.RESULTS
    where = report_address(summary.report) or f"{summary.output}/{own}"
    return printable(f"{': '.join(filter(None, words))}: {where}")


def counts_text(summary: RunSummary) -> str:
    """What a run came to, in numbers."""
    states = {"done": summary.done, "up to date": summary.current, "failed": summary.failed, "left": summary.left}
    known = {state: number for state, number in states.items() if number}
    images = f"part {summary.part}: " * bool(summary.part) + counted(summary.images, "image")
    if set(known) == {"up to date"} and not summary.reason:
        return f"nothing to do: {images} up to date"
    if len(known) == 1 and sum(known.values()) == summary.images:
        words = f"{images} {next(iter(known))}"
    else:
        words = f"{images}: {_states(known) or 'none of them touched'}"
    noun = noun_of(summary.flats)
    made = f", {counted(summary.pairs, noun)} in {_wall(summary.seconds)}" if summary.pairs else ""
    return words + made


def report_address(report: str) -> str:
    """Where a browser finds the report: a link that terminals open."""
    return report if is_url(report) or not report else Path(report).as_uri()


def best_text(image: GalleryImage, output: str) -> str:
    """The k chosen for an image, how good it is, and where it lies."""
    best = image.suggested
    quality = _quality(best.mse) if best else "nothing to show"
    missed = f"; {image.shortfall}" if image.shortfall else ""
    file = f"{output}/{layout.image_folder(image.image_id)}/{layout.BEST}" if best and best.sha256 else ""
    return printable(f"{image.image_id}: k = {best.k if best else None} ({quality}{missed})  {file}".rstrip())


def picture_text(file: str, picture: OnePicture) -> str:
    """One picture that was asked for by its file's name: where it is, and how good."""
    ks = f"k = {spans(flat.k for flat in picture.flats)}"
    words = [ks, f"{picture.width} x {picture.height}", in_bytes(picture.bytes)]
    if len(picture.flats) == 1:
        flat = picture.flats[0]
        lost = [counted(flat.n_colors, "colour")] * (flat.n_colors != flat.k)
        words[1:1] = [*lost, _quality(flat.mse)]
    return printable(f"{file}: {', '.join(words)}")


def _places(summary: RunSummary, pictures: Sequence[str]) -> list[str]:
    lines = [f"report:   {report_address(summary.report)}"] if summary.report else []
    lines += [f"report:   none: {summary.no_report}"] if summary.no_report else []
    named = list(pictures) or [f"{summary.output}/{summary.folder}/"]
    waits = summary.part and summary.folder == layout.SHARDS
    # ^ until merge packs it
    if pictures or (not waits and (summary.done or summary.current)):
        made = "outputs:" if summary.flats == "none" else "pictures:"
        lines += [f"{label:9s} {picture}" for label, picture in zip(_once(made), named, strict=False)]
    if summary.part:
        count = summary.part.partition("/")[2]
        return [*lines, f"next:     flatpipe merge, when all {count} parts are done; flatpipe status tells which are"]
    return [*lines, f"results:  {summary.output}/{layout.RESULTS}"]


def _once(label: str) -> Iterator[str]:
    """The label for the first of many lines, blanks for the others."""
    yield label
    while True:
        yield ""


def _reason_lines(summary: RunSummary) -> list[str]:
    """Why a run did not do all that was asked of it."""
    if summary.reason:
        early = "ended early: " if summary.exit_code < ExitCode.DIFFERENT else ""
        # ^ a run that missed its lock did all of its work, and one that was stopped says so itself
        return [early + summary.reason]
    left = _not_selected(summary)
    if left and not summary.done and not summary.failed:
        return [f"nothing done: {counted(left, 'image')} to do, not selected by --only, --only-failed or --limit"]
    return []


def _not_selected(summary: PlanSummary | RunSummary) -> int:
    return dict(summary.reasons).get(NOT_SELECTED, 0)


def _states(numbers_by_state: dict[str, int]) -> str:
    """`24 done, 4 failed`: what is not there has no word."""
    return ", ".join(f"{number:,} {state}" for state, number in numbers_by_state.items() if number)


def _quality(mse: float) -> str:
    return f"PSNR {psnr(mse):.1f} dB" if mse else "exact"


def _wall(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)
