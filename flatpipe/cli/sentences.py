"""What was planned, done and found, as text for a person; each function returns all lines of one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.errors import ExitCode
from flatpipe.quantize.knee import psnr
from flatpipe.text import counted, duration, in_bytes, printable
from flatpipe.vocabulary import NOT_SELECTED

if TYPE_CHECKING:
    from flatpipe.proof.compare import Compared
    from flatpipe.proof.estimate import Estimate
    from flatpipe.proof.forecast import Forecast
    from flatpipe.proof.history import ImageHistory
    from flatpipe.proof.status import RunStatus
    from flatpipe.proof.verify import Difference, Verified
    from flatpipe.report.gallery_rows import GalleryImage
    from flatpipe.summaries import PlanSummary, RunSummary


# --- what a run would do, and did --------------------------------------------------------------------------------


def plan_text(plan: PlanSummary, forecast: Forecast, estimated: Estimate | None) -> str:
    """A plan in its totals and what they cost, then the reasons and how many images each holds for."""
    lines = [
        f"{counted(plan.images, 'image')}: {plan.current} up to date, {plan.refused} refused",
        *_passed_over(plan.passed_over),
        f"to make: {counted(plan.pairs, 'flat image')}, {counted(plan.sweeps, 'sweep')}",
    ]
    if plan.pairs or plan.sweeps:
        lines += [_bytes_line(forecast)] if estimated is None else _estimate_lines(estimated)
        lines += _cost_lines(forecast)
    return "\n".join([*lines, *(f"  {count:6d}  {printable(reason)}" for reason, count in plan.reasons)])


def _estimate_lines(estimated: Estimate) -> list[str]:
    workers = counted(estimated.workers, "worker")
    time = f"about {duration(estimated.seconds)} with {workers} ({counted(estimated.sampled, 'image')} measured)"
    return [f"time:    {time}", f"write:   about {in_bytes(estimated.bytes_to_write)}"]


def _bytes_line(forecast: Forecast) -> str:
    if forecast.bytes_to_write is None:
        return "write:   unknown yet; --estimate measures a few images"
    return f"write:   about {in_bytes(forecast.bytes_to_write)}, by what is there, without the report's pictures"


def _cost_lines(forecast: Forecast) -> list[str]:
    lines = [f"read:    {in_bytes(forecast.bytes_read)}"]
    if forecast.memory_per_worker is not None:
        lines.append(f"memory:  about {in_bytes(forecast.memory_per_worker)} per worker, by the largest files:")
    for image in forecast.largest:
        pixels = f", {image.pixels:,} pixels" if image.pixels else ""
        lines.append(f"         {printable(image.image_id)}: {in_bytes(image.size)}{pixels}")
    return lines


def summary_text(summary: RunSummary) -> str:
    """The last lines of a run: done, up to date, failed, where to look."""
    lines = []
    if summary.reason:
        early = "ended early: " if summary.exit_code != ExitCode.DIFFERENT else ""
        # ^ a run that missed its lock did all of its work
        lines.append(early + summary.reason)
    elif not summary.done and not summary.failed:
        lines.append(_nothing_done(summary))
    counts = f"{summary.done} done, {summary.current} up to date, {summary.failed} failed"
    made = f"({counted(summary.pairs, 'flat image')} in {summary.seconds:.1f} s)"
    lines.append(f"{counts} of {counted(summary.images, 'image')} {made}")
    lines += _passed_over(summary.passed_over)
    lines.append(f"results:  {summary.output}/{layout.RESULTS}")
    if summary.failed:
        lines.append(f"failures: {summary.output}/{layout.FAILURES}")
    return "\n".join(map(printable, lines))


def _nothing_done(summary: RunSummary) -> str:
    """Why a run without a fault has done nothing."""
    left = dict(summary.reasons).get(NOT_SELECTED, 0)
    if left:
        return (
            f"nothing done: {counted(left, 'image')} to do, none of them selected by --only, --only-failed or --limit"
        )
    return "nothing to do: everything is up to date"


def _passed_over(counts: tuple[tuple[str, int], ...]) -> list[str]:
    """A line about what of the input's folder was not looked at; none where that is nothing."""
    words = [f"{number:,} {what if number > 1 else what.removesuffix('s')}" for what, number in counts]
    return [f"passed over: {', '.join(words)}"] if words else []


def best_text(image: GalleryImage, output: str) -> str:
    """The k chosen for an image, how good it is, and where it lies."""
    best = image.suggested
    quality = f"{psnr(best.mse):.1f} dB" if best and best.mse else "exact"
    missed = f"; {image.shortfall}" if image.shortfall else ""
    file = f"{output}/{layout.image_folder(image.image_id)}/{layout.BEST}"
    return printable(f"{image.image_id}: k = {best.k if best else None} ({quality}{missed})  {file}")


