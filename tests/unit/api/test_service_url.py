import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.service_url import normalize_host, normalize_service_url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("https://www.kaltura.com", "https://www.kaltura.com/api_v3"),
        ("https://www.kaltura.com/", "https://www.kaltura.com/api_v3"),
        ("https://www.kaltura.com/api_v3", "https://www.kaltura.com/api_v3"),
        ("https://www.kaltura.com/api_v3/", "https://www.kaltura.com/api_v3"),
        ("https://www.kaltura.com/api_v3/index.php", "https://www.kaltura.com/api_v3"),
        ("www.kaltura.com", "https://www.kaltura.com/api_v3"),
        ("//www.kaltura.com", "https://www.kaltura.com/api_v3"),
        (" HTTP://127.0.0.1:8765 ", "http://127.0.0.1:8765/api_v3"),
        ("http://[::1]:8765/kaltura", "http://[::1]:8765/kaltura/api_v3"),
    ],
)
def test_every_way_to_write_it_is_one_url(host, url):
    assert normalize_service_url(host) == url
    assert normalize_service_url(url) == url


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        (None, "empty"),
        ("ftp://x", "neither http nor https"),
        ("https://", "no host name"),
        ("https://a b", "spaces"),
        ("https://x:port", "not a valid URL"),
        ("https://x?y=1", "query"),
        ("https://x#y", "fragment"),
    ],
)
def test_what_is_no_url_is_told(host, words):
    with pytest.raises(KalturaConfigurationError, match=words):
        normalize_service_url(host)


def test_a_password_in_the_host_is_not_shown():
    with pytest.raises(KalturaConfigurationError, match="user name") as caught:
        normalize_host("https://u:hunter2@x")
    assert "hunter2" not in str(caught.value)
