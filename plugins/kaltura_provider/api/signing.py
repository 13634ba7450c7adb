"""The one table of names that carry secrets: which query fields only sign a URL, and whose values nobody may see.

Two questions are kept apart. *Does a field only sign?* decides about identity: it is answered for one URL, by the
signer whose fields are all there, so that ``expires`` or ``st`` counts as a name of content everywhere else. *Is a
value secret?* decides about logs, masks and what is encrypted at rest: it is answered by the name alone, in any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus

from kaltura_provider.api.sessions_in_text import is_session_text

__all__ = [
    "SEAL",
    "SECRET_NAMES",
    "SIGNERS",
    "Signer",
    "is_object_id",
    "is_secret_name",
    "public_query",
    "sealed_part",
    "unsigned_query",
]

SEAL = "kaltura-sealed"
"""Query field in which an address carries what of it is encrypted."""


@dataclass(frozen=True, slots=True)
class Signer:
    """How one service signs URLs, by the names of query fields in lower case.

    A URL is signed by it when all fields of ``told_by`` are there. ``secret`` fields authorize whoever has them,
    ``public`` ones say how and until when. A name with ``*`` at its end stands for every name that begins so.
    """

    service: str
    told_by: tuple[str, ...]
    secret: tuple[str, ...]
    public: tuple[str, ...] = ()

    def signs(self, name: str) -> bool:
        """Return whether a field of a URL signed by this service only signs it."""
        if name in self.secret or name in self.public:
            return True
        return any(known.endswith("*") and name.startswith(known[:-1]) for known in self.public)


_AZURE = (
    "se", "st", "sp", "sv", "sr", "srt", "ss", "spr", "sip", "si", "sdd", "ses", "saoid", "suoid", "scid", "skoid",
    "sktid", "skt", "ske", "sks", "skv",
)  # fmt: skip
SIGNERS = (
    # x-amz- and x-goog- are reserved for the request itself; what selects content (versionId, generation) lies outside.
    Signer(
        "AWS signature 4",
        ("x-amz-signature",),
        ("x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-amz-s3session-token"),
        ("x-amz-*", "x-id"),
    ),
    Signer(
        "AWS signature 2",
        ("signature", "awsaccesskeyid"),
        ("signature", "awsaccesskeyid", "x-amz-security-token"),
        ("expires", "x-amz-*"),
    ),
    Signer(
        "CloudFront",
        ("signature", "key-pair-id"),
        ("signature", "policy", "key-pair-id"),
        ("expires", "hash-algorithm"),
    ),
    Signer(
        "Google Cloud Storage, version 4",
        ("x-goog-signature",),
        ("x-goog-signature", "x-goog-credential", "x-goog-security-token"),
        ("x-goog-*",),
    ),
    Signer(
        "Google Cloud Storage, version 2",
        ("signature", "googleaccessid"),
        ("signature", "googleaccessid"),
        ("expires",),
    ),
    Signer("Google Cloud CDN", ("signature", "keyname"), ("signature", "keyname"), ("expires", "urlprefix")),
    Signer("Google Media CDN", ("edge-cache-token",), ("edge-cache-token",)),
    Signer(
        "Azure shared access signature",
        ("sig", "sv"),
        ("sig",),
        _AZURE,
    ),
    Signer(
        "Alibaba OSS, version 1",
        ("signature", "ossaccesskeyid"),
        ("signature", "ossaccesskeyid", "security-token"),
        ("expires",),
    ),
    # Not x-oss-*: x-oss-process selects another rendition of the object.
    Signer(
        "Alibaba OSS, version 4",
        ("x-oss-signature",),
        ("x-oss-signature", "x-oss-credential", "x-oss-security-token"),
        ("x-oss-signature-version", "x-oss-date", "x-oss-expires", "x-oss-additional-headers"),
    ),
    Signer(
        "Tencent COS",
        ("q-signature",),
        ("q-signature", "q-ak", "x-cos-security-token"),
        ("q-sign-algorithm", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list"),
    ),
    Signer(
        "Huawei OBS",
        ("signature", "accesskeyid"),
        ("signature", "accesskeyid", "x-obs-security-token"),
        ("expires",),
    ),
    Signer("this package, at rest", (SEAL,), (SEAL,)),
    *(Signer("Akamai", (name,), (name,)) for name in ("hdnea", "hdnts", "hdntl", "__token__", "__gda__")),
    Signer(
        "expiring token", ("token", "expires"), ("token",), ("expires", "token_path", "token_countries", "token_ver")
    ),
    Signer("expiring signature", ("signature", "expires"), ("signature",), ("expires",)),
    Signer("signature", ("signature",), ("signature",)),
    Signer("signature, short", ("sig",), ("sig",)),
)

# Tokens under names that deployments choose are told by their form.
_TOKEN_FORMS = (
    re.compile(r"(?:\A|~)hmac=[0-9A-Fa-f]{16,}+\Z"),  # Akamai: exp=...~acl=...~hmac=...
    re.compile(r"\A(?:0x)?[0-9a-f]{8,16}_(?:0x)?[0-9a-f]{32,128}\Z"),  # Fastly: expiry_hmac
)

_OBJECT_ID = re.compile(r"\d{1,4}_[a-z0-9]{1,20}")
_PLAIN_SECRETS = frozenset(
    {
        "apikey", "auth", "authkey", "authorization", "clientsecret", "cookie", "credential", "credentials", "hmac",
        "jsessionid", "jwt", "ks", "passphrase", "passwd", "password", "phpsessid", "privatekey", "proxyauthorization",
        "pwd", "secret", "sessionid", "setcookie", "sharedkey", "subscriptionkey", "token", "tokenhash", "xapikey",
    }
)  # fmt: skip
_ENDINGS = (
    "accesskey", "accesskeyid", "apikey", "authorization", "credential", "credentials", "password", "passwd",
    "secret", "secretkey", "signature", "token", "tokenhash",
)  # fmt: skip
# What Kaltura calls a token of uploads is an id.
_NO_SECRETS = frozenset({"uploadtoken", "continuationtoken", "nexttoken", "pagetoken"})


def _folded(name: str) -> str:
    return name.lower().translate(_FOLD)


_FOLD = {ord(letter): None for letter in "-_. "}

SECRET_NAMES = frozenset({_folded(name) for signer in SIGNERS for name in signer.secret} | _PLAIN_SECRETS)
"""Names whose values are secret, in lower case and without ``-``, ``_`` and ``.``."""


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    folded = _folded(name)
    return folded in SECRET_NAMES or (folded.endswith(_ENDINGS) and folded not in _NO_SECRETS)


def is_secret_name(name: str) -> bool:
    """Return whether the value of a query field, header, key or property of that name is secret, however spelled."""
    return _is_secret(name[-100:])


def is_object_id(text: str) -> bool:
    """Return whether a text has the form of an id that Kaltura gives, so that it is no secret taken for one."""
    return _OBJECT_ID.fullmatch(text) is not None


def _fields(query: str) -> list[tuple[str, str, str]]:
    """Return of each field its name in lower case, its value, and how it is written."""
    items = ((item, *item.partition("=")[::2]) for item in query.split("&"))
    return [(unquote_plus(name).strip().lower(), unquote_plus(value), item) for item, name, value in items]


def _is_token(value: str) -> bool:
    return is_session_text(value) or any(form.search(value) for form in _TOKEN_FORMS)


def unsigned_query(query: str) -> str:
    """Return a query without the fields that only sign its URL; what selects content stays, in its order."""
    fields = _fields(query)
    names = {name for name, _, _ in fields}
    signers = [signer for signer in SIGNERS if names.issuperset(signer.told_by)]
    kept = [
        item
        for name, value, item in fields
        if not (any(signer.signs(name) for signer in signers) or (value and _is_token(value)))
    ]
    return "&".join(kept)


def public_query(query: str) -> str:
    """Return a query without the fields that sign its URL or whose values are secret: what anybody may read."""
    return "&".join(item for name, _, item in _fields(unsigned_query(query)) if not is_secret_name(name))


def sealed_part(uri: str) -> str | None:
    """Return what of an address is encrypted, ``None`` where nothing is."""
    mark = f"{SEAL}="
    address, found, secret = uri.rpartition(mark)
    web = address[:8].lower().startswith(("http://", "https://", "ftp://"))
    return secret if found and web and address.endswith(("?", "&")) else None
