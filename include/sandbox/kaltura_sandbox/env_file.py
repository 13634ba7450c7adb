"""The environment variables with the addresses and keys of a sandbox, for shells, Airflow and tests."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_sandbox.config import Config
    from kaltura_sandbox.s3 import S3Server

__all__ = ["environment", "write"]


def environment(config: Config, url: str, s3: S3Server | None) -> dict[str, str]:
    """Return the variables, the two Airflow connections in their JSON form among them."""
    kaltura = {
        "conn_type": "kaltura",
        "host": url,
        "login": str(config.partner_id),
        "password": config.admin_secret,
        "extra": {"cdn_host": url, "kmc_host": url},
    }
    variables = {
        "KALTURA_SERVICE_URL": f"{url}/api_v3",
        "KALTURA_PARTNER_ID": str(config.partner_id),
        "KALTURA_ADMIN_SECRET": config.admin_secret,
        "KALTURA_USER_SECRET": config.user_secret,
        "AIRFLOW_CONN_KALTURA_DEFAULT": json.dumps(kaltura),
    }
    if s3 is not None:
        aws = {
            "conn_type": "aws",
            "login": s3.access_key,
            "password": s3.secret_key,
            "extra": {"endpoint_url": s3.url, "region_name": "us-east-1"},
        }
        variables |= {
            "S3_ENDPOINT_URL": s3.url,
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
        }
    return variables


def write(path: Path, variables: dict[str, str]) -> None:
    """Write a file a shell can source; readable by its owner only, replaced in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write("# Written by kaltura-sandbox; use: set -a; . " + shlex.quote(str(path)) + "; set +a\n")
        stream.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    partial.replace(path)
