"""Open the place where receipts are written: a local folder or an S3 prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaltura_provider.ingest.receipts import ReceiptSink

__all__ = ["receipt_sink"]


def receipt_sink(root: str, *, aws_conn_id: str = "aws_default") -> ReceiptSink:
    """Return the receipt sink for an address.

    :param root: ``s3://bucket/prefix``, ``file:///path`` or an absolute path.
    :raises KalturaConfigurationError: the address is none of these, or a folder that this deployment does not allow.
    """
    from kaltura_provider.hooks.local_files import allowed_path
    from kaltura_provider.hooks.sources import s3_client
    from kaltura_provider.ingest.receipts import LocalReceipts, S3Receipts

    if root.startswith("s3://"):
        bucket, _, prefix = root.removeprefix("s3://").partition("/")
        return S3Receipts(s3_client(aws_conn_id), bucket, prefix)
    return LocalReceipts(allowed_path(root, "receipts"))
