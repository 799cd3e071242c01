"""Pillow kept quiet and within limits while it decodes, and what it raises translated to our errors."""

from __future__ import annotations

import io
import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from PIL import AvifImagePlugin, Image, ImageCms

from flatpipe.decode.file_end import ends_early
from flatpipe.errors import DecoderFailed, ImageError, ImageTooLarge, TruncatedImage, UnsupportedImage

DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImageCms.PyCMSError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
# ^ what decoders were seen to raise on damaged files. The content is in memory, so an OSError is the decoder's opinion

_READ_BLOCK = 65536
# ^ PIL.ImageFile reads pixels in blocks of this size, of which the last may be short in a sound file

logging.getLogger("PIL").addHandler(logging.NullHandler())
# ^ without any handler, Python prints a library's errors to stderr


class ImageBytes(io.BytesIO):
    """A file in memory that remembers whether its reader asked for more than there is."""

    ran_out = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all when it is negative or None."""
        chunk = super().read(size)
        if size is not None and size > len(chunk) and (not chunk or size != _READ_BLOCK):
            self.ran_out = True
        return chunk


class _PillowLimits:
    """Pillow's process-wide settings, as we need them while at least one of our threads decodes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[int] = []
        self._restore = ExitStack()

    def enter(self, max_pixels: int) -> None:
        with self._lock:
            if not self._active:
                self._restore.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
                self._restore.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
                self._restore.callback(
                    setattr, AvifImagePlugin, "DEFAULT_MAX_THREADS", AvifImagePlugin.DEFAULT_MAX_THREADS
                )
                AvifImagePlugin.DEFAULT_MAX_THREADS = 1
                # ^ one worker process, one compute thread
            self._active.append(max_pixels)
            self._apply()

    def leave(self, max_pixels: int) -> None:
        with self._lock:
            self._active.remove(max_pixels)
            if self._active:
                self._apply()
            else:
                self._restore.close()

    def _apply(self) -> None:
        Image.MAX_IMAGE_PIXELS = (max(self._active) + 1) // 2
        # ^ Pillow warns at this and refuses at twice this. It is only the second line, for images inside images
        #   (icons, frames) that no header of ours shows; the exact limit of each call is checked by decode.header


_limits = _PillowLimits()


@contextmanager
def pillow_within(max_pixels: int) -> Iterator[None]:
    """Run the body with Pillow silent and bounded; its settings are restored when the last thread leaves."""
    _limits.enter(max_pixels)
    try:
        yield
    finally:
        _limits.leave(max_pixels)


@contextmanager
def decoder_errors(name: str, source: ImageBytes) -> Iterator[None]:
    """Run the body, the decoder called `name` reading `source`; whatever it raises leaves as an ImageError.

    Errors are told apart by their class, and truncation by the file's structure: no message is looked at. A SyntaxError
    caused by a KeyError is how Pillow's decoders say that a mode, depth or compression is not in their tables.
    """
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"{name}: more pixels than limits.max_pixels: {_in_words(error)}") from error
    except MemoryError as error:
        raise ImageTooLarge(f"{name}: not enough memory to decode it") from error
    except NotImplementedError as error:
        raise UnsupportedImage(f"{name}: {_in_words(error)}") from error
    except DECODER_ERRORS as error:
        if isinstance(error, SyntaxError) and isinstance(error.__cause__, KeyError):
            raise UnsupportedImage(f"{name}: a variant that we do not read: {_in_words(error)}") from error
        content = source.getvalue()
        if ends_early(name, content, source.ran_out):
            raise TruncatedImage(f"{name} is cut off after {len(content):,} bytes") from error
        raise DecoderFailed(f"{name}: {_in_words(error)}") from error


def _in_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
