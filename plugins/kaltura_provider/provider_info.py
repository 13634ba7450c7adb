"""Provider metadata that Airflow reads without importing the package: connection form, modules and links."""

from __future__ import annotations

from typing import Any

from kaltura_provider import __version__

__all__ = ["PROVIDER_INFO"]

_CONNECTION_FIELDS: dict[str, Any] = {
    "auth": {
        "label": "Authentication",
        "description": (
            "secret: make sessions from the admin secret. session_start: call Kaltura's session.start. "
            "app_token: use an app token, with its value as the secret. ks: use the secret as a session; it cannot be "
            "renewed."
        ),
        "schema": {
            "type": "string",
            "enum": ["secret", "session_start", "app_token", "ks"],
            "default": "secret",
        },
    },
    "app_token_id": {
        "label": "App token id",
        "description": "Only for the authentication app_token.",
        "schema": {"type": ["string", "null"]},
    },
    "app_token_hash_type": {
        "label": "App token hash type",
        "description": "The hashType of the app token. If empty, each task tries all of them.",
        "schema": {"type": ["string", "null"], "enum": ["SHA256", "SHA1", "SHA512", "MD5", None]},
    },
    "user_id": {
        "label": "User id",
        "description": "The Kaltura user of the session, who will own the entries.",
        "schema": {"type": ["string", "null"], "default": "airflow"},
    },
    "session_type": {
        "label": "Session type",
        "description": "Ingesting each source item exactly once needs ADMIN.",
        "schema": {"type": "string", "enum": ["ADMIN", "USER"], "default": "ADMIN"},
    },
    "privileges": {
        "label": "Privileges",
        "description": "Comma-separated. If empty: disableentitlement and one session key for this connection.",
        "schema": {"type": ["string", "null"]},
    },
    "session_lifetime": {
        "label": "Session lifetime (seconds)",
        "description": "Sessions are renewed before they end, even in the middle of an upload.",
        "schema": {"type": ["integer", "null"], "minimum": 60, "default": 86400},
    },
    "cdn_host": {
        "label": "CDN host",
        "description": "The host of playback, thumbnail and download URLs.",
        "schema": {"type": ["string", "null"], "default": "https://cdnapisec.kaltura.com"},
    },
    "kmc_host": {
        "label": "KMC host",
        "description": "The management console to which the links of tasks lead.",
        "schema": {"type": ["string", "null"], "default": "https://kmc.kaltura.com"},
    },
}

_INTEGRATION = "Kaltura"


def _modules(package: str, *names: str) -> list[dict[str, Any]]:
    modules = [f"kaltura_provider.{package}.{name}" for name in names]
    return [{"integration-name": _INTEGRATION, "python-modules": modules}]


PROVIDER_INFO: dict[str, Any] = {
    "package-name": "airflow-provider-kaltura",
    "name": "Kaltura",
    "description": "Bring media from S3 or URLs into `Kaltura <https://www.kaltura.com/>`__, each item exactly once.",
    "versions": [__version__],
    "integrations": [
        {
            "integration-name": _INTEGRATION,
            "external-doc-url": "https://developer.kaltura.com/api-docs",
            "tags": ["service"],
        }
    ],
    "hooks": _modules("hooks", "kaltura"),
    "operators": _modules(
        "operators",
        "add_from",
        "attach",
        "attachments",
        "bulk",
        "call",
        "captions",
        "categories",
        "content",
        "delivery",
        "entries",
        "flavors",
        "housekeeping",
        "ingest",
        "metadata",
        "moderation",
        "prepare",
        "removal",
        "thumbnails",
        "upload",
        "upload_tokens",
    ),
    "sensors": _modules("sensors", "bulk_job", "entry", "upload_token"),
    "triggers": _modules("triggers", "bulk_job", "entry", "sqs", "upload_token"),
    "extra-links": [
        "kaltura_provider.links.entry.KalturaEntryLink",
        "kaltura_provider.links.entry.KalturaPlaybackLink",
        "kaltura_provider.links.entry.KalturaThumbnailLink",
        "kaltura_provider.links.entry.KalturaSourceLink",
    ],
    "cli": ["kaltura_provider.cli.definition.kaltura_commands"],
    "asset-uris": [{"schemes": ["kaltura"], "handler": None}],
    "connection-types": [
        {
            "connection-type": "kaltura",
            "hook-class-name": "kaltura_provider.hooks.kaltura.KalturaHook",
            "hook-name": "Kaltura",
            "ui-field-behaviour": {
                "hidden-fields": ["port", "schema"],
                "relabeling": {"host": "Service URL", "login": "Partner id", "password": "Secret"},
                "placeholders": {
                    "host": "https://www.kaltura.com",
                    "login": "12345",
                    "password": "admin secret (or app token, or KS)",
                },
            },
            "conn-fields": _CONNECTION_FIELDS,
        }
    ],
}
