"""An image's outcome as the driver keeps it: made here, so that the one driver has no more to do than to store it."""

from __future__ import annotations

import json

from flatpipe.ledger.rows import flat_row, given_digests, image_row, recorded_given, sweep_row
from flatpipe.records import ImageRecord, ImageResult, SettingsDigests


def recorded(result: ImageResult, digests: SettingsDigests) -> ImageRecord:
    """The rows of the ledger, the line of the run's log, and what the loop must know."""
    token, sweep, digest_of = result.token, result.sweep, dict(digests.flat)
    given = given_digests(digests.given)
    made = [flat for flat in result.flats if flat.failure is None]
    rows = [*made, *(sweep.moved if sweep else ())]
    return ImageRecord(
        source=result.source,
        failure=result.failure,
        pairs=len(made),
        seconds=token.seconds + sum(flat.seconds for flat in made) + (sweep.seconds if sweep else 0.0),
        line=json.dumps(image_line(result), sort_keys=True),
        image_row=image_row(result.source, token) if token.content else None,
        flat_rows=tuple(flat_row(flat, digest_of[flat.k], token.content, given.get(str(flat.k), "")) for flat in rows),
        sweep_row=sweep_row(sweep, digests.sweep, token.content, recorded_given(digests.given)) if sweep else None,
    )


def image_line(result: ImageResult) -> dict[str, object]:
    """One image's outcome as `--json` prints it and the run's log keeps it."""
    token, failure = result.token, result.failure
    return {
        "event": "image",
        "image": result.source.image_id,
        "width": token.width,
        "height": token.height,
        "notes": list(token.notes),
        "same_as": result.same_as,
        "flats": [
            {
                **{"k": flat.k, "n_colors": flat.n_colors, "mse": flat.mse, "bytes": flat.bytes, "sha256": flat.sha256},
                **dict(flat.metrics),
            }
            for flat in result.flats
            if flat.failure is None
        ],
        "failure": None
        if failure is None
        else {"stage": failure.stage, "error": failure.error, "message": failure.message},
    }
