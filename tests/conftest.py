"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
# ^ so that tests can import `builders`

settings.register_profile("flatpipe", deadline=None)
settings.load_profile("flatpipe")
# ^ a kernel may be compiled in the middle of a test, and the machine may be busy
