"""A client for an SQS queue, from an Airflow connection."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

__all__ = ["WAIT_SECONDS", "queue_region", "sqs_client"]

WAIT_SECONDS = 10
"""How long a request waits for messages."""


def queue_region(queue: str) -> str | None:
    """Return the AWS region in the URL of a queue, or ``None`` if it has none."""
    found = re.match(r"https?://(?:sqs\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.(?:queue\.)?amazonaws\.com", queue)
    return found[1] if found else None


def sqs_client(aws_conn_id: str | None, queue: str) -> Any:
    """Return a boto3 client for the server and region of a queue.

    :raises KalturaConfigurationError: the connection does not exist, or is not of type ``aws``.
    """
    from airflow.providers.amazon.aws.hooks.sqs import SqsHook
    from botocore.config import Config

    from kaltura_provider.hooks.named_connections import named_connection

    if aws_conn_id is not None:
        named_connection(aws_conn_id, "aws_conn_id")
    hook = SqsHook(aws_conn_id=aws_conn_id, region_name=queue_region(queue))
    parts = urlsplit(queue)
    config = Config(connect_timeout=10, read_timeout=WAIT_SECONDS + 20, retries={"mode": "standard", "max_attempts": 3})
    # The URL of a queue names its server. An endpoint_url of the connection is often that of an S3 store.
    endpoint = f"{parts.scheme}://{parts.netloc}"
    return hook.get_session().client("sqs", endpoint_url=endpoint, config=config, verify=hook.verify)
