"""What the addresses of files say: their names, and by what pictures are recognised."""

from __future__ import annotations

import pytest

from kaltura_provider.operators.attachments import KalturaAddAttachmentOperator
from kaltura_provider.services.thumb_asset import origin_mark


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("s3://bucket/in/Report #2.pdf", "Report #2.pdf"),
        ("s3://bucket/What now?.pdf", "What now?.pdf"),
        ("/folder/100%25.txt", "100%25.txt"),
        ("https://a.example/b/c%20d.pdf?x=1#y", "c d.pdf"),
        ("file:///folder/c%20d.pdf", "c d.pdf"),
    ],
)
def test_names_of_files(source: str, name: str) -> None:
    assert KalturaAddAttachmentOperator(task_id="x", entry_id="0_abcdefgh", source=source).name == name


def test_a_picture_is_recognised_by_all_of_its_address_but_signatures() -> None:
    base = "https://a.example/p.png"
    assert origin_mark(base) == base
    assert origin_mark(f"{base}?X-Amz-Signature=1&X-Amz-Date=2") == base
    assert origin_mark(f"{base}?id=1&sig=9") == origin_mark(f"{base}?sig=8&id=1")
    assert origin_mark(f"{base}?id=1") != origin_mark(f"{base}?id=2")
    assert "secret" not in origin_mark("https://user:secret@a.example/p.png?password=secret")
    assert origin_mark("s3://bucket/What now?.png") == "s3://bucket/What now?.png"