# --- what was done -------------------------------------------------------------------------------------------------


def status_text(found: RunStatus) -> str:
    """How far a run is, or how it ended."""
    lines = [f"run {found.run_id}: {found.state}" + (f" ({found.reason})" if found.reason else "")]
    counts = f"{found.done} done, {found.failed} failed, {found.left} left, {found.current} up to date"
    not_selected = f", {found.not_selected} not selected" * bool(found.not_selected)
    lines.append(f"images:    {counts}{not_selected}, of {found.images}")
    lines.append(f"flats:     {found.pairs_done} of {found.pairs} made")
    if found.images_per_second:
        flats = found.pairs_done / found.seconds
        rate = f"{found.images_per_second:.1f} images/s, {flats:.0f} flats/s over {found.seconds:.0f} s"
        lines.append(f"rate:      {rate}")
    if found.seconds_left is not None:
        lines.append(f"time left: about {duration(found.seconds_left)}")
    if found.state == "starting":
        lines.append("kernels are compiled, or workers come up: no image is begun yet")
    if found.state == "killed":
        lines.append("the process is gone; `flatpipe run` goes on from here")
    lines.append(f"started:   {found.started}" + (f", finished {found.finished}" if found.finished else ""))
    return "\n".join(lines)


def history_text(history: ImageHistory) -> str:
    """All that is known of one image."""
    source = history.source
    lines = [source.image_id + (f", frame {source.frame}" if source.frame else "")]
    lines.append(f"input:    {source.path}, {source.size:,} bytes")
    if history.content:
        decoded = f"{history.width} x {history.height} pixels, {history.distinct_colors:,} colours"
        lines += [f"sha256:   {history.content}", f"decoded:  {decoded}, in {history.seconds:.3f} s"]
        lines += [f"          {note}" for note in history.notes]
    lines += _flat_lines(history)
    if history.files:
        lines.append(f"all k:    in {history.sweep_seconds:.3f} s")
        lines += [f"          {sha256}  {name}" for name, sha256 in history.files]
    if history.failure:
        words = f"{history.failure.message} ({history.failure.error}, {history.failure.stage}; {history.run_id})"
        lines.append(f"failed:   {words}")
    return "\n".join(map(printable, [*lines, f"next:     {_next_words(history)}"]))


def _flat_lines(history: ImageHistory) -> list[str]:
    """Two lines for each flat image: its measures and its file, then its digest and costly metrics."""
    lines = []
    for flat, file in history.flats:
        colors = f"{flat.n_colors} colours" if flat.n_colors != flat.k else "         "
        measures = f"mse {flat.mse:10.3f} {colors} {flat.bytes:9,} bytes {flat.seconds:7.3f} s"
        costly = "".join(f"  {name} {value:.4f}" for name, value in flat.metrics if value is not None)
        lines += [f"k = {flat.k:<4d}  {measures}  {file}", f"          sha256 {flat.sha256}{costly}"]
    return lines


def _next_words(history: ImageHistory) -> str:
    """What a run would do, and why."""
    if history.next is None:
        return "nothing: the file is gone from the input (`flatpipe clean` removes its outputs)"
    if history.next.is_current:
        return "nothing: everything is up to date"
    due = [f"k = {', '.join(map(str, history.next.ks))}"] if history.next.ks else []
    return f"{' and '.join([*due, *(['the sweep'] if history.next.sweep else [])])}, because: {history.next.reason}"


# --- what was proved -----------------------------------------------------------------------------------------------


def difference_text(difference: Difference) -> str:
    """One output or input that is not as recorded."""
    detail = f" ({difference.detail})" if difference.detail else ""
    return printable(f"{difference.kind}: {difference.name}{detail}")


def verified_text(counts: Verified, differences: int) -> str:
    """How much was verified, and how much of it differs."""
    words = f"{counted(counts.outputs, 'output')} of {counted(counts.images, 'image')}"
    words += f" and {counted(counts.inputs, 'input')}" * bool(counts.inputs)
    words += f", {counted(counts.beside, 'file')} beside them" * bool(counts.beside)
    words += f", {counted(counts.recomputed, 'image')} recomputed" * bool(counts.recomputed)
    lines = [f"verified {words}: {_differences(differences)}"]
    if counts.unfinished:
        unfinished = f"{counted(counts.unfinished, 'image')} {'is' if counts.unfinished == 1 else 'are'}"
        lines.append(f"{unfinished} not (all) done with these settings: nothing to verify there")
    return "\n".join(lines)


def compared_text(counts: Compared, differences: int) -> str:
    """How much was compared, and how much of it differs."""
    compared = counted(counts.files, "file") if counts.files else f"{counted(counts.images, 'image')} of two locks"
    return f"compared {compared}: {_differences(differences)}"


def _differences(number: int) -> str:
    return counted(number, "difference") if number else "no differences"
