"""Local files that tasks may read and write: one rule, whoever named them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_provider.upload.sources.folders import FolderPolicy

__all__ = ["ALLOWED_PATHS", "allowed_path", "folder_policy"]

ALLOWED_PATHS = "KALTURA_ALLOWED_PATHS"
"""Environment variable with absolute folders, colon or comma separated; without it no local file is read or written."""


def folder_policy() -> FolderPolicy:
    """Return what this deployment allows."""
    from kaltura_provider.upload.sources.folders import FolderPolicy

    named = re.split("[:,]", os.environ.get(ALLOWED_PATHS, ""))
    return FolderPolicy.allowing(named, by=f"environment variable {ALLOWED_PATHS}")


def allowed_path(address: str, field: str) -> Path:
    """Return the real path of a file or folder that is to be written.

    :param address: an absolute path, or ``file:///path``. :param field: the argument it comes from.
    :raises KalturaConfigurationError: this deployment does not allow it.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return folder_policy().resolve(address)
    except SourceRefused as error:
        fix = f"name a place below a folder in {ALLOWED_PATHS}, or one in S3"
        raise KalturaConfigurationError(field, address, f"cannot be used: {error.message}", fix) from None
