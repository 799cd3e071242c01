"""Memory that worker processes free."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

_FAULTS_OF_50_ARRAYS = """
import resource, sys
import numpy as np
from flatpipe.engines.clusters.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(5):
    np.ones(1 << 20, dtype=np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(1 << 20, dtype=np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc is told what to keep")
def test_freed_arrays_are_used_again_under_a_nanny() -> None:
    """With the environment that Dask's nanny gives its worker, arrays of a megabyte cause no page faults any more."""

    def faults(what: str) -> int:
        command = [sys.executable, "-c", _FAULTS_OF_50_ARRAYS, what]
        environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
        return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)

    assert faults("given back") > 50 * 200
    assert faults("kept") < 50
