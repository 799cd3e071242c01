"""Faults for the processes of a real run, asked for by an environment variable; imported by every Python at its start.

FLATPIPE_TEST_FAULTS is JSON: {"log": file to which each decoding adds its image's id, "crash": [ids], "slow": seconds,
"stuck": [ids] whose decoding does not end, "stuck_k": a k that no image comes past, which adds "stuck" to the log,
"hold": a file, while which is there no decoding ends}.
"""

import json
import os
import time

_faults = json.loads(os.environ.get("FLATPIPE_TEST_FAULTS", "{}"))

if _faults:
    from flatpipe.work import flats, image_work

    def _log(line):
        if "log" in _faults:
            with open(_faults["log"], "a") as log:  # noqa: PTH123 - this runs at every start of Python
                log.write(line + "\n")

    _load_image = image_work.load_image

    def load_image_with_faults(source, settings, decoding):
        _log(source.image_id)
        if source.image_id in _faults.get("crash", ()):
            os.abort()
        time.sleep(300 if source.image_id in _faults.get("stuck", ()) else _faults.get("slow", 0))
        while os.path.exists(_faults.get("hold", "")):  # noqa: PTH110
            time.sleep(0.05)
        return _load_image(source, settings, decoding)

    _flatten_indexed = flats.flatten_indexed

    def flatten_with_faults(indexed, k, options):
        if k == _faults.get("stuck_k"):
            _log("stuck")
            time.sleep(300)
        return _flatten_indexed(indexed, k, options)

    image_work.load_image = load_image_with_faults
    flats.flatten_indexed = flatten_with_faults
