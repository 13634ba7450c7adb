"""Read a ``kaltura`` connection, and check each field before anything is sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.delivery import play_manifest_url, source_download_url, thumbnail_url
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.service_url import normalize_host, normalize_service_url

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = [
    "DEFAULT_CDN_HOST",
    "DEFAULT_KMC_HOST",
    "DEFAULT_SERVICE_URL",
    "KalturaAccount",
    "extra_of",
    "read_connection",
]

DEFAULT_SERVICE_URL = "https://www.kaltura.com"
DEFAULT_CDN_HOST = "https://cdnapisec.kaltura.com"
DEFAULT_KMC_HOST = "https://kmc.kaltura.com"

# The format of Kaltura's secrets and of the values of app tokens.
_SECRET = re.compile(r"[0-9a-f]{32}")
_KNOWN_EXTRAS = frozenset(
    {
        "auth",
        "app_token_id",
        "app_token_hash_type",
        "user_id",
        "session_type",
        "privileges",
        "session_lifetime",
        "cdn_host",
        "kmc_host",
    }
)


@dataclass(frozen=True)
class KalturaAccount:
    """The Kaltura account of a connection.

    ``service_url`` ends in ``/api_v3``; ``cdn_host`` and ``kmc_host`` have a scheme and no trailing slash.
    """

    conn_id: str
    service_url: str
    credentials: Credentials
    cdn_host: str
    kmc_host: str

    @property
    def partner_id(self) -> int:
        """The partner id of the account."""
        return self.credentials.partner_id

    def entry_url(self, entry_id: str) -> str:
        """Return the URL of an entry in Kaltura's management console (KMC)."""
        return f"{self.kmc_host}/index.php/kmcng/content/entries/entry/{entry_id}/metadata"

    def playback_url(self, entry_id: str) -> str:
        """Return the URL of an entry's content as a file that browsers can play."""
        return play_manifest_url(self.cdn_host, self.partner_id, entry_id, format="url")

    def source_url(self, entry_id: str) -> str:
        """Return the URL of the source file of a video or audio entry."""
        return source_download_url(self.cdn_host, self.partner_id, entry_id)

    def thumbnail_url(self, entry_id: str) -> str:
        """Return the URL of an entry's thumbnail."""
        return thumbnail_url(self.cdn_host, self.partner_id, entry_id)


def read_connection(connection: Connection) -> KalturaAccount:
    """Turn an Airflow connection into an account.

    :raises KalturaConfigurationError: a field is not valid; names it, its value (never a secret) and the fix.
    """
    extra = _extras(connection)
    return KalturaAccount(
        conn_id=connection.conn_id,
        service_url=normalize_service_url(_host(connection)),
        credentials=Credentials(
            partner_id=_partner_id(connection.login),
            auth=_auth(extra.get("auth")),
            secret=connection.password or "",
            user_id=str(extra.get("user_id") or "airflow"),
            session_type=_session_type(extra.get("session_type")),
            privileges=_text(extra.get("privileges")),
            lifetime=_lifetime(extra.get("session_lifetime")),
            app_token_id=_text(extra.get("app_token_id")),
            app_token_hash_type=_text(extra.get("app_token_hash_type")),
        ),
        cdn_host=normalize_host(str(extra.get("cdn_host") or DEFAULT_CDN_HOST), field="extra cdn_host"),
        kmc_host=normalize_host(str(extra.get("kmc_host") or DEFAULT_KMC_HOST), field="extra kmc_host"),
    )


def _extras(connection: Connection) -> dict[str, Any]:
    extra = extra_of(connection)
    if unknown := sorted(set(extra) - _KNOWN_EXTRAS):
        raise KalturaConfigurationError(
            "extra", ", ".join(unknown), "is unknown", f"use one of {', '.join(sorted(_KNOWN_EXTRAS))}"
        )
    return extra


def extra_of(connection: Connection) -> dict[str, Any]:
    """Return the extra of a connection of any type, and mask its secrets in logs.

    :raises KalturaConfigurationError: the extra is not a JSON object. The error does not show it: it may hold secrets.
    """
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = ""
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise KalturaConfigurationError(
            f"extra of connection {connection.conn_id}", None, "is not a JSON object", 'write {"name": "value", ...}'
        )
    # extra_dejson also masks what Airflow recognizes as secrets.
    return dict(connection.extra_dejson)


def _host(connection: Connection) -> str:
    """Join the parts into which Airflow splits a connection URI: scheme (in ``schema``), host and port."""
    host = connection.host or DEFAULT_SERVICE_URL
    if _SECRET.fullmatch(host.strip()):
        raise KalturaConfigurationError(
            "host", None, "looks like a secret", "give the address of the server in this field"
        )
    if "://" not in host and connection.schema in ("http", "https"):
        host = f"{connection.schema}://{host}"
    if connection.port:
        scheme, _, rest = host.rpartition("://")
        name, slash, path = rest.partition("/")
        if ":" not in name:
            host = f"{scheme or 'https'}://{name}:{connection.port}{slash}{path}"
    return host


def _partner_id(login: object) -> int:
    text = str("" if login is None else login).strip()
    if not (text.isascii() and text.isdecimal()):
        raise KalturaConfigurationError(
            "login (partner id)",
            None,
            f"is not a number ({len(text)} characters, not shown because they may be the secret)"
            if text
            else "is empty",
            "give the partner id (KMC, Settings, Integration Settings) as login, and the secret as password",
        )
    return int(text)


def _auth(value: Any) -> str:
    text = str(value or AuthMethod.SECRET).lower()
    if text not in list(AuthMethod):
        raise KalturaConfigurationError("extra auth", None, "is unknown", f"use one of {', '.join(AuthMethod)}")
    return text


def _session_type(value: Any) -> SessionType:
    text = str(value or SessionType.ADMIN.name).upper()
    for member in SessionType:
        if text in (member.name, str(member.value)):
            return member
    raise KalturaConfigurationError("extra session_type", None, "is unknown", "use ADMIN or USER")


def _lifetime(value: Any) -> int:
    text = str(value or 86400)
    if not text.isdecimal() or int(text) < 60:
        raise KalturaConfigurationError(
            "extra session_lifetime", None, "is not a valid lifetime", "give a whole number of seconds, 60 or more"
        )
    return int(text)


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None
