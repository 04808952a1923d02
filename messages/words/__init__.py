"""The labels of the tables of invoices and of interest, by language. Data only.

Instead of a language that is missing here the organisation's is used, then English.
"""

from __future__ import annotations

from collections.abc import Mapping

from messages.words.de import GERMAN
from messages.words.en import ENGLISH
from messages.words.es import SPANISH
from messages.words.fr import FRENCH
from messages.words.it import ITALIAN
from messages.words.labels import Labels, LateLabels
from messages.words.nl import DUTCH
from messages.words.pt import PORTUGUESE

__all__ = ["LABELS", "Labels", "LateLabels"]

LABELS: Mapping[str, Labels] = {
    "en": ENGLISH,
    "fr": FRENCH,
    "de": GERMAN,
    "es": SPANISH,
    "it": ITALIAN,
    "nl": DUTCH,
    "pt": PORTUGUESE,
}
