"""The compression of GIF frames.

T. A. Welch, "A technique for high-performance data compression", 1984, as GIF89a's appendix F packs it. Written here
because Pillow's encoder takes half as long again and holds the GIL meanwhile (docs/decisions.md has the figures).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel

_MAX_CODES = 4096
# ^ GIF's codes have at most 12 bits
_BLOCK = 255
# ^ bytes in a full sub-block


def lzw_blocks(labels: NDArray[np.uint8], n_colors: int) -> bytes:
    """GIF's image data for labels (h, w) uint8 below n_colors: code size, sub-blocks, and the empty block that ends."""
    bits = max(2, (n_colors - 1).bit_length())
    # ^ the format knows no code size of 1
    stream = labels.reshape(-1).view()
    stream.flags.writeable = False
    # ^ one compiled variant, whatever the caller's array allows
    longer = np.empty(_MAX_CODES << bits, dtype=np.uint16)
    codes = np.empty(stream.size * 3 // 2 + stream.size // 1024 + 64, dtype=np.uint8)
    # ^ room for 12 bits per pixel and a restart now and then; memory that is not touched costs nothing
    n_bytes = _write_codes(stream, bits, longer, codes)
    return bytes([bits]) + _in_blocks(codes[:n_bytes]) + b"\0"


def _in_blocks(stream: NDArray[np.uint8]) -> bytes:
    """The stream with a length before every 255 bytes, as GIF stores it."""
    whole = len(stream) // _BLOCK * _BLOCK
    blocks = np.empty((whole // _BLOCK, _BLOCK + 1), dtype=np.uint8)
    blocks[:, 0] = _BLOCK
    blocks[:, 1:] = stream[:whole].reshape(-1, _BLOCK)
    rest = stream[whole:].tobytes()
    return blocks.tobytes() + (bytes([len(rest)]) + rest if rest else b"")


@kernel
def _write_codes(labels: NDArray[np.uint8], bits: int, longer: NDArray[np.uint16], codes: NDArray[np.uint8]) -> int:
    """Write the codes of labels (n,) to `codes` and return the bytes written.

    A code stands for a run of labels seen before; longer[code << bits | label] is the code of that run with the label
    behind it, or 0 while there is none.
    """
    restart = 1 << bits
    next_code, width = restart + 2, bits + 1
    longer[: next_code << bits] = 0
    waiting, n_waiting, n_bytes = np.uint64(restart), width, 0
    # ^ bits not yet written, the first in the lowest place
    code = np.int64(labels[0])
    for position in range(1, labels.size):
        label = np.int64(labels[position])
        slot = (code << bits) | label
        if longer[slot]:
            code = np.int64(longer[slot])
            continue
        waiting |= np.uint64(code) << np.uint64(n_waiting)
        n_waiting += width
        code = label
        if next_code < _MAX_CODES:
            longer[slot] = next_code
            longer[next_code << bits : (next_code + 1) << bits] = 0
            width += next_code == 1 << width
            next_code += 1
        else:
            waiting |= np.uint64(restart) << np.uint64(n_waiting)
            n_waiting += width
            next_code, width = restart + 2, bits + 1
            longer[: next_code << bits] = 0
        while n_waiting >= 8:
            codes[n_bytes] = waiting & np.uint64(255)
            n_bytes += 1
            waiting >>= np.uint64(8)
            n_waiting -= 8
    waiting |= np.uint64(code) << np.uint64(n_waiting)
    n_waiting += width
    width += next_code == 1 << width and next_code < _MAX_CODES
    waiting |= np.uint64(restart + 1) << np.uint64(n_waiting)
    n_waiting += width
    while n_waiting > 0:
        codes[n_bytes] = waiting & np.uint64(255)
        n_bytes += 1
        waiting >>= np.uint64(8)
        n_waiting -= 8
    return n_bytes
