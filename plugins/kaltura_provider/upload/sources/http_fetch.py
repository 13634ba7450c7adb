"""GET a URL source: follow and check each redirect, and turn HTTP statuses into source errors."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests
import urllib3

from kaltura_provider.upload.sources.address import origin, parse, printable_url
from kaltura_provider.upload.sources.errors import (
    SourceError,
    SourceForbidden,
    SourceNotFound,
    SourceRefused,
    SourceUnavailable,
)
from kaltura_provider.upload.sources.policy import UrlPolicy, guarded_session

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from requests import Response

__all__ = ["Fetcher", "windows"]

_TIMEOUT = (10.0, 60.0)
_CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
_PASSING = frozenset({408, 425, 429})


class Fetcher:
    """GETs one URL, as often as needed.

    :param headers: are sent to the scheme, host and port of the URL only, not to other servers after a redirect.
    """

    def __init__(self, url: str, headers: Mapping[str, str], policy: UrlPolicy) -> None:
        self.url = url
        self.uri = printable_url(url)
        self._headers = dict(headers)
        self._policy = policy
        self._session = guarded_session(policy)
        self._session.headers["Accept-Encoding"] = "identity"
        self._target = url

    def get(self, extra: Mapping[str, str]) -> Response:
        """GET the URL with further headers and return the answer without reading its body.

        Its status is 200, 206, 416 or, if the headers have a condition, 304.

        The target of redirects is remembered. If it refuses, for example because a signature has expired, the
        original URL is requested again.

        :raises SourceError: the answer has another status, or there was no answer.
        """
        answer = self._follow(self._target, extra)
        if self._target != self.url and answer.status_code in (401, 403, 404, 410):
            answer.close()
            answer = self._follow(self.url, extra)
        unchanged = answer.status_code == 304 and not extra.keys().isdisjoint(_CONDITIONS)
        if answer.status_code in (200, 206, 416) or unchanged:
            return answer
        answer.close()
        raise _refusal(self.uri, answer.status_code)

    def _follow(self, url: str, extra: Mapping[str, str]) -> Response:
        for _ in range(self._policy.max_redirects + 1):
            try:
                self._policy.check_url(url)
                if parse(url).auth not in (None, parse(self.url).auth):
                    raise SourceRefused(
                        self.uri, "it contains a user name or password; such redirects are not followed"
                    )
                answer = self._ask(url, extra)
                target = self._target_of(url, answer)
            except SourceRefused as error:
                led = "" if url == self.url else f"it redirects to {printable_url(url)}: "
                raise SourceRefused(self.uri, led + error.message) from None
            if target is None:
                self._target = url
                return answer
            url = target
        raise SourceRefused(self.uri, f"it redirects more than {self._policy.max_redirects} times; give its final URL")

    def _target_of(self, url: str, answer: Response) -> str | None:
        """Return the target of a redirect and close the answer; ``None`` if it does not redirect."""
        if not answer.is_redirect:
            return None
        answer.close()
        location = answer.headers["Location"]
        try:
            # requests decodes headers as Latin-1, but URLs beyond ASCII are UTF-8.
            return urljoin(url, location.encode("latin-1").decode())
        except ValueError:  # includes UnicodeDecodeError
            target = printable_url(location)
            raise SourceRefused(self.uri, f"it redirects to {target}, which is not a valid URL") from None

    def _ask(self, url: str, extra: Mapping[str, str]) -> Response:
        own = self._headers if origin(url) == origin(self.url) else {}
        try:
            return self._session.get(
                url, headers={**own, **extra}, stream=True, allow_redirects=False, timeout=_TIMEOUT
            )
        except requests.exceptions.SSLError:
            raise SourceForbidden(self.uri, "this worker does not trust its server's certificate") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError):
            raise SourceRefused(self.uri, "it is not a valid URL") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The text of the error contains the whole URL with its signature.
            raise SourceUnavailable(self.uri, f"its server did not answer ({type(error).__name__})") from None

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def _refusal(uri: str, status: int) -> SourceError:
    if status in (404, 410):
        return SourceNotFound(uri, f"it does not exist on its server (HTTP {status})")
    if status in (401, 403, 407):
        return SourceForbidden(
            uri,
            f"its server refuses access (HTTP {status}): the link may have expired, or it needs the headers of an HTTP "
            "connection (http_conn_id)",
        )
    if status in _PASSING or status >= 500:
        return SourceUnavailable(uri, f"its server reports a temporary failure (HTTP {status})")
    return SourceForbidden(uri, f"its server answers HTTP {status}, which is not expected; open the URL to see why")


def windows(answer: Response, window: int, uri: str) -> Generator[bytes, None, None]:
    """Yield the raw body of an answer, then close the answer.

    :raises SourceUnavailable: the connection was cut.
    """
    try:
        while data := answer.raw.read(window, decode_content=False):
            yield data
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise SourceUnavailable(uri, f"the answer broke off ({type(error).__name__})") from None
    finally:
        answer.close()
