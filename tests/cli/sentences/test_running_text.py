"""What a run says: every ending in its own words, and no number that means nothing."""

from __future__ import annotations

import json
import re

import pytest

from flatpipe import errors
from flatpipe.cli.sentences.running import HINTS, found_text, image_text, progress_text, quiet_text, summary_text
from flatpipe.errors import ExitCode
from flatpipe.records import Failure, ImageRecord, ImageSource
from flatpipe.summaries import PlanSummary, RunSummary
from flatpipe.vocabulary import NOT_SELECTED

STOPPED = "stopped; run again to go on"
LEFT_OUT = ((NOT_SELECTED, 3),)

ENDINGS = [
    ({"images": 24, "done": 24, "pairs": 336, "seconds": 5.92}, ["24 images done, 336 flat images in 5.9 s"]),
    ({"images": 1, "done": 1, "pairs": 1, "seconds": 0.6}, ["1 image done, 1 flat image in 0.6 s"]),
    ({"images": 1, "current": 1}, ["nothing to do: 1 image up to date"]),
    ({"images": 2, "done": 2, "seconds": 0.3}, ["2 images done"]),
    ({"images": 9, "done": 9, "pairs": 126, "seconds": 4000.0}, ["9 images done, 126 flat images in 67 min"]),
    (
        {"images": 28, "current": 3, "done": 21, "failed": 4, "pairs": 294, "seconds": 5.0},
        ["28 images: 21 done, 3 up to date, 4 failed, 294 flat images in 5.0 s"],
    ),
    ({"images": 1, "failed": 1, "seconds": 0.1}, ["1 image failed"]),
    (
        {"images": 9, "done": 2, "left": 7, "pairs": 28, "seconds": 2.0, "reason": STOPPED, "exit_code": 130},
        [STOPPED, "9 images: 2 done, 7 left, 28 flat images in 2.0 s"],
    ),
    (
        {"images": 9, "failed": 2, "left": 7, "reason": "2 images failed", "exit_code": 3},
        ["ended early: 2 images failed", "9 images: 2 failed, 7 left"],
    ),
    ({"images": 2, "current": 2, "reason": "the lock", "exit_code": 4}, ["the lock", "2 images up to date"]),
    (
        {"images": 3, "reasons": LEFT_OUT},
        [
            "nothing done: 3 images to do, not selected by --only, --only-failed or --limit",
            "3 images: none of them touched",
        ],
    ),
]


def ended(**changes: object) -> RunSummary:
    """A summary of a run that wrote to /out."""
    code = ExitCode(changes.pop("exit_code", 0))  # type: ignore[call-overload]
    return RunSummary("run", "/out", exit_code=code, report="/out/index.html", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "last"), ENDINGS, ids=[last[-1] for _, last in ENDINGS])
def test_a_run_ends_in_its_own_words(changes: dict[str, object], last: list[str]) -> None:
    """The report comes first, a link; what the run came to comes last, without zeros; quiet, it is one line."""
    lines = summary_text(ended(**changes)).splitlines()
    quiet = quiet_text(ended(**changes))

    assert lines[0] == "report:   file:///out/index.html"
    assert "results:  /out/results.csv" in lines
    assert lines[-len(last) :] == last
    assert not re.search(r"(?<![\d.])0 (?!s\b)", "\n".join(lines))
    assert "\n" not in quiet
    assert quiet.endswith(f"{last[-1]}: file:///out/index.html")


def test_the_ending_names_the_places_that_there_are() -> None:
    """Pictures are named one by one where they are given, else their folder; without a report or pictures, neither."""
    named = summary_text(ended(images=1, done=1), ["/out/a.png", "/out/b.png"]).splitlines()
    folder = summary_text(ended(images=1, done=1)).splitlines()
    bare = summary_text(RunSummary("run", "s3://b/out", images=1, failed=1)).splitlines()

    assert named[1:3] == ["pictures: /out/a.png", "          /out/b.png"]
    assert folder[1] == "pictures: /out/images/"
    assert bare[0] == "results:  s3://b/out/results.csv"
    assert summary_text(RunSummary("r", "/o", images=1, done=1, report="/o/a b.html")).startswith(
        "report:   file:///o/a%20b.html\n"
    )


