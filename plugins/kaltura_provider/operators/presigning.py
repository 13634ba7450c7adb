"""How long Kaltura may take to begin fetching an S3 object: the validity of presigned URLs."""

from __future__ import annotations

__all__ = ["PRESIGNED_SECONDS", "presigned_seconds"]

PRESIGNED_SECONDS = 86_400


def presigned_seconds(given: int | str) -> int:
    """Return the validity in seconds, checked: AWS signs for a week at most.

    :raises KalturaConfigurationError: it is out of range; names the argument.
    """
    from kaltura_provider.api.arguments import number

    return number(given, "presigned_seconds", minimum=60, maximum=604_800)
