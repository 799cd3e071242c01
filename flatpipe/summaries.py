"""What a run is going to do, and what it came to: counts, frozen."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe.errors import ExitCode
from flatpipe.layout import IMAGES
from flatpipe.vocabulary import Flats


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to."""

    run_id: str
    output: str
    images: int = 0
    # ^ found in the input
    done: int = 0
    # ^ images that this run brought up to date
    current: int = 0
    # ^ images that were so already
    failed: int = 0
    pairs: int = 0
    # ^ (image, k) computed by this run
    seconds: float = 0.0
    exit_code: ExitCode = ExitCode.DONE
    reason: str = ""
    # ^ why the run ended early, in words
    reasons: tuple[tuple[str, int], ...] = ()
    # ^ why images had to be computed, with how many; the most frequent first
    passed_over: tuple[tuple[str, int], ...] = ()
    # ^ what of the input's folder was not looked at, and how often: litter, hidden, linked folders, other files
    left: int = 0
    # ^ images that were due and are not done, because the run ended early
    failures: tuple[tuple[str, int], ...] = ()
    # ^ stable words of this run's failures, with how many; the most frequent first
    part: str = ""
    # ^ of the input that it has done: "2/8"; "": all of it
    report: str = ""
    # ^ where index.html lies; "" when none was written
    flats: Flats = "all"
    # ^ which flat images are written
    folder: str = IMAGES
    # ^ below output, where images' outputs lie
    no_report: str = ""
    # ^ why none can be of the outputs that are asked for, in words, where nobody has said that none shall be


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a run is going to do."""

    images: int = 0
    current: int = 0
    refused: int = 0
    # ^ files that look like images and will not be opened
    due: int = 0
    # ^ images with something to do
    pairs: int = 0
    sweeps: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    passed_over: tuple[tuple[str, int], ...] = ()
    suffixes: tuple[str, ...] = ()
    # ^ of the other files that were passed over, the most frequent first; "" for those without
    marked: int = 0
    # ^ images that a mark tells apart from one whose name the output's file system takes for theirs
    part: str = ""
    # ^ of the input that the run does: "2/8"; "": all of it
    listed: int = 0
    # ^ images of all parts
    flats: Flats = "all"
    # ^ which flat images are written