def test_each_kind_of_failure_has_a_hint() -> None:
    """Every word that failures.csv may hold comes with what to do about it, told once, with a count."""
    known = {kind.error for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "error")}
    lines = summary_text(ended(images=5, failed=5, failures=(("truncated", 3), ("io-error", 2)))).splitlines()

    assert set(HINTS) == known
    at = lines.index("failures: /out/failures.csv")
    assert lines[at + 1] == f"          3 truncated: {HINTS['truncated']}"
    assert lines[at + 2] == f"          2 io-error: {HINTS['io-error']}"


@pytest.mark.parametrize(("plan", "words"), [
    (PlanSummary(24, pairs=336, sweeps=24), "24 images: 336 flat images and 24 sweeps to make"),
    (PlanSummary(1, pairs=1, sweeps=1), "1 image: 1 flat image and 1 sweep to make"),
    (PlanSummary(28, current=24, pairs=56, sweeps=4), "28 images, 24 up to date: 56 flat images and 4 sweeps to make"),
    (PlanSummary(3, sweeps=3), "3 images: 3 sweeps to make"),
    (PlanSummary(3, current=2, refused=1), "3 images, 2 up to date, 1 refused"),
    (
        PlanSummary(2, current=2, passed_over=(("hidden", 1), ("other files", 2)), suffixes=(".txt", ".svg")),
        "2 images, 2 up to date\n1 hidden file, 2 other files skipped: .svg, .txt",
    ),
    (PlanSummary(1, current=1, passed_over=(("litter", 2),)), "1 image, 1 up to date\n2 system files skipped"),
    (
        PlanSummary(1, current=1, passed_over=(("other files", 1),), suffixes=("",)),
        "1 image, 1 up to date\n1 other file skipped: no suffix",
    ),
], ids=lambda words: words if isinstance(words, str) else "")  # fmt: skip
def test_what_was_found_is_told_without_zeros(plan: PlanSummary, words: str) -> None:
    """Images, what is up to date, what there is to make, and what was skipped, by kind."""
    assert found_text(plan) == words


def record(failure: Failure | None = None, ks: tuple[int, ...] = (2, 3, 4, 5)) -> ImageRecord:
    """What a worker tells of an image; its distortion falls until k = 3, and hardly after that."""
    flats = [{"k": k, "mse": {2: 900.0, 3: 100.0}.get(k, 100.0 - k), "sha256": "ab"} for k in ks]
    line = json.dumps({"width": 768, "height": 512, "flats": flats})
    return ImageRecord(ImageSource("a\n.png", "/a.png", 9, ""), failure, len(ks), 0.314, line)


def test_an_image_tells_its_size_seconds_and_suggested_k() -> None:
    """With -v an image has its size, seconds and suggested k; one k, or some, suggest nothing; a failure says why."""
    whole, one = image_text(record(), (2, 3, 4, 5)), image_text(record(ks=(5,)), (5,))
    some = image_text(record(), (2, 3, 4, 5, 6))
    failed = image_text(record(Failure("load", "truncated", "is cut off")), (2,))

    assert whole == "a\\n.png: 768 x 512, 4 flat images in 0.31 s, suggested k = 3 (PSNR 32.9 dB)"
    assert some == "a\\n.png: 768 x 512, 4 flat images in 0.31 s"
    assert one == "a\\n.png: 768 x 512, 1 flat image in 0.31 s"
    assert failed == "failed: a\\n.png: is cut off (truncated)"


def test_progress_is_one_line_with_rates_that_can_be_read() -> None:
    """Done, failed, rates of two figures or so, time left; what is zero is not there."""
    assert progress_text(3, 24, 0, 42, 2.0) == "3 of 24 images, 1.5 images/s, 21 flats/s, about 14 s left"
    assert progress_text(3, 24, 3, 0, 30.0) == "3 of 24 images, 3 failed, 0.1 images/s, about 4 min left"
