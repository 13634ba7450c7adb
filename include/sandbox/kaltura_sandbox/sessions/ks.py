"""The KS string, versions 1 and 2: written and read as the real server does."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import random
import re
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_plus

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ADMIN", "USER", "WIDGET_USER", "Session", "make_v1", "make_v2", "parse"]

USER, ADMIN = 0, 2
WIDGET_USER = "0"

_BLOCK = 16
_HASH = 20
_ALPHABET = frozenset(string.ascii_letters + string.digits + "+/=")


@dataclass(frozen=True, slots=True)
class Session:
    """A decoded KS; ``text`` is the string itself and stays out of every repr."""

    partner_id: int
    user_id: str | None
    type: int
    expiry: int
    privileges: str
    text: str = field(default="", repr=False)
    master_partner_id: str | None = None
    additional_data: str | None = None
    rand: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether this is an ADMIN session."""
        return self.type == ADMIN

    @property
    def is_widget(self) -> bool:
        """Whether this is the session of a widget, which may only read."""
        return not self.is_admin and self.user_id in (WIDGET_USER, None) and "widget:" in self.privileges

    def privilege(self, name: str) -> list[str] | None:
        """Return the values of a privilege (split on ``/``), or None when the session lacks it."""
        values: list[str] | None = None
        for item in self.privileges.split(","):
            key, colon, value = item.strip().partition(":")
            if key == name:
                values = (values or []) + (value.split("/") if colon else [])
        return values

    def may(self, name: str, target: str) -> bool:
        """Whether a privilege such as ``edit`` covers ``*`` or this id; the lone privilege ``*`` covers everything."""
        if "*" in (item.strip() for item in self.privileges.split(",")):
            return True
        values = self.privilege(name)
        return values is not None and ("*" in values or target in values)


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)  # the format prescribes it


def _cipher(secret: str) -> Cipher[modes.CBC]:
    key = _sha1(secret.encode()).digest()[:_BLOCK]
    return Cipher(algorithms.AES(key), modes.CBC(bytes(_BLOCK)))


def make_v2(
    secret: str,
    partner_id: int,
    user_id: str | None,
    kind: int,
    expiry: int,
    privileges: str = "",
    *,
    rand: bytes | None = None,
    additional_data: str | None = None,
) -> str:
    """Write a version 2 KS; ``expiry`` is absolute unix time."""
    fields: dict[str, str] = {}
    for item in (part.strip() for part in privileges.split(",")):
        name, _, value = item.partition(":")
        if item == "*":
            name, value = "all", "*"
        if name:
            fields[name] = value
    fields |= {"_e": str(expiry), "_t": str(kind)}
    if user_id is not None:
        fields["_u"] = user_id
    if additional_data is not None:
        fields["_d"] = additional_data
    query = "&".join(f"{name}={quote_plus(value, safe='')}" for name, value in fields.items()).encode()
    plain = (rand or os.urandom(_BLOCK)) + query
    plain = _sha1(plain).digest() + plain
    plain += bytes(-len(plain) % _BLOCK)
    encryptor = _cipher(secret).encryptor()
    sealed = encryptor.update(plain) + encryptor.finalize()
    return base64.urlsafe_b64encode(f"v2|{partner_id}|".encode() + sealed).decode()


def make_v1(
    secret: str,
    partner_id: int,
    user_id: str | None,
    kind: int,
    expiry: int,
    privileges: str = "",
    *,
    rand: str | None = None,
) -> str:
    """Write a version 1 KS."""
    number = rand or f"{random.uniform(0, 32768):.4f}"  # noqa: S311 - not what keeps it safe
    info = f"{partner_id};{partner_id};{expiry};{kind};{number};{user_id or ''};{privileges};;"
    signature = _sha1((secret + info).encode()).hexdigest()
    return base64.b64encode(f"{signature}|{info}".encode()).decode()


def parse(text: str, secrets_of: Callable[[int], Sequence[str]]) -> Session | None:
    """Read and verify a KS string; return None if it is malformed or not signed with one of the partner's secrets."""
    raw = _decode(text)
    if raw is None:
        return None
    if raw.startswith(b"v2|"):
        return _parse_v2(raw, text, secrets_of)
    return _parse_v1(raw, text, secrets_of)


def _decode(text: str) -> bytes | None:
    cleaned = re.sub(r"\s", "", text).replace("-", "+").replace("_", "/")
    if not cleaned or not set(cleaned) <= _ALPHABET:
        return None
    cleaned = cleaned.rstrip("=")
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4))
    except (binascii.Error, ValueError):
        return None


def _number(text: bytes | str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _parse_v2(raw: bytes, text: str, secrets_of: Callable[[int], Sequence[str]]) -> Session | None:
    parts = raw.split(b"|", 2)
    partner_id = _number(parts[1]) if len(parts) == 3 else None
    if partner_id is None or not parts[2] or len(parts[2]) % _BLOCK:
        return None
    for secret in secrets_of(partner_id):
        decryptor = _cipher(secret).decryptor()
        plain = (decryptor.update(parts[2]) + decryptor.finalize()).rstrip(b"\0")
        if len(plain) > _HASH + _BLOCK and _sha1(plain[_HASH:]).digest() == plain[:_HASH]:
            query = plain[_HASH + _BLOCK :].decode("utf-8", "ignore")
            return _from_query(query, partner_id, text, plain[_HASH : _HASH + _BLOCK].hex())
    return None


def _from_query(query: str, partner_id: int, text: str, rand: str) -> Session:
    fields: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        # PHP's parse_str turns dots and blanks of a name into underscores.
        fields[unquote_plus(name).replace(".", "_").replace(" ", "_")] = unquote_plus(value)
    known = {name: fields.pop(name, None) for name in ("_e", "_t", "_u", "_m", "_d")}
    if fields.get("all") == "*":
        privileges = "*"
    else:
        privileges = ",".join(f"{name}:{value}" if value else name for name, value in fields.items())
    return Session(
        partner_id=partner_id,
        user_id=known["_u"],
        type=int(known["_t"] or 0),
        expiry=int(known["_e"] or 0),
        privileges=privileges,
        text=text,
        master_partner_id=known["_m"],
        additional_data=known["_d"],
        rand=rand,
    )


def _parse_v1(raw: bytes, text: str, secrets_of: Callable[[int], Sequence[str]]) -> Session | None:
    signature, bar, info = raw.decode("utf-8", "ignore").partition("|")
    fields = info.split(";")
    partner_id = _number(fields[0])
    if not bar or partner_id is None or len(fields) < 4:
        return None
    for secret in secrets_of(partner_id):
        if _sha1((secret + info).encode()).hexdigest() == signature:
            padded = [*fields, "", "", "", "", "", ""]
            return Session(
                partner_id=partner_id,
                user_id=padded[5],
                type=_number(padded[3]) or 0,
                expiry=_number(padded[2]) or 0,
                privileges=padded[6],
                text=text,
                master_partner_id=padded[7],
                additional_data=padded[8],
                rand=padded[4],
            )
    return None
