"""Encrypt the secrets in URLs that Airflow stores between two tasks: signatures and logins.

A sealed address is the original URL without its user, its fragment and the query fields that sign it or are secret.
Instead it has one field that holds the whole address, encrypted with Airflow's Fernet key. Addresses without a secret,
and those of S3 objects and files, are not changed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

__all__ = ["opened_address", "seal_address"]


def seal_address(uri: str) -> str:
    """Return an address that is safe to store. An address that is sealed or has no secrets is not changed.

    :raises SourceRefused: the address holds a secret, and Airflow has no Fernet key.
    """
    from kaltura_provider.api.redaction import public_url
    from kaltura_provider.api.signing import SEAL, sealed_part
    from kaltura_provider.upload.sources.errors import SourceRefused

    if sealed_part(uri) is not None or not _has_secret(uri):
        return uri
    fernet = _fernet()
    if not fernet.is_encrypted:
        raise SourceRefused(
            _shown(uri),
            "it holds a signature or password, and Airflow needs a Fernet key to encrypt it between tasks; set "
            "fernet_key in section [core] of Airflow's configuration, use an s3:// address with an AWS connection, or "
            "move the secrets to an HTTP connection",
        )
    secret = fernet.encrypt(uri.encode(errors="surrogatepass")).decode().rstrip("=")
    public = public_url(uri)
    return f"{public}{'&' if '?' in public else '?'}{SEAL}={secret}"


def opened_address(uri: str) -> str:
    """Return the original of a sealed address, and mask its secrets in logs. Return any other address unchanged.

    :raises SourceRefused: the address was sealed with another Fernet key, or was changed afterwards.
    """
    from kaltura_provider.api.redaction import public_url
    from kaltura_provider.api.signing import sealed_part
    from kaltura_provider.hooks.masking import mask_arguments
    from kaltura_provider.upload.sources.errors import SourceRefused

    secret = sealed_part(uri)
    if secret is None:
        return uri
    address = _decrypted(secret)
    if address is None or public_url(address) != public_url(uri):
        raise SourceRefused(
            _shown(uri),
            "its encrypted part was changed, or was made with a Fernet key that this deployment no longer has; "
            "start again with the original address",
        )
    mask_arguments({"uri": address})
    return address


def _decrypted(secret: str) -> str | None:
    from cryptography.fernet import InvalidToken

    fernet = _fernet()
    if not fernet.is_encrypted:
        return None
    try:
        opened: bytes = fernet.decrypt((secret + "=" * (-len(secret) % 4)).encode())
    except (InvalidToken, ValueError):
        return None
    return opened.decode(errors="surrogatepass")


def _has_secret(uri: str) -> bool:
    from kaltura_provider.api.redaction import redact
    from kaltura_provider.api.signing import public_query

    if uri.startswith("/") or uri.partition(":")[0].lower() in ("s3", "s3a", "s3n", "file"):
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "@" in uri or redact(uri) != uri
    return "@" in parts.netloc or public_query(parts.query) != parts.query or redact(uri) != uri


def _fernet() -> Any:
    from airflow.sdk.crypto import get_fernet

    return get_fernet()


def _shown(uri: str) -> str:
    from kaltura_provider.upload.sources.address import shown_address

    return shown_address(uri)
