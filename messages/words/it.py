"""The Italian labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

ITALIAN = Labels(
    invoice="Fattura",
    issued="Emessa il",
    due="Scadenza",
    total="Importo",
    balance="Da pagare",
    days="Giorni di ritardo",
    listed="Totale delle fatture elencate:",
    outstanding="Totale da pagare:",
    overdue="Di cui scaduto:",
    more="e altre {count}",
    unlisted_note=(
        "Il totale da pagare di {total} comprende {amount} di fatture non elencate qui."
    ),
    credit_note="Dai totali è stato detratto un credito di {amount}.",
    late=LateLabels(
        first="Dal",
        last="Al",
        days="Giorni",
        rate="Tasso annuo",
        interest="Interessi",
        total_interest="Interessi di mora:",
        fixed_sum="Importo forfettario per il recupero:",
        total="Totale con interessi e importo forfettario:",
        no_rate_after=(
            "Nessun interesse su {invoice}: nessun tasso noto per {country} dopo il {day}."
        ),
        no_rate_before=(
            "Nessun interesse su {invoice}: nessun tasso noto per {country} prima del {day}."
        ),
        no_rate="Nessun interesse su {invoice}: nessun tasso noto per {country} in {currency}.",
    ),
)
