"""Write `.env` for docker-compose.yml, with random secrets: `make env`."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

__all__ = ["main", "settings"]


def settings() -> dict[str, str]:
    """Return new values for every setting that docker-compose.yml requires."""
    return {
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "VALKEY_PASSWORD": secrets.token_hex(24),
        "FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "API_SECRET_KEY": secrets.token_hex(32),
        "JWT_SECRET": secrets.token_hex(32),
        "FLOWER_PASSWORD": secrets.token_hex(16),
        "AIRFLOW_USERS": "operator:admin",
    }


def main(path: Path) -> int:
    """Write the file, readable by its owner only. A file that exists stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{path} exists, and its passwords may be in use; to replace it, delete it first", file=sys.stderr)
        return 1
    with open(descriptor, "w") as file:
        file.write("# Secrets of docker-compose.yml. Keep this file to yourself, and out of version control.\n")
        file.writelines(f"{name}={value}\n" for name, value in settings().items())
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
