"""Imported by the fork server before it forks a worker: each then starts with its libraries and kernels in memory.

The memory is shared among them too. Importing it anywhere else has no use: it changes how the process hears signals.
"""

from __future__ import annotations

import signal

import distributed.nanny
import distributed.worker

import flatpipe.engines.clusters.worker_setup
import flatpipe.work.tasks
from flatpipe.work.kernels import load_kernels, missing_parts

__all__ = ["distributed", "flatpipe"]

signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
# ^ Ctrl-C, and a closed terminal, is the driver's to handle; it was held back while this process started
if not missing_parts():
    load_kernels()
