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
from flatpipe.text import counted, duration, figure, in_bytes, printable
from flatpipe.vocabulary import NOT_SELECTED

if TYPE_CHECKING:
    from flatpipe.records import ImageRecord
    from flatpipe.report.gallery_rows import GalleryImage
    from flatpipe.summaries import PlanSummary, RunSummary

_NOUNS = {"litter": "system file", "hidden": "hidden file", "linked folders": "linked folder"}
# ^ what is passed over and has a reason of its own; the rest are other files

HINTS = {
    "not-an-image": "nothing in them can be shown; input.exclude leaves them out",
    "truncated": "get them whole, or have what is missing filled: -s input.truncated=fill",
    "too-large": "raise limits.max_pixels, or take fewer workers (-j), so that each has more memory",
    "unsupported": "save them as PNG, TIFF or JPEG",
    "decoder-error": "they are damaged; get them anew",
    "io-error": "see what the message says of file or disk, then run again",
    "worker-died": "they may need more memory: fewer workers (-j); else input.exclude leaves them out",
    "internal-error": "a fault of flatpipe's own: please report it, with the message",
}
# ^ what to do about each kind of failure, by its stable word


# --- before and while ------------------------------------------------------------------------------------------------


def found_text(plan: PlanSummary) -> str:
    """What a run has found, and what of it there is to do."""
    states = _states({"up to date": plan.current, "refused": plan.refused, "not selected": _not_selected(plan)})
    found = f"{counted(plan.images, 'image')}{', ' * bool(states)}{states}"
    due = " and ".join(counted(number, noun) for number, noun in due_parts(plan) if number)
    return "\n".join([f"{found}: {due} to make" if due else found, *skipped_lines(plan)])


def due_parts(plan: PlanSummary) -> tuple[tuple[int, str], tuple[int, str]]:
    """How much there is to make, of what."""
    return (plan.pairs, "flat image"), (plan.sweeps, "sweep")


def skipped_lines(plan: PlanSummary) -> list[str]:
    """A line about what of the input's folder was not looked at; none where that is nothing."""
    counts = dict(plan.passed_over)
    words = [counted(counts[why], noun) for why, noun in _NOUNS.items() if why in counts]
    others = counts.get("other files", 0)
    words += [counted(others, "other file")] * bool(others)
    kinds = ", ".join(suffix or "no suffix" for suffix in sorted(plan.suffixes))
    return [printable(f"{', '.join(words)} skipped" + f": {kinds}" * bool(others))] if words else []


def image_text(record: ImageRecord, ks: Sequence[int]) -> str:
    """What became of one image: its size, what was made of it, and, where all `ks` were, the k that suits it.

    Of one that failed, why.
    """
    name = printable(record.source.image_id)
    if record.failure is not None:
        return f"failed: {name}: {printable(record.failure.message)} ({record.failure.error})"
    told = json.loads(record.line)
    made = f"{counted(record.pairs, 'flat image')} in {record.seconds:.2f} s"
    mse_of = {flat["k"]: flat["mse"] for flat in told["flats"]}
    best = suggested_k(ks, list(mse_of.values())) if len(ks) > 1 and list(mse_of) == list(ks) else None
    suggested = f", suggested k = {best} ({_quality(mse_of[best])})" if best else ""
    return f"{name}: {told['width']} x {told['height']}, {made}{suggested}"


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
        lines.append(f"failures: {summary.output}/{layout.FAILURES}")
        lines += [f"          {count} {kind}: {HINTS[kind]}" for kind, count in summary.failures]
    return "\n".join(map(printable, [*lines, *_reason_lines(summary), counts_text(summary)]))


def quiet_text(summary: RunSummary) -> str:
    """The same in one line."""
    words = [summary.reason or "", counts_text(summary)]
    where = report_address(summary.report) or f"{summary.output}/{layout.RESULTS}"
    return printable(f"{': '.join(filter(None, words))}: {where}")


def counts_text(summary: RunSummary) -> str:
    """What a run came to, in numbers."""
    states = {"done": summary.done, "up to date": summary.current, "failed": summary.failed, "left": summary.left}
    known = {state: number for state, number in states.items() if number}
    images = counted(summary.images, "image")
    if set(known) == {"up to date"} and not summary.reason:
        return f"nothing to do: {images} up to date"
    if len(known) == 1 and sum(known.values()) == summary.images:
        words = f"{images} {next(iter(known))}"
    else:
        words = f"{images}: {_states(known) or 'none of them touched'}"
    made = f", {counted(summary.pairs, 'flat image')} in {_wall(summary.seconds)}" if summary.pairs else ""
    return words + made


def report_address(report: str) -> str:
    """Where a browser finds the report: a link that terminals open."""
    return report if is_url(report) or not report else Path(report).as_uri()


def best_text(image: GalleryImage, output: str) -> str:
    """The k chosen for an image, how good it is, and where it lies."""
    best = image.suggested
    quality = _quality(best.mse) if best else "nothing to show"
    missed = f"; {image.shortfall}" if image.shortfall else ""
    file = f"{output}/{layout.image_folder(image.image_id)}/{layout.BEST}"
    return printable(f"{image.image_id}: k = {best.k if best else None} ({quality}{missed})  {file}")


def picture_text(file: str, width: int, height: int, n_colors: int, mse: float, size: int) -> str:
    """One picture that was asked for by its file's name."""
    measures = f"{width} x {height}, {counted(n_colors, 'colour')}, {_quality(mse)}"
    return printable(f"{file}: {measures}, {in_bytes(size)}")


def _places(summary: RunSummary, pictures: Sequence[str]) -> list[str]:
    lines = [f"report:   {report_address(summary.report)}"] if summary.report else []
    named = list(pictures) or [f"{summary.output}/{layout.IMAGES}/"]
    if pictures or summary.done or summary.current:
        lines += [f"{label:9s} {picture}" for label, picture in zip(_once("pictures:"), named, strict=False)]
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
