"""The error catalogue: Kaltura's codes, their texts and the names of their arguments."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["CATALOGUE", "KalturaError", "ServerCrash", "declare"]

# code -> (message with @ARG@ places, argument names in order)
CATALOGUE: dict[str, tuple[str, tuple[str, ...]]] = {}

_TAG = re.compile(r"<[^>]*>")


def declare(code: str, message: str) -> None:
    """Add a code; its arguments are the ``@NAME@`` places of the message, in order."""
    CATALOGUE[code] = (message, tuple(dict.fromkeys(re.findall(r"@([A-Z_]+)@", message))))


class KalturaError(Exception):
    """An API error as the client sees it: ``raise KalturaError("ENTRY_ID_NOT_FOUND", entry_id)``.

    A missing argument reads ``N/A``, as on the real server; named arguments override positional ones.
    """

    def __init__(self, code: str, *values: Any, **named: Any) -> None:
        message, names = CATALOGUE[code]
        texts = {name: _TAG.sub("", str(value)) for name, value in zip(names, values, strict=False)}
        texts.update({name: _TAG.sub("", str(value)) for name, value in named.items()})
        self.code = code
        self.args_ = {name: texts.get(name, "N/A") for name in names}
        self.message = message
        for name, text in self.args_.items():
            self.message = self.message.replace(f"@{name}@", text)
        super().__init__(f"{code}: {self.message}")

    def render(self) -> dict[str, Any]:
        """Return the exception object of a reply; without arguments ``args`` is an empty list."""
        return {
            "code": self.code,
            "message": self.message,
            "objectType": "KalturaAPIException",
            "args": self.args_ or [],
        }


class ServerCrash(Exception):
    """Where the real server dies with HTTP 500 and an empty body."""


_TEXTS = {
    # requests
    "SERVICE_NOT_SPECIFIED": "Service name was not specified, please specify one",
    "SERVICE_DOES_NOT_EXISTS": 'Service "@SRV_NAME@" does not exists',
    "ACTION_NOT_SPECIFIED": "Action name was not specified, please specify one",
    "ACTION_DOES_NOT_EXISTS": 'Action "@ACTION_NAME@" does not exists for service "@SERVICE_NAME@"',
    "MISSING_MANDATORY_PARAMETER": 'Missing parameter "@PARAM_NAME@"',
    "INVALID_ENUM_VALUE": (
        'Invalid enumeration value "@ENUM_VAL@" for parameter "@PARAM_NAME@", expecting enumeration type "@ENUM_TYPE@"'
    ),
    "INVALID_PARAMETER_CHAR": "Invalid char in [@XML_FIELD@] field",
    "OBJECT_TYPE_ABSTRACT": 'The object type "@OBJ_TYPE@" is abstract, use one of the object implementations',
    "ACTION_BLOCKED": "Action [@ACTION_NAME@] in service [@SERVICE_NAME@] is blocked",
    "INTERNAL_SERVERL_ERROR": "Internal server error occurred",
    "INTERNAL_DATABASE_ERROR": "Internal database error occurred",
    "INVALID_LANGUAGE_CODE": "Invalid language code [@LANGUAGE_CODE@]",
    "QUERY_EXCEEDED_MAX_MATCHES_ALLOWED": "Unable to generate list. max matches value was reached",
    # sessions
    "INVALID_KS": 'Invalid KS "@KSID@", Error "@ERR_CODE@,@ERR_DESC@"',
    "MISSING_KS": "Missing KS, session not established",
    "SERVICE_FORBIDDEN": "The access to service [@SERVICE@] is forbidden",
    "SERVICE_FORBIDDEN_CONTENT_BLOCKED": (
        "The access to this service is forbidden since the specified partner is blocked"
    ),
    "START_SESSION_ERROR": "Error while starting session for partner [@PID@]",
    "INVALID_WIDGET_ID": "Invalid widget id [@WIDGET_ID@]",
    "UNKNOWN_ROLE_ID": "Role id [@ROLE_ID@] not found",
    "UNKNOWN_PARTNER_ID": "Unknown partner_id [@PARTNER_ID@]",
    "INVALID_PARTNER_ID": 'Invalid partner id "@PARTNER_ID@"',
    "FEATURE_FORBIDDEN": "The usage of feature [@FEATURE@] is forbidden",
    "APP_TOKEN_ID_NOT_FOUND": 'Application token "@ID@" not found',
    "APP_TOKEN_NOT_ACTIVE": 'Application token "@ID@" not active',
    "APP_TOKEN_EXPIRED": 'Application token "@ID@" expired',
    "INVALID_APP_TOKEN_HASH": "Invalid application token hash",
    # properties
    "PROPERTY_VALIDATION_NOT_UPDATABLE": 'The property "@PROP_NAME@" cannot be updated',
    "PROPERTY_VALIDATION_ADMIN_PROPERTY": 'The property "@PROP_NAME@" is updatable with admin session only',
    "PROPERTY_VALIDATION_CANNOT_BE_NULL": 'The property "@PROP_NAME@" cannot be null',
    "PROPERTY_VALIDATION_MIN_LENGTH": ('The property "@PROP_NAME@" must have a min length of @MIN_LEN@ characters'),
    "PROPERTY_VALIDATION_MAX_LENGTH": ('The length of the property "@PROP_NAME@" cannot exceed @MAX_LEN@ characters'),
    "PROPERTY_VALIDATION_WRONG_FORMAT": 'The property "@PROP_NAME@" must match format @FORMAT@',
    "PROPERTY_VALIDATION_NUMERIC_VALUE": 'The property "@PROP_NAME@" must be numeric',
    "WRONG_REQUEST_LANGUAGE": "The texts do not fit the language of the request [@LANGUAGE@]",
    "PROPERTY_VALIDATION_ENTRY_STATUS": ('The property "@PROP_NAME@" cannot be set for entry status "@STATUS@"'),
    "INVALID_USER_ID": "Invalid user id",
    # upload tokens
    "UPLOAD_TOKEN_NOT_FOUND": "Upload token not found",
    "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD": (
        "Upload token is in an invalid status for uploading a file, maybe the file was already uploaded"
    ),
    "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY": (
        "Upload token is in an invalid status for adding entry, maybe the a file was not uploaded or the token was used"
    ),
    "UPLOAD_TOKEN_CANNOT_RESUME": "Cannot resume the upload, original file was not found",
    "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE": "Failed to match expected file size",
    "UPLOAD_TOKEN_MISSING_FILE_SIZE": "FileSize is mandatory when enabling autoFinalize",
    "UPLOAD_TOKEN_FILE_TYPE_RESTRICTED_FOR_UPLOAD": "Upload token is restricted due to the file type",
    "UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED": (
        "Upload token cannot be resumed, maximum resume time of @MAX_RESUME_TIME@ seconds has passed"
    ),
    "MAX_ALLOWED_CHUNK_COUNT_EXCEEDED": "Max allowed chunk count exceeded",
    "UPLOAD_ERROR": "Upload failed",
    "UPLOADED_FILE_NOT_FOUND_BY_TOKEN": "The uploaded file was not found by the given token id, or was already used",
    "INVALID_UPLOAD_TOKEN_ID": "Invalid upload token id",
    # entries
    "ENTRY_ID_NOT_FOUND": 'Entry id "@ENTRY_ID@" not found',
    "INVALID_ENTRY_ID": 'Invalid entry id "@ID@"',
    "INVALID_ENTRY_TYPE": 'Entry "@ENTRY_NAME@" type is "@WRONG_ENTRY_TYPE@", type must be "@RIGHT_ENTRY_TYPE@"',
    "ENTRY_ALREADY_WITH_CONTENT": "Entry already associated with content",
    "ENTRY_TYPE_NOT_SUPPORTED": "Entry type [@ENTRY_TYPE@] not suppported",
    "ENTRY_MEDIA_TYPE_NOT_SUPPORTED": "Entry media type [@MEDIA_TYPE@] not suppported",
    "ENTRY_CANNOT_BE_FLAGGED": "Entry cannot be flagged",
    "ENTRY_REPLACEMENT_ALREADY_EXISTS": "Entry already in replacement",
    "ENTRY_ID_NOT_REPLACED": 'Entry id "@ENTRY_ID@" not replaced',
    "ENTRY_NOT_READY": 'Entry "@ENTRY_ID@" is not ready',
    "ENTRY_DISPLAY_IN_SEARCH_VALUE_NOT_ALLOWED": ("Entry display in search value [@VALUE@] is not allowed"),
    "INVALID_ENTRY_STATUS": "Invalid entry status",
    "INVALID_ENTRY_STATUS_FOR_RECYCLE": "Invalid entry status for recycle [@STATUS@]",
    "INVALID_ENTRY_STATUS_FOR_RESTORE": "Invalid entry status for restore [@STATUS@]",
    "FEATURE_RECYCLE_BIN_DISABLED": "Recycle bin feature is disabled",
    "INVALID_ENTRY_SCHEDULE_DATES": "Invalid entry schedule dates",
    "ASSIGNING_INFO_TO_ENTRY_WITH_PARENT_IS_FORBIDDEN": (
        "Assigning categories, access control or schedule to entry [@ID@] with parent is forbidden"
    ),
    "PARENT_ENTRY_ID_NOT_FOUND": 'Parent entry id "@ID@" not found',
    "ACCESS_CONTROL_ID_NOT_FOUND": 'Access control id "@ID@" not found',
    "RESOURCE_TYPE_NOT_SUPPORTED": "Resource type [@RES_TYPE@] not supported",
    "FILE_CONTENT_NOT_SECURE": "File content is not secure",
    "FILE_TYPE_NOT_SUPPORTED": "File type [@TYPE@] is not supported",
    "FILE_DOESNT_EXIST": "File doesn't exist",
    "STORAGE_PROFILE_ID_NOT_FOUND": 'Storage profile id "@ID@" not found',
    "URL_NOT_SUPPORTED": "URL [@URL@] is not supported",
    "MAX_CATEGORIES_FOR_ENTRY_REACHED": "Entry can have at most @CATEGORIES@ categories",
    "CATEGORY_NOT_FOUND": 'Category id "@ID@" not found',
    "CATEGORY_NOT_PERMITTED": "Category [@CATEGORY@] is not permitted",
    "ENTRY_CATEGORY_FIELD_IS_DEPRECATED": "Entry category field is deprecated",
    # flavors and conversion profiles
    "FLAVOR_ASSET_ID_NOT_FOUND": 'Flavor asset id "@ID@" not found',
    "FLAVOR_ASSET_ALREADY_EXISTS": 'Flavor asset id "@ASSET_ID@" already use flavor params id "@PARAMS_ID@"',
    "FLAVOR_ASSET_IS_NOT_READY": "The flavor asset is not ready",
    "FLAVOR_ASSET_RECONVERT_ORIGINAL": "The original flavor asset cannot be reconverted",
    "ASSET_NOT_ALLOWED": 'Asset "@ID@" is not allowed',
    "FLAVOR_PARAMS_ID_NOT_FOUND": 'Flavor params id "@ID@" not found',
    "FLAVOR_PARAMS_NOT_FOUND": "Flavor params not found",
    "ORIGINAL_FLAVOR_ASSET_IS_MISSING": "The original flavor asset is missing",
    "CONVERSION_PROFILE_ID_NOT_FOUND": 'Conversion profile id "@ID@" not found',
    "CANNOT_DELETE_DEFAULT_CONVERSION_PROFILE": "Can't delete the default conversion profile",
}

# Codes that only a fault returns.
_ONLY_BY_FAULT = (
    "ACCESS_FORBIDDEN_FROM_UNKNOWN_IP",
    "ACCESS_UNAUTHORIZED",
    "CANNOT_ASSIGN_ENTRY_TO_CATEGORY",
    "CYCLE_IN_PARENTAGE",
    "DRUID_QUERY_TIMED_OUT",
    "FAILED_INIT_REDIS_INSTANCE",
    "FILE_PENDING",
    "FILE_SIZE_EXCEEDED",
    "INGESTION_PROFILE_ID_NOT_FOUND",
    "INTERNAL_SERVER_ERROR",
    "LOCK_TIMED_OUT",
    "MAX_ASSETS_FOR_ENTRY_REACHED",
    "MAX_FILE_SIZE_EXCEEDED",
    "MULTI_ATTEMPTS_TO_UPDATE_METADATA",
    "PARTNER_ACCESS_FORBIDDEN",
    "PERMISSION_NOT_FOUND",
    "PROPERTY_VALIDATION_MAX_VALUE",
    "PROPERTY_VALIDATION_MIN_VALUE",
    "SEARCH_ENGINE_QUERY_FAILED",
    "SERVERL_ERROR",
    "SERVICE_ACCESS_CONTROL_RESTRICTED",
    "SERVICE_FORBIDDEN_FULLY_BLOCKED",
    "START_WIDGET_SESSION_ERROR",
    "UPLOAD_PARTIAL_ERROR",
    "USER_BLOCKED",
    "USER_NOT_FOUND",
)

for _code, _message in _TEXTS.items():
    declare(_code, _message)
for _code in _ONLY_BY_FAULT:
    declare(_code, _code.replace("_", " ").capitalize())
