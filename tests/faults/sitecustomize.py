"""Faults for the processes of a real run, asked for by an environment variable; imported by every Python at its start.

FLATPIPE_TEST_FAULTS is JSON: {"log": file to which each decoding adds its image's id, "crash": [ids], "slow": seconds}.
"""

import json
import os
import time

_faults = json.loads(os.environ.get("FLATPIPE_TEST_FAULTS", "{}"))

if _faults:
    from flatpipe.work import image_work

    _load_image = image_work.load_image

    def load_image_with_faults(source, settings):
        if "log" in _faults:
            with open(_faults["log"], "a") as log:  # noqa: PTH123 - this runs at every start of Python
                log.write(source.image_id + "\n")
        if source.image_id in _faults.get("crash", ()):
            os.abort()
        time.sleep(_faults.get("slow", 0))
        return _load_image(source, settings)

    image_work.load_image = load_image_with_faults
