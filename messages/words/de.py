"""The German labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

GERMAN = Labels(
    invoice="Rechnung",
    issued="Datum",
    due="Fällig am",
    total="Betrag",
    balance="Offen",
    days="Tage überfällig",
    listed="Summe der aufgeführten:",
    outstanding="Insgesamt offen:",
    overdue="Davon überfällig:",
    more="und {count} weitere",
    unlisted_note=(
        "Der offene Gesamtbetrag von {total} enthält {amount} aus Rechnungen, die hier nicht"
        " aufgeführt sind."
    ),
    credit_note="Ein Guthaben von {amount} ist von den Summen abgezogen.",
    late=LateLabels(
        first="Vom",
        last="Bis",
        days="Tage",
        rate="Jahreszins",
        interest="Zinsen",
        total_interest="Verzugszinsen:",
        fixed_sum="Pauschale für Beitreibungskosten:",
        total="Gesamt mit Zinsen und Pauschale:",
        no_rate_after=(
            "Keine Zinsen auf {invoice}: Für {country} ist nach dem {day} kein Zinssatz bekannt."
        ),
        no_rate_before=(
            "Keine Zinsen auf {invoice}: Für {country} ist vor dem {day} kein Zinssatz bekannt."
        ),
        no_rate=(
            "Keine Zinsen auf {invoice}: Für {country} ist in {currency} kein Zinssatz bekannt."
        ),
    ),
)
