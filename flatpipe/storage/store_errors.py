"""What object stores raise, as OSErrors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator

_FOREIGN_ERRORS = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
    ("aiohttp", "ClientError"),
)
# ^ what stores raise that is no OSError: module and class; looked up only where the module is loaded

_CREDENTIALS = "set the store's own variables, such as AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@contextlib.contextmanager
def as_os_errors() -> Iterator[None]:
    """Errors of the stores' own classes leave as OSErrors; refused access says what to do."""
    try:
        yield
    except PermissionError as error:
        words = f"access denied ({error.strerror or error}); check what these credentials may do, or {_CREDENTIALS}"
        raise PermissionError(errno.EACCES, words) from error
    except _foreign_errors() as error:
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"):
            raise PermissionError(errno.EACCES, f"no credentials found; {_CREDENTIALS}") from error
        raise OSError(f"{type(error).__name__}: {error}") from error


def _foreign_errors() -> tuple[type[Exception], ...]:
    loaded = ((sys.modules.get(module), name) for module, name in _FOREIGN_ERRORS)
    return tuple(getattr(module, name) for module, name in loaded if module is not None and hasattr(module, name))
