"""Placeholders: names and dates are filled in, everything else stays text."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.feeds.fields.placeholders import LONGEST, fill, placeholder_values

DAY = dt.date(2026, 5, 1)
VALUES = placeholder_values("s3://media/news/2026/Evening News.final.mp4", DAY)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{ asset.stem }}", "Evening News.final"),
        ("{{asset.name}} / {{  asset.key\t}}", "Evening News.final.mp4 / news/2026/Evening News.final.mp4"),
        ("{{ asset.uri }}", "s3://media/news/2026/Evening News.final.mp4"),
        ("{{ ds }} and {{ ds_nodash }}", "2026-05-01 and 20260501"),
        ("{{{ ds }}}", "{2026-05-01}"),
    ],
)
def test_names_and_dates_are_filled_in(text: str, filled: str) -> None:
    assert fill(text, VALUES, field="name") == filled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "{{}}",
        "{{ }}",
        "{{ 7 * 7 }}",
        "{% set e = self._TemplateReference__context.environment %}{% include 'etc/hostname' %}",
        "{# ds #}",
        "{{ ds",
        "ds }}",
        "{ds}",
        '{{ cycler.__init__.__globals__.os.popen("id").read() }}',
        '{{ self._TemplateReference__context.environment.template_class("{{ lipsum() }}").render() }}',
        "{{ für immer }}",
        "{{ what a day }}",
        "${ds} $(id) `id` %s %(ds)s",
    ],
)
def test_braces_that_hold_no_name_stay_text(text: str) -> None:
    assert fill(text, VALUES, field="name") == text


@pytest.mark.parametrize(
    "text", ["{{ params.name }}", "{{ conn.aws_default.password }}", "{{ ti }}", "{{ asset.size }}", "{{ ds|upper }}"]
)
def test_a_name_that_is_unknown_is_said_with_those_that_are_known(text: str) -> None:
    with pytest.raises(KalturaConfigurationError) as caught:
        fill(f"a {text} b", VALUES, field="tags")
    assert str(caught.value).startswith(f"tags '{text}' is not a placeholder: use one of {{{{ asset.stem }}}}, ")
    for name in VALUES:
        assert f"{{{{ {name} }}}}" in str(caught.value)


def test_values_are_filled_in_once() -> None:
    values = placeholder_values("s3://media/{{ ds }} {{ asset.uri }}.mp4", DAY)
    assert fill("{{ asset.stem }}", values, field="name") == "{{ ds }} {{ asset.uri }}"


def test_the_address_of_a_url_is_filled_in_without_what_signs_it() -> None:
    values = placeholder_values("https://me:pw@media.example/a%20b/clip.mp4?X-Amz-Signature=f00d#t", DAY)
    assert values["asset.uri"] == "https://media.example/a%20b/clip.mp4"
    assert (values["asset.key"], values["asset.stem"]) == ("a b/clip.mp4", "clip")


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\x7f", "\ud800"])
def test_control_characters_are_refused_and_shown_as_codes(letter: str) -> None:
    with pytest.raises(KalturaConfigurationError, match=r"name 'a.*' contains a control character") as caught:
        fill(f"a{letter}b", VALUES, field="name")
    assert letter not in str(caught.value)
    assert fill("a\r\n\tb", VALUES, field="name") == "a\r\n\tb"


def test_length_is_bounded_before_and_after() -> None:
    assert len(fill("x" * LONGEST, VALUES, field="name")) == LONGEST
    with pytest.raises(KalturaConfigurationError, match=r"description 'x{60}\.\.\.' is too long \(10,001 characters\)"):
        fill("x" * (LONGEST + 1), VALUES, field="description")
    with pytest.raises(KalturaConfigurationError, match="with its placeholders filled in"):
        fill("{{ asset.key }}" * 600, VALUES, field="description")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200), st.text(max_size=50))
def test_any_text_comes_out_as_it_went_in(text: str, name: str) -> None:
    values = placeholder_values(f"s3://media/{name}", DAY)
    assert fill("{{ asset.uri }}", values, field="name") == f"s3://media/{name}"
    try:
        filled = fill(text, values, field="name")
    except KalturaConfigurationError:
        assert "{{" in text
        return
    if "{{" not in text:
        assert filled == text
