"""The release, and numbers that are raised when the same input and config may give other output.

The numbers are part of every fingerprint.
"""

from __future__ import annotations

__version__ = "0.1.0"

DECODING = 1
# ^ decode/: which pixels a file decodes to
CLUSTERING = 4
# ^ quantize/: which palette and labels those pixels get
ENCODING = 3
# ^ encode/: how they are written
PICTURES = 2
# ^ pictures/: thumbnails, previews, points, contact sheets

# These came late: in a fingerprint they are absent while they are 1, so that what was made before them stays valid.
OKLAB = 2
# ^ quantize/color_space.py: which 8-bit colours means in Oklab become
DITHERING = 1
# ^ quantize/dithering/: which palette row a pixel gets, where flat images are dithered
KNEE = 1
# ^ quantize/knee.py: which k is best.png, and the one that the report's pictures show
CAPTIONS = 2
# ^ encode/captions.py: how a frame says what it shows
PALETTES = 2
# ^ encode/palettes.py, palettes/write.py: how palettes.json and the palette files are written
SUMS = 1
# ^ quantize/shared/: how the colours of many images are added up
