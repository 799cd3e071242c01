"""What a run ran on: the versions that can change a byte, and the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from flatpipe.versions import __version__

_PACKAGES = ("dask", "distributed", "imageio", "numba", "numpy", "pillow", "scikit-learn")


def environment() -> dict[str, object]:
    """Versions of flatpipe, Python and the libraries below it, and what machine this is."""
    return {
        "flatpipe": __version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
