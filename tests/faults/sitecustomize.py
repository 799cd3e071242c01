"""Faults for the processes of a real run, asked for by an environment variable; imported by every Python at its start.

FLATPIPE_TEST_FAULTS is JSON: {"log": file to which each decoding adds its image's id, "crash": [ids], "slow": seconds,
"stuck": [ids] whose decoding does not end, "stuck_k": a k that no image comes past}.
"""

import json
import os
import time

_faults = json.loads(os.environ.get("FLATPIPE_TEST_FAULTS", "{}"))

if _faults:
    from flatpipe.work import image_work

    _load_image = image_work.load_image

    def load_image_with_faults(source, settings, decoding):
        if "log" in _faults:
            with open(_faults["log"], "a") as log:  # noqa: PTH123 - this runs at every start of Python
                log.write(source.image_id + "\n")
        if source.image_id in _faults.get("crash", ()):
            os.abort()
        time.sleep(300 if source.image_id in _faults.get("stuck", ()) else _faults.get("slow", 0))
        return _load_image(source, settings, decoding)

    _flatten_indexed = image_work.flatten_indexed

    def flatten_with_faults(indexed, k, options):
        time.sleep(300 if k == _faults.get("stuck_k") else 0)
        return _flatten_indexed(indexed, k, options)

    image_work.load_image = load_image_with_faults
    image_work.flatten_indexed = flatten_with_faults
