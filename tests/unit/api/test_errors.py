import pickle

import pytest

from kaltura_provider.api import errors as errors_module
from kaltura_provider.api.enums import SessionType
from kaltura_provider.api.errors import (
    KalturaAPIError,
    KalturaConfigurationError,
    KalturaError,
    KalturaNotFoundError,
    KalturaPermanentError,
    KalturaSessionError,
    KalturaTransientError,
    KalturaTransportError,
    TransportFault,
    api_error,
)
from kaltura_provider.api.ks import mint_ks

KS = mint_ks("a" * 32, partner_id=102, user_id="airflow", session_type=SessionType.ADMIN, expiry=2_000_000_000)


def _invalid_ks(ksid, err_code="-1"):
    return {"KSID": ksid, "ERR_CODE": err_code, "ERR_DESC": "INVALID_STR"}


@pytest.mark.parametrize(
    ("code", "details", "cls"),
    [
        ("INTERNAL_SERVERL_ERROR", {}, KalturaTransientError),
        ("ACTION_BLOCKED", {}, KalturaTransientError),
        ("LOCK_TIMED_OUT", {}, KalturaTransientError),
        ("FLAVOR_ASSET_IS_NOT_READY", {}, KalturaTransientError),
        ("SOMETHING_NEW_NOT_READY", {}, KalturaTransientError),
        ("UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE", {}, KalturaTransientError),
        ("INVALID_KS", _invalid_ks("EXPIRED"), KalturaSessionError),
        ("INVALID_KS", _invalid_ks("LOGOUT"), KalturaSessionError),
        ("INVALID_KS", _invalid_ks("EXCEEDED_ACTIONS_LIMIT"), KalturaSessionError),
        ("MISSING_KS", {}, KalturaSessionError),
        ("INVALID_KS", _invalid_ks("", "-4"), KalturaPermanentError),
        ("INVALID_KS", _invalid_ks("EXCEEDED_RESTRICTED_IP"), KalturaPermanentError),
        ("INVALID_KS", _invalid_ks(KS), KalturaPermanentError),
        ("SERVICE_FORBIDDEN", {}, KalturaPermanentError),
        ("START_SESSION_ERROR", {}, KalturaPermanentError),
        ("ENTRY_ALREADY_WITH_CONTENT", {}, KalturaPermanentError),
        ("MISSING_MANDATORY_PARAMETER", {}, KalturaPermanentError),
        ("A_CODE_NOBODY_KNOWS", {}, KalturaPermanentError),
        ("ENTRY_ID_NOT_FOUND", {}, KalturaNotFoundError),
        ("UPLOAD_TOKEN_NOT_FOUND", {}, KalturaNotFoundError),
        ("UPLOADED_FILE_NOT_FOUND_BY_TOKEN", {}, KalturaNotFoundError),
    ],
)
def test_the_code_decides_the_class(code, details, cls):
    assert type(api_error(code, "m", details)) is cls


def test_the_tree_in_the_docstring_is_the_tree():
    shown = {
        line.strip("│├└─ ").split()[0]
        for line in errors_module.__doc__.splitlines()
        if "Kaltura" in line and "Error" in line
    }
    real = {name for name in errors_module.__all__ if name.endswith("Error")}
    assert shown == real
    assert all(issubclass(getattr(errors_module, name), KalturaError) for name in real)


def test_an_error_says_everything_support_needs():
    error = api_error(
        "ENTRY_ID_NOT_FOUND",
        'Entry id "0_x" not found',
        {"ENTRY_ID": "0_x"},
        service="media",
        action="get",
        request_id="1844674407, 1795452990",
    )
    assert str(error) == (
        'media.get: ENTRY_ID_NOT_FOUND: Entry id "0_x" not found (ENTRY_ID=0_x) [request 1844674407, 1795452990]'
    )


@pytest.mark.parametrize(
    "error",
    [
        api_error("INVALID_KS", "m", _invalid_ks("EXPIRED"), service="a", action="b", request_id="1, 2"),
        KalturaTransportError("cut", fault=TransportFault.STATUS, status=503, retry_after=2.5, service="a", action="b"),
        KalturaConfigurationError("host", "ftp://x", "is wrong", "use https"),
        KalturaError("plain"),
    ],
)
def test_errors_survive_pickling(error):
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


def test_no_error_carries_a_session():
    error = api_error("INVALID_KS", f'Invalid KS "{KS}", Error "-1,INVALID_STR"', _invalid_ks(KS))
    assert KS not in str(error) + repr(error) + repr(vars(error))
    assert error.details["KSID"] == "***"
    assert KS.encode() not in pickle.dumps(error)


def test_whatever_was_sent_as_a_session_is_hidden():
    # Somebody may have put a password into the wrong field; the server echoes it.
    error = api_error("INVALID_KS", 'Invalid KS "hunter2", Error "-1"', _invalid_ks("hunter2"))
    assert "hunter2" not in str(error) + repr(vars(error))


def test_an_expired_session_is_still_told():
    assert "KSID=EXPIRED" in str(api_error("INVALID_KS", 'Invalid KS "EXPIRED"', _invalid_ks("EXPIRED")))


def test_a_presigned_url_in_an_answer_is_hidden():
    url = "https://b.s3.amazonaws.com/k.mp4?X-Amz-Credential=AKIA%2Fx&X-Amz-Signature=deadbeef"
    error = api_error("THUMB_ASSET_DOWNLOAD_FAILED", f"Failed to download {url}", {"URL_PATH": url})
    assert "deadbeef" not in str(error) + repr(vars(error))
    assert "k.mp4" in str(error)


@pytest.mark.parametrize(
    ("fault", "status", "ambiguous", "helps"),
    [
        (TransportFault.DNS, None, False, True),
        (TransportFault.REFUSED, None, False, True),
        (TransportFault.CONNECT, None, False, True),
        (TransportFault.TLS, None, False, False),
        (TransportFault.TIMEOUT, None, True, True),
        (TransportFault.CUT, None, True, True),
        (TransportFault.NOT_JSON, 200, True, True),
        (TransportFault.REDIRECT, 302, False, False),
        (TransportFault.STATUS, 502, True, True),
        (TransportFault.STATUS, 500, True, True),
        (TransportFault.STATUS, 504, True, True),
        (TransportFault.STATUS, 503, False, True),
        (TransportFault.STATUS, 429, False, True),
        (TransportFault.STATUS, 408, False, True),
        (TransportFault.STATUS, 404, False, False),
        (TransportFault.STATUS, 413, False, False),
    ],
)
def test_what_a_transport_error_means(fault, status, ambiguous, helps):
    error = KalturaTransportError("m", fault=fault, status=status)
    assert (error.ambiguous, error.retry_helps) == (ambiguous, helps)


def test_api_errors_that_broke_off_are_ambiguous():
    assert api_error("INTERNAL_DATABASE_ERROR").ambiguous
    assert not api_error("ACTION_BLOCKED").ambiguous
    assert not api_error("ENTRY_ID_NOT_FOUND").ambiguous


def test_a_configuration_error_names_field_value_and_fix():
    error = KalturaConfigurationError("partner id", "abc", "is no number", "give the number from the KMC")
    assert str(error) == "partner id 'abc' is no number: give the number from the KMC"
    assert (error.field, error.value, error.fix) == ("partner id", "abc", "give the number from the KMC")


def test_api_errors_are_what_the_classes_say():
    assert issubclass(KalturaNotFoundError, KalturaPermanentError)
    assert issubclass(KalturaSessionError, KalturaAPIError)
    assert not issubclass(KalturaTransportError, KalturaAPIError)
