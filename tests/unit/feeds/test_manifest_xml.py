"""Kaltura's bulk upload XML: every element of its public schema is used, or named with its line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.feeds.sources import Found, Search, rendered_source
from kaltura_provider.feeds.sources.manifest import BAD_ROW
from kaltura_provider.feeds.sources.manifest_rows import Rows
from kaltura_provider.feeds.sources.manifest_xml import read_xml

URI = "s3://media/lists/march.xml"
SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="ingestion.xsd"'
FULL = """<item>
  <action>add</action>
  <type>1</type><licenseType>0</licenseType>
  <referenceId>ref-1</referenceId>
  <userId>ana</userId>
  <name>Opening</name>
  <description>First of the &lt;season&gt;</description>
  <tags><tag>season</tag><tag>opening night</tag></tags>
  <categories><category>Shows&gt;2024</category><category>News</category></categories>
  <partnerData>p</partnerData><partnerSortData>7</partnerSortData>
  <accessControlId>8</accessControlId><conversionProfileId>9</conversionProfileId>
  <startDate>2024-07-01T12:00:00</startDate><endDate>2024-12-01T12:00:00Z</endDate>
  <media><mediaType>1</mediaType></media>
  <contentAssets>
    <content flavorParamsId="2"><urlContentResource url="https://example.com/low.mp4"/></content>
    <content flavorParamsId="0"><urlContentResource url="https://example.com/master.mov"/></content>
  </contentAssets>
  <thumbnails>
    <thumbnail isDefault="true"><tags><tag>front</tag></tags><urlContentResource url="https://example.com/t.jpg"/>
    </thumbnail>
  </thumbnails>
  <subTitles><action>update</action>
    <subTitle isDefault="true" format="2" lang="Hebrew" label="Ivrit"><tags/>
      <urlContentResource url="https://example.com/c.xml"/></subTitle>
    <subTitle lang="Klingonese?"><tags/><urlContentResource url="https://example.com/c.srt"/></subTitle>
  </subTitles>
  <attachments>
    <attachment format="3"><dropFolderFileContentResource filePath="notes.pdf"/><filename>n.pdf</filename>
      <title>Notes</title></attachment>
  </attachments>
  <customDataItems><customData metadataProfileId="1"><xmlData><metadata/></xmlData></customData></customDataItems>
