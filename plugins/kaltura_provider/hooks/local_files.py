"""The one rule for which local files tasks may read and write."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_provider.upload.sources.folders import FolderPolicy

__all__ = ["ALLOWED_PATHS", "allowed_path", "folder_policy"]

ALLOWED_PATHS = "KALTURA_ALLOWED_PATHS"
"""Environment variable with absolute folders, separated by colons or commas. Without it, local files are forbidden."""


def folder_policy() -> FolderPolicy:
    """Return the folders that this deployment allows."""
    from kaltura_provider.upload.sources.folders import FolderPolicy

    named = re.split("[:,]", os.environ.get(ALLOWED_PATHS, ""))
    return FolderPolicy.allowing(named, by=f"environment variable {ALLOWED_PATHS}")


def allowed_path(address: str, field: str) -> Path:
    """Return the real path of a file or folder to write.

    :param address: an absolute path, or ``file:///path``.
    :param field: the argument that holds the address.
    :raises KalturaConfigurationError: this deployment does not allow the path.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return folder_policy().resolve(address)
    except SourceRefused as error:
        fix = f"give a path below a folder in {ALLOWED_PATHS}, or an s3:// address"
        raise KalturaConfigurationError(field, address, f"cannot be used: {error.message}", fix) from None
