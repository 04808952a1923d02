"""The built-in texts, for a step without texts: templates like those of a plan, by language and
type.

Data only. Instead of a language that is missing here the organisation's is used, then English.
"""

from __future__ import annotations

from collections.abc import Mapping

from dunning.plan import ActionType
from messages.texts.de import GERMAN
from messages.texts.en import ENGLISH
from messages.texts.fr import FRENCH

#: By language and type of action: subject and body.
DEFAULT_TEXTS: Mapping[str, Mapping[ActionType, tuple[str, str]]] = {
    "en": ENGLISH,
    "fr": FRENCH,
    "de": GERMAN,
}
