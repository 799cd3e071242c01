"""Where the pictures of the report go, relative to the output root: pure path arithmetic."""

from __future__ import annotations

import hashlib
import os

from flatpipe.files.layout import image_folder

COLORSPACE = "colorspace.png"
CONTACT_SHEET = "contact_sheet.png"


def picture_key(image_id: str) -> str:
    """16 hex digits that stand for an image in file names, whatever characters its own name has."""
    return hashlib.sha256(os.fsencode(image_id)).hexdigest()[:16]


def picture_name(image_id: str, kind: str) -> str:
    """Name of a picture of the kind "original.jpg": `gallery/pictures/3f/3f...-original.jpg`, in one of 256 folders."""
    key = picture_key(image_id)
    return f"gallery/pictures/{key[:2]}/{key}-{kind}"


def still_name(image_id: str, name: str) -> str:
    """Name of a picture for people, beside the image's other outputs: `images/a.jpg/contact_sheet.png`."""
    return f"{image_folder(image_id)}/{name}"
