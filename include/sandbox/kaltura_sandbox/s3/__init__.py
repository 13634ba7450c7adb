"""A real S3 server (SeaweedFS) as a child process, and the sample media in it."""

from __future__ import annotations

from kaltura_sandbox.s3.samples import DEMO_BUCKET, SampleMedia
from kaltura_sandbox.s3.server import S3Server

__all__ = ["DEMO_BUCKET", "S3Server", "SampleMedia"]
