"""What was done, in words: how far a run is, and all that is known of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flatpipe.cli.sentences.running import rate_text
from flatpipe.quantize.knee import psnr
from flatpipe.text import counted, duration, in_bytes, printable, spans

if TYPE_CHECKING:
    from flatpipe.proof.history import ImageHistory
    from flatpipe.proof.status import RunStatus
    from flatpipe.records import FlattenResult

_COLORS_A_LINE = 8


def status_text(found: RunStatus) -> str:
    """How far a run is, or how it ended."""
    lines = [f"run {found.run_id}: {found.state}" + (f" ({found.reason})" if found.reason else "")]
    counts = {"done": found.done, "failed": found.failed, "left": found.left, "up to date": found.current}
    counts["not selected"] = found.not_selected
    states = ", ".join(f"{number:,} {state}" for state, number in counts.items() if number)
    lines.append(f"images:    {found.images:,}" + (f": {states}" if states else ""))
    if found.pairs:
        label = "flats:" if found.flats == "all" else "palettes:"
        lines.append(f"{label:<10s} {found.pairs_done:,} of {found.pairs:,} made")
    rate = rate_text(found.done + found.failed, found.pairs_done, found.seconds)
    if rate:
        lines.append(f"rate:      {rate} over {duration(found.seconds)}")
    if found.seconds_left is not None:
        lines.append(f"time left: about {duration(found.seconds_left)}")
    if found.state == "starting":
        lines.append("kernels are compiled, or workers come up: no image is begun yet")
    if found.state == "killed":
        lines.append("the process is gone; `flatpipe run` goes on from here")
    lines.append(f"started:   {found.started}" + (f", finished {found.finished}" if found.finished else ""))
    return "\n".join(lines)


def history_text(history: ImageHistory, *, verbose: bool) -> str:
    """All that is known of one image; digests and seconds only where that is asked for."""
    source = history.source
    lines = [source.image_id + (f", frame {source.frame}" if source.frame else "")]
    if history.failure:
        lines.append(f"failed:   {history.failure.message} ({history.failure.error}, {history.failure.stage})")
    lines.append(f"input:    {'a member of ' * bool(source.part)}{source.path}, {source.size:,} bytes")
    if history.content:
        colors = counted(history.distinct_colors, "colour")
        lines.append(f"decoded:  {history.width} x {history.height} pixels, {colors}")
        lines += [f"          {note}" for note in history.notes]
        lines += [f"          sha256 {history.content}, in {history.seconds:.3f} s"] * verbose
    for flat, file in history.flats:
        lines += _flat_lines(flat, file, verbose=verbose)
    if history.files:
        lines.append("all k:" + f"    in {history.sweep_seconds:.3f} s" * verbose)
        lines += [f"          {f'{sha256}  ' * verbose}{name}" for name, sha256 in history.files]
    if history.failure and verbose:
        lines.append(f"run:      {history.run_id}")
    return "\n".join(map(printable, [*lines, f"next:     {_next_words(history)}"]))


def _flat_lines(flat: FlattenResult, file: str, *, verbose: bool) -> list[str]:
    """The measures of a flat image and its file, then its colours; where asked for, mse, digest and seconds too."""
    quality = f"PSNR {psnr(flat.mse):5.1f} dB" if flat.mse else "exact        "
    lost = f", {counted(flat.n_colors, 'colour')}" if flat.n_colors != flat.k else ""
    costly = "".join(f"  {name} {value:.4f}" for name, value in flat.metrics if value is not None)
    saved = f"{in_bytes(flat.bytes):>8s}  {file}" if file else "no file"
    lines = [
        f"k = {flat.k:<4d}  {quality}  {saved}{lost}{costly}",
        *(f"          {' '.join(row)}" for row in _rows(flat.palette)),
    ]
    digest = f"sha256 {flat.sha256}, " if flat.sha256 else ""
    lines += [f"          {digest}mse {flat.mse:.3f}, in {flat.seconds:.3f} s"] * verbose
    return lines


def _rows(colors: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The colours in rows that fit a line."""
    return [colors[start : start + _COLORS_A_LINE] for start in range(0, len(colors), _COLORS_A_LINE)]


def _next_words(history: ImageHistory) -> str:
    """What a run would do, and why."""
    if history.next is None:
        return "nothing: the file is gone from the input (`flatpipe clean` removes its outputs)"
    if history.next.is_current:
        return "nothing: everything is up to date"
    due = [f"k = {spans(history.next.ks)}"] if history.next.ks else []
    why = "it failed" if history.failure and history.next.reason == "new" else history.next.why
    return f"{' and '.join([*due, *(['the sweep'] if history.next.sweep else [])])}, because: {why}"
