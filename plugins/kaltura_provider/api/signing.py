"""The one table of names that carry secrets: query fields that only sign a URL, and names whose values are secret.

It answers two questions. *Does a query field only sign the URL?* decides about the identity of a source. The answer
depends on the whole URL: fields such as ``expires`` or ``st`` only count as signatures if all fields of a known signer
are present. *Is a value secret?* decides about logs, masks and encryption at rest. The answer depends on the name
alone, in any text.
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
"""The query field that holds the encrypted part of an address."""


@dataclass(frozen=True, slots=True)
class Signer:
    """How one service signs URLs. All names are query fields in lower case.

    A URL is signed by this service if it has all fields of ``told_by``. ``secret`` fields authorize whoever has them;
    ``public`` fields say how and until when. A ``*`` at the end of a name stands for any further characters.
    """

    service: str
    told_by: tuple[str, ...]
    secret: tuple[str, ...]
    public: tuple[str, ...] = ()

    def signs(self, name: str) -> bool:
        """Return whether a field only signs the URL, if this service signed it."""
        if name in self.secret or name in self.public:
            return True
        return any(known.endswith("*") and name.startswith(known[:-1]) for known in self.public)


_AZURE = (
    "se", "st", "sp", "sv", "sr", "srt", "ss", "spr", "sip", "si", "sdd", "ses", "saoid", "suoid", "scid", "skoid",
    "sktid", "skt", "ske", "sks", "skv",
)  # fmt: skip
SIGNERS = (
    # x-amz- and x-goog- fields belong to the request. Fields that select content (versionId, generation) do not.
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

# Deployments choose the names of these tokens, so they are recognized by their format.
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
# Kaltura's upload tokens are ids, not secrets.
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
    """Return whether the value of a query field, header, key or property with this name is secret, in any spelling."""
    return _is_secret(name[-100:])


def is_object_id(text: str) -> bool:
    """Return whether a text has the format of a Kaltura id, and so cannot be a secret."""
    return _OBJECT_ID.fullmatch(text) is not None


def _fields(query: str) -> list[tuple[str, str, str]]:
    """Return each field as its name in lower case, its value, and its original text."""
    items = ((item, *item.partition("=")[::2]) for item in query.split("&"))
    return [(unquote_plus(name).strip().lower(), unquote_plus(value), item) for item, name, value in items]


def _is_token(value: str) -> bool:
    return is_session_text(value) or any(form.search(value) for form in _TOKEN_FORMS)


def unsigned_query(query: str) -> str:
    """Return a query without the fields that only sign its URL. Fields that select content keep their order."""
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
    """Return the public part of a query: without fields that sign the URL or whose values are secret."""
    return "&".join(item for name, _, item in _fields(unsigned_query(query)) if not is_secret_name(name))


def sealed_part(uri: str) -> str | None:
    """Return the encrypted part of an address, or ``None``."""
    mark = f"{SEAL}="
    address, found, secret = uri.rpartition(mark)
    web = address[:8].lower().startswith(("http://", "https://", "ftp://"))
    return secret if found and web and address.endswith(("?", "&")) else None
