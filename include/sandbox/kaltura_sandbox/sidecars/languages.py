"""The languages a caption can be in: English names, as Kaltura spells them, and their codes."""

from __future__ import annotations

__all__ = ["LANGUAGES", "code_of"]

_TABLE = """
ab Abkhazian|aa Afar|af Afrikaans|ak Akan|sq Albanian|am Amharic|ar Arabic|an Aragonese|hy Armenian|as Assamese
av Avaric|ae Avestan|ay Aymara|az Azerbaijani|bm Bambara|ba Bashkir|eu Basque|be Belarusian|bn Bengali (Bangla)
bh Bihari|bi Bislama|bs Bosnian|br Breton|bg Bulgarian|my Burmese|ca Catalan|ch Chamorro|ce Chechen
ny Chichewa|zh Chinese|cv Chuvash|kw Cornish|co Corsican|cr Cree|hr Croatian|cs Czech|da Danish|dv Divehi
nl Dutch|dz Bhutani|en English|eo Esperanto|et Estonian|ee Ewe|fo Faeroese|fj Fiji|fi Finnish|fr French|fy Frisian
ff Fula|gl Galician|ka Georgian|de German|el Greek|gn Guarani|gu Gujarati|ht Haitian|ha Hausa|he Hebrew|hz Herero
hi Hindi|ho Hiri Motu|hu Hungarian|is Icelandic|io Ido|ig Igbo|id Indonesian|ia Interlingua|ie Interlingue
iu Inuktitut|ik Inupiak|ga Irish|it Italian|ja Japanese|jv Javanese|kn Kannada|kr Kanuri|ks Kashmiri|kk Kazakh
ki Kikuyu|rw Kinyarwanda (Ruanda)|ky Kirghiz|rn Kirundi (Rundi)|kv Komi|kg Kongo|ko Korean|kj Kuanyama|ku Kurdish
lo Laothian|la Latin|lv Latvian (Lettish)|li Limburgish|ln Lingala|lt Lithuanian|lu Luba-Katanga|lb Luxembourgish
mk Macedonian|mg Malagasy|ms Malay|ml Malayalam|mt Maltese|gv Manx|mi Maori|mr Marathi|mh Marshallese|mo Moldavian
mn Mongolian|na Nauru|nv Navajo|ng Ndonga|ne Nepali|nd North Ndebele|se Northern Sami|no Norwegian|nb Norwegian Bokmal
nn Norwegian Nynorsk|oc Occitan|oj Ojibwe|cu Old Church Slavonic|or Oriya|om Oromo (Afan, Galla)|os Ossetian|pi Pali
ps Pashto (Pushto)|fa Farsi|pl Polish|pt Portuguese|pa Punjabi|qu Quechua|rm Rhaeto-Romance|ro Romanian|ru Russian
sm Samoan|sg Sangro|sa Sanskrit|sc Sardinian|gd Gaelic (Scottish)|sr Serbian|sh Serbo-Croatian|st Sesotho|tn Setswana
sn Shona|sd Sindhi|si Sinhalese|ss Siswati|sk Slovak|sl Slovenian|so Somali|nr South Ndebele|es Spanish|su Sundanese
sw Swahili (Kiswahili)|sv Swedish|tl Tagalog|ty Tahitian|tg Tajik|ta Tamil|tt Tatar|te Telugu|th Thai|bo Tibetan
ti Tigrinya|to Tonga|ts Tsonga|tr Turkish|tk Turkmen|tw Twi|ug Uighur|uk Ukrainian|ur Urdu|uz Uzbek|ve Venda
vi Vietnamese|vo Volapuk|wa Walloon|cy Welsh|wo Wolof|xh Xhosa|ii Sichuan Yi|yi Yiddish|yo Yoruba|za Zhuang|zu Zulu
en-us English (American)|en-gb English (British)|en-au English (Australian)|en-ca English (Canada)
fr-ca French (Canada)|es-xl Spanish (Latin America)|pt-br Portuguese (Brazil)|zh-tw Taiwanese Mandarin|yue Cantonese
zh-cn Mandarin Chinese|mu Multilingual|un Undefined|zxx No linguistic content
"""

LANGUAGES: dict[str, str] = {}
for _item in _TABLE.strip().replace("\n", "|").split("|"):
    _code, _, _name = _item.partition(" ")
    LANGUAGES[_name] = _code


def code_of(name: str | None) -> str:
    """Return the code of a language, empty for none."""
    return LANGUAGES.get(name or "", "")
