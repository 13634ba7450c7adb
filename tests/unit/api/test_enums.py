import pytest

from kaltura_provider.api.enums import (
    AttachmentFormat,
    EntryStatus,
    FlavorAssetStatus,
    ModerationStatus,
    UploadTokenStatus,
    parse_enum,
    parse_status,
)


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        (2, EntryStatus.READY),
        ("2", EntryStatus.READY),
        (-2, EntryStatus.ERROR_IMPORTING),
        (" -1 ", EntryStatus.ERROR_CONVERTING),
        (2.0, EntryStatus.READY),
        (99, 99),
        ("virusScan.Infected", "virusScan.Infected"),
        ("", ""),
        ("2.5", "2.5"),
    ],
)
def test_statuses_are_read_as_they_come(value, parsed):
    read = parse_status(EntryStatus, value)
    assert read == parsed
    assert type(read) is type(parsed)


def test_an_absent_field_is_no_status():
    assert parse_enum(EntryStatus, None) is None
    with pytest.raises(ValueError, match="no EntryStatus"):
        parse_status(EntryStatus, None)


def test_the_documented_numbers():
    assert [(s.name, s.value) for s in UploadTokenStatus][:6] == [
        ("PENDING", 0), ("PARTIAL_UPLOAD", 1), ("FULL_UPLOAD", 2), ("CLOSED", 3), ("TIMED_OUT", 4), ("DELETED", 5),
    ]  # fmt: skip
    assert [s.value for s in EntryStatus] == [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7]
    assert [s.value for s in FlavorAssetStatus] == list(range(-1, 10))
    assert [s.value for s in ModerationStatus] == [1, 2, 3, 4, 5, 6]
    assert AttachmentFormat.MARKDOWN == 5
