"""Make (version 2) and read (versions 1 and 2) Kaltura sessions with the admin secret, without a call.

Both versions carry partner, user, type, expiry and privileges. Version 2 is encrypted with the admin secret, for
sessions of type USER too. Version 1 is signed with it, and anybody can read it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote_plus

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KalturaSessionInfo", "mint_ks", "parse_ks", "parse_privileges", "peek_partner_id"]

_BLOCK = 16
_HASH = 20
_RESERVED = {"_e": "expiry", "_t": "type", "_u": "user", "_m": "master partner", "_d": "additional data"}


@dataclass(frozen=True, slots=True)
class KalturaSessionInfo:
    """The content of a session. ``expiry`` is in UNIX seconds.

    ``privileges`` is Kaltura's comma-separated text, such as ``edit:0_abc,sview:*``. ``user_id`` is ``None`` if the
    session has no user.
    """

    version: int
    partner_id: int
    user_id: str | None
    session_type: SessionType | int
    expiry: int
    privileges: str
    random: str = field(repr=False, default="")
    master_partner_id: str | None = None
    additional_data: str | None = None


def mint_ks(
    secret: str,
    *,
    partner_id: int,
    user_id: str | None,
    session_type: SessionType,
    expiry: int,
    privileges: str = "",
    random16: bytes | None = None,
) -> str:
    """Make a version 2 session.

    :param secret: the account's admin secret, for USER sessions too.
    :param expiry: when the session ends, in UNIX seconds.
    :param privileges: comma-separated, each ``name`` or ``name:value``. If a name is repeated, its last value counts;
        join several values with ``/``.
    :param random16: 16 random bytes; a test can set them.
    :raises KalturaConfigurationError: a privilege has a name that is reserved for the session's own fields.
    """
    fields = _privilege_fields(privileges)
    fields["_e"] = str(int(expiry))
    fields["_t"] = str(int(session_type))
    if user_id is not None:
        fields["_u"] = user_id
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in fields.items()).encode()
    body = (os.urandom(16) if random16 is None else random16) + query
    plain = hashlib.sha1(body).digest() + body  # noqa: S324 - the format's checksum
    cipher = _cipher(secret).encryptor()
    encrypted = cipher.update(plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK, b"\0")) + cipher.finalize()
    return base64.urlsafe_b64encode(b"v2|%d|" % partner_id + encrypted).decode()


def parse_ks(ks: str, *secrets: str) -> KalturaSessionInfo:
    """Read a session of either version and verify it with one of the admin ``secrets``.

    Like the server, it accepts both base64 alphabets, missing padding, and whitespace around the text.

    :raises ValueError: the text is not a session, or was not made with any of the secrets.
    """
    decoded = _decode(ks)
    if decoded.startswith(b"v2|"):
        return _parse_v2(decoded, secrets)
    return _parse_v1(decoded, secrets)


def peek_partner_id(ks: str) -> int | None:
    """Return the partner of a session without verifying it; ``None`` if it cannot be read."""
    try:
        head, _, rest = _decode(ks).partition(b"|")
        return int(rest.split(b"|")[0] if head == b"v2" else rest.split(b";")[0])
    except ValueError:
        return None


def parse_privileges(privileges: str) -> dict[str, list[str]]:
    """Split ``edit:a/b,list:*`` into ``{"edit": ["a", "b"], "list": ["*"]}``, with whitespace trimmed."""
    parsed: dict[str, list[str]] = {}
    for item in privileges.split(","):
        name, colon, value = item.strip().partition(":")
        if name:
            parsed.setdefault(name, []).extend(value.split("/") if colon else [])
    return parsed


def _privilege_fields(privileges: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for item in privileges.split(","):
        name, _, value = item.strip().partition(":")
        if name == "*":
            name, value = "all", "*"
        if name in _RESERVED:
            raise KalturaConfigurationError(
                "privileges",
                item,
                f"has a name that is reserved for the {_RESERVED[name]} of the session",
                "leave it out",
            )
        if name:
            fields[name] = value
    return fields


def _encode(text: str) -> str:
    # The server's encoder escapes the tilde; Python's does not.
    return quote_plus(text, safe="").replace("~", "%7E")


def _cipher(secret: str) -> Cipher[CBC]:
    key = hashlib.sha1(secret.encode()).digest()[:16]  # noqa: S324 - the format's key derivation
    return Cipher(AES(key), CBC(bytes(_BLOCK)))


def _decode(ks: str) -> bytes:
    text = "".join(ks.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("the session is not base64") from None
    if b"|" not in decoded:
        raise ValueError("the session has no | in it")
    return decoded


def _parse_v2(decoded: bytes, secrets: Sequence[str]) -> KalturaSessionInfo:
    _, partner, encrypted = (*decoded.split(b"|", 2), b"")[:3]
    if not encrypted or len(encrypted) % _BLOCK:
        # Only whole blocks can be decrypted, so the text was cut off.
        raise ValueError("the session is incomplete")
    for secret in secrets:
        decryptor = _cipher(secret).decryptor()
        plain = (decryptor.update(encrypted) + decryptor.finalize()).rstrip(b"\0")
        body = plain[_HASH:]
        digest = hashlib.sha1(body).digest()  # noqa: S324 - the format's checksum
        if hmac.compare_digest(digest, plain[:_HASH]):
            return _read_v2(int(partner), body)
    raise ValueError("the session was not made with this secret")


def _read_v2(partner_id: int, body: bytes) -> KalturaSessionInfo:
    fields: dict[str, str] = {}
    for name, value in parse_qsl(body[16:].decode("utf-8", "replace"), keep_blank_values=True):
        fields[name.replace(".", "_").replace(" ", "_")] = value
    own = {name: fields.pop(name, None) for name in _RESERVED}
    shown = ["*" if name == "all" and value == "*" else f"{name}:{value}" if value else name
             for name, value in fields.items()]  # fmt: skip
    return KalturaSessionInfo(
        version=2,
        partner_id=partner_id,
        user_id=own["_u"],
        session_type=_session_type(own["_t"]),
        expiry=int(own["_e"] or 0),
        privileges=",".join(shown),
        random=body[:16].hex(),
        master_partner_id=own["_m"],
        additional_data=own["_d"],
    )


def _parse_v1(decoded: bytes, secrets: Sequence[str]) -> KalturaSessionInfo:
    signature, _, info = decoded.partition(b"|")
    for secret in secrets:
        digest = hashlib.sha1(secret.encode() + info).hexdigest()  # noqa: S324 - the format's signature
        if hmac.compare_digest(digest.encode(), signature):
            break
    else:
        raise ValueError("the session was not made with this secret")
    fields = [*info.decode("utf-8", "replace").split(";"), *[""] * 9]
    return KalturaSessionInfo(
        version=1,
        partner_id=int(fields[0]),
        user_id=fields[5],
        session_type=_session_type(fields[3]),
        expiry=int(fields[2]),
        privileges=fields[6],
        random=fields[4],
        master_partner_id=fields[7],
        additional_data=fields[8],
    )


def _session_type(text: str | None) -> SessionType | int:
    number = int(text or 0)
    return SessionType(number) if number in set(SessionType) else number
