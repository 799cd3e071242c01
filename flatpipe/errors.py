"""What can go wrong, as classes: each run-level error owns its exit code, each image-level one its `error` word."""

from __future__ import annotations


class FlatpipeError(Exception):
    """Base of everything flatpipe raises on purpose; the message is one clear sentence for the user."""

    exit_code = 3


class ConfigError(FlatpipeError):
    """The config, or a command's argument, asks for something that cannot be; nothing was done."""

    exit_code = 2


class RunGivenUp(FlatpipeError):
    """The run stopped before its end: failure limit, disk full, cluster lost. What is done is recorded."""

    exit_code = 3


class ImageError(FlatpipeError):
    """One image cannot be flattened. `error` is the stable word that stands in failures.csv."""

    error = "internal-error"


class NotAnImage(ImageError):
    """The file's content is of no image format that we read."""

    error = "not-an-image"


class TruncatedImage(ImageError):
    """The file ends before its image does."""

    error = "truncated"


class ImageTooLarge(ImageError):
    """Decoding would exceed `limits.max_pixels` or the worker's share of memory."""

    error = "too-large"


class UnsupportedImage(ImageError):
    """A real image, in a format or variant that we do not read."""

    error = "unsupported"


class DecoderFailed(ImageError):
    """The decoder gave up: the content is damaged."""

    error = "decoder-error"


class ImageIOFailed(ImageError):
    """The file could not be read, or an output could not be written."""

    error = "io-error"


class WorkerDied(ImageError):
    """The worker process ended while it worked on this image, more often than allowed."""

    error = "worker-died"