</item>"""


def mrss(*items: str) -> bytes:
    body = "\n".join(items)
    return f'<?xml version="1.0"?>\n<mrss {SCHEMA} version="1.0"><channel>\n{body}\n</channel></mrss>'.encode()


def find(monkeypatch: pytest.MonkeyPatch, content: bytes, **fields: Any) -> Found:
    monkeypatch.setattr("kaltura_provider.hooks.sources.read_document", lambda *_, **__: content)
    return rendered_source({"type": "manifest", "uri": URI, **fields}).find(Search(timezone="Europe/Berlin"))


def test_every_field_of_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find(monkeypatch, mrss(FULL))
    assert found.left_out == {}
    (item,) = found.items
    assert item.uri == "https://example.com/master.mov"
    assert item.metadata == {
        "name": "Opening",
        "description": "First of the <season>",
        "tags": ["season", "opening night"],
        "categories": ["Shows>2024", "News"],
        "media_type": "video",
        "reference_id": "ref-1",
        "user_id": "ana",
        "partner_data": "p",
        "access_control_id": 8,
        "conversion_profile_id": 9,
        "start_date": 1719828000,  # noon in Berlin
        "end_date": 1733054400,
        "extra": {"licenseType": 0, "partnerSortData": 7},
    }
    thumbnail, hebrew, unknown, notes, low = item.sidecars
    assert low == {"kind": "rendition", "uri": "https://example.com/low.mp4", "flavor": "2"}
    assert thumbnail == {
        "kind": "thumbnail", "uri": "https://example.com/t.jpg", "default": True, "values": {"tags": "front"}
    }  # fmt: skip
    assert hebrew == {
        "kind": "caption", "uri": "https://example.com/c.xml", "default": True,
        "values": {"language": "Hebrew", "label": "Ivrit", "format": 2},
    }  # fmt: skip
    assert "<subTitle> in line 27: language" in unknown["error"]
    assert notes["uri"] == "s3://media/lists/notes.pdf"
    assert notes["values"] == {"filename": "n.pdf", "title": "Notes", "format": 3}
    assert found.warnings == [
        "Element <customDataItems> (line 33) is unknown and ignored.",
    ]


def test_contents_with_a_flavor_are_renditions_and_a_second_source_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mrss(
        """<item><type>1</type><name>Flavors</name><media><mediaType>1</mediaType></media><contentAssets>
        <content flavorParams="HD"><dropFolderFileContentResource filePath="hd.mp4"><fileChecksum type="md5">
        D41D8CD98F00B204E9800998ECF8427E</fileChecksum></dropFolderFileContentResource></content>
        <content flavorParams="Source"><dropFolderFileContentResource filePath="source.mov"/></content>
        <content><dropFolderFileContentResource filePath="other.mov"/></content>
        </contentAssets></item>"""
    )
    found = find(monkeypatch, content)
    (item,) = found.items
    assert item.uri == "s3://media/lists/source.mov"
    checksum = "md5:d41d8cd98f00b204e9800998ecf8427e"
    assert item.sidecars == (
        {"kind": "rendition", "uri": "s3://media/lists/hd.mp4", "flavor": "HD", "checksum": checksum},
    )
    assert found.warnings == [
        "Line 7: this <content> is a second source of the item and is ignored; give it the flavorParamsId or "
        "flavorParams of a rendition."
    ]


def test_files_of_drop_folders_and_of_older_schemas_go_in_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mrss(
        """<item><type>1</type><name>Dropped</name><media><mediaType>1</mediaType></media><content>
        <dropFolderFileContentResource filePath="in/a.mp4"><fileChecksum>D41D8CD98F00B204E9800998ECF8427E</fileChecksum>
        </dropFolderFileContentResource></content>
        <thumbnail><serverFileContentResource filePath="a.jpg"/></thumbnail></item>"""
    )
    (item,) = find(monkeypatch, content).items
    assert (item.uri, item.checksum) == ("s3://media/lists/in/a.mp4", "md5:d41d8cd98f00b204e9800998ecf8427e")
    assert [one["uri"] for one in item.sidecars] == ["s3://media/lists/a.jpg"]


def test_actions_need_the_consent_of_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mrss(
        "<item><action>update</action><entryId>0_abc12345</entryId><name>New</name></item>",
        "<item><action>delete</action><referenceId>ref-9</referenceId></item>",
    )
    refused = find(monkeypatch, content).left_out[BAD_ROW]
    assert [text.split(";")[0] for text in refused] == [
        "line 3: action update is not allowed", "line 4: action delete is not allowed"
    ]  # fmt: skip
    allowed = find(monkeypatch, content, allow=["update", "delete"])
    assert allowed.changes == [
        {"line": 3, "action": "update", "entry_id": "0_abc12345", "metadata": {"name": "New"}},
        {"line": 4, "action": "delete", "reference_id": "ref-9"},
    ]


SOURCE = '<content><urlContentResource url="https://a/1.mp4"/></content>'


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("<type>5</type>", "<type> '5' in line 3 is not 1 (media)"),
        ("<type>1</type>", "url is missing"),
        ("<content><entryContentResource entryId='0_x'/></content>", "<content> in line 3 has entryContentResource"),
        ("<content><urlContentResource/></content>", "<urlContentResource> in line 3 has no url"),
        ("<content><urlContentResource url='ftp://a/b'/></content>", "is not an address"),
        ("<content><dropFolderFileContentResource filePath='../x'/></content>", "leads out of the folder"),
        ("<content><dropFolderFileContentResource filePath='/etc/passwd'/></content>", "url: "),
        (SOURCE + "<partnerSortData>x</partnerSortData>", "<partnerSortData> 'x' in line 3 is not a whole number"),
        (SOURCE + "<startDate>soon</startDate>", "start_date 'soon' is not a date"),
        (SOURCE + "<categories><category>a,b</category></categories>", "comma"),
        (SOURCE + "<thumbnail><urlContentResource url='x'/></thumbnail>", "<thumbnail> in line 3"),
        (SOURCE + "<action>replace</action>", "action 'replace' is not"),
    ],
    ids=range(12),
)
def test_an_item_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, item: str, problem: str) -> None:
    found = find(monkeypatch, mrss(f"<item>{item}</item>"))
    (text,) = found.left_out[BAD_ROW]
    assert text.startswith("line 3: ")
    assert problem in text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<rss><channel/></rss>", "line 1: begins with <rss>, not with <mrss>"),
        (b'<!DOCTYPE m [<!ENTITY x "y">]>\n<mrss/>', "line 1: its DOCTYPE declares entities"),
        (b"<mrss><channel>\n<item></channel></mrss>", "line 2: is not well-formed XML: mismatched tag"),
    ],
    ids=range(3),
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match="line") as caught:
        read_xml(content, URI)
    assert problem in str(caught.value)


NAMES = st.sampled_from(
    ["item", "type", "media", "content", "contentAssets", "subTitles", "subTitle", "attachment", "tags", "tag", "odd"]
)
ATTRIBUTES = st.sampled_from(["", ' url="x"', ' url="https://a/b.mp4"', ' filePath="a"', ' lang="x"', ' format="99"'])
TREES = st.recursive(
    st.text(max_size=5).map(lambda text: text.replace("<", "").replace("&", "")),
    lambda inner: st.builds(
        lambda name, said, inside: f"<{name}{said}>{''.join(inside)}</{name}>", NAMES, ATTRIBUTES, st.lists(inner)
    ),
    max_leaves=20,
)


@given(TREES)
@settings(max_examples=150, deadline=timedelta(seconds=5))
def test_any_document_is_read_or_named_as_wrong(tree: str) -> None:
    try:
        rows = read_xml(mrss(f"<item>{tree}</item>"), URI)
    except ValueError as error:
        assert str(error).startswith("line ")  # noqa: PT017
        return
    assert isinstance(rows, Rows)
    assert len(rows.rows) + len(rows.bad) == 1
