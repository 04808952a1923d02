"""The Dutch labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

DUTCH = Labels(
    invoice="Factuur",
    issued="Datum",
    due="Vervaldatum",
    total="Bedrag",
    balance="Openstaand",
    days="Dagen te laat",
    listed="Totaal van deze facturen:",
    outstanding="Totaal openstaand:",
    overdue="Waarvan vervallen:",
    more="en nog {count}",
    unlisted_note=(
        "Het totaal openstaande bedrag van {total} bevat {amount} van facturen die hier niet staan."
    ),
    credit_note="Een tegoed van {amount} is van de totalen afgetrokken.",
    late=LateLabels(
        first="Van",
        last="Tot en met",
        days="Dagen",
        rate="Rente per jaar",
        interest="Rente",
        total_interest="Vertragingsrente:",
        fixed_sum="Vaste vergoeding voor incassokosten:",
        total="Totaal met rente en vergoeding:",
        no_rate_after=(
            "Geen rente op {invoice}: voor {country} is na {day} geen rentevoet bekend."
        ),
        no_rate_before=(
            "Geen rente op {invoice}: voor {country} is vóór {day} geen rentevoet bekend."
        ),
        no_rate=("Geen rente op {invoice}: voor {country} is in {currency} geen rentevoet bekend."),
    ),
)
