"""The words that a user chooses among, each list written once; types, schema, help, errors and tables derive from it.

Those of colour clustering itself, which know nothing outside, stand in quantize/options.py.
"""

from __future__ import annotations

from typing import Literal

PictureFormat = Literal["gif", "webp", "apng"]
# ^ of animations that browsers take for pictures
VideoFormat = Literal["mp4", "webm"]
AnimationFormat = Literal[PictureFormat, VideoFormat]
SHORTEST_MS = 20
# ^ that a frame may be shown: browsers make 100 ms of anything shorter
Layout = Literal["tree", "shards"]
# ^ how outputs lie: each image's in a folder of its own, or those of many in a tar file
Flats = Literal["all", "best", "none"]
# ^ which flat images are written
PaletteFormat = Literal["gpl", "ase", "aco", "act", "pal", "csv", "css", "hex"]

Scope = Literal["image", "folder", "collection"]
# ^ whose colours are clustered for a palette

WhichFrames = Literal["first", "all"]
Truncated = Literal["fail", "fill"]

InProcess = Literal["synchronous", "threads"]
LocalScheduler = Literal[InProcess, "processes"]
Scheduler = Literal["auto", LocalScheduler]
BackendKind = Literal[LocalScheduler, "cluster"]
# ^ what carries a run once it is chosen

TaskShape = Literal["pair", "image", "batch"]
Granularity = Literal["auto", TaskShape]

Stage = Literal["discover", "load", "flatten", "sweep", "worker"]
# ^ where an image failed: a column of failures.csv

SAME_BYTES = "same bytes as another image"
# ^ reason of an image whose outputs are copied from those of another one
NOT_SELECTED = "not selected"
EARLIER = "of an earlier call"
# ^ reason of an image that this call of `flatten` did not name, and another did: it is shown as it was left
# ^ reason of an image that is due and that --only, --only-failed or --limit leaves as it is
