"""A plan in words: what a run would do, why, and what it would cost."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from flatpipe.cli.sentences.running import due_parts, found_text
from flatpipe.text import counted, duration, in_bytes, printable

if TYPE_CHECKING:
    from flatpipe.proof.estimate import Estimate
    from flatpipe.proof.forecast import Forecast
    from flatpipe.summaries import PlanSummary


def plan_text(plan: PlanSummary, forecast: Forecast, estimated: Estimate | None) -> str:
    """A plan in its totals and what they cost, then the reasons and how many images each holds for."""
    lines = [found_text(plan)]
    if any(number for number, _ in due_parts(plan)):
        lines += [_bytes_line(forecast)] if estimated is None else _estimate_lines(estimated)
        lines += _cost_lines(forecast)
    return "\n".join([*lines, *(printable(f"{counted(count, 'image')}: {reason}") for reason, count in plan.reasons)])


def starter_text(place: str, images: int) -> str:
    """That a config was written, and what to type next."""
    if not images:
        return printable(f"wrote {place}; no image is here yet: put some beside it, or set input.path")
    return printable(f"wrote {place} for {counted(images, 'image')}; next: flatpipe run {shlex.quote(place)}")


def _estimate_lines(estimated: Estimate) -> list[str]:
    workers = counted(estimated.workers, "worker")
    time = f"about {duration(estimated.seconds)} with {workers} ({counted(estimated.sampled, 'image')} measured)"
    free = "" if estimated.free_bytes is None else f"; {in_bytes(estimated.free_bytes)} are free there"
    short = " (TOO LITTLE)" * (estimated.free_bytes is not None and estimated.free_bytes < estimated.bytes_to_write)
    like = f"about {duration(estimated.seconds_like_these)} and {in_bytes(estimated.bytes_like_these)}"
    return [
        f"time:    {time}",
        f"write:   about {in_bytes(estimated.bytes_to_write)}{free}{short}",
        f"scale:   100,000 images like these take {like} on this machine",
    ]


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
