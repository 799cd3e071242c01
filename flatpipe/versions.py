"""Numbers that are raised when the same input and config may give other output; they are part of every fingerprint."""

from __future__ import annotations

DECODING = 1
# ^ files/decode.py: which pixels a file decodes to
CLUSTERING = 3
# ^ quantize/: which palette and labels those pixels get
ENCODING = 1
# ^ files/encode.py, files/animate.py: how they are written
PICTURES = 1
# ^ report/pictures/: thumbnails, previews, points, contact sheets
