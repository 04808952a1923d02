"""Language tags."""

from __future__ import annotations

from dunning.languages import language_tag, lookup


def test_language_tags_in_different_spellings_are_written_in_one() -> None:
    assert [language_tag(t) for t in ("FR", "pt_br", "ZH-hant-tw", "sr-Latn", " de ")] == [
        "fr",
        "pt-BR",
        "zh-Hant-TW",
        "sr-Latn",
        "de",
    ]
    assert [language_tag(t) for t in ("", "f", "french", "fr-", "fr/CH", "\ud800")] == [""] * 6
    assert lookup("zh-hant-tw") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert lookup("nonsense") == ()
