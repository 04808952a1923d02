"""The French labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

FRENCH = Labels(
    invoice="Facture",
    issued="Émise le",
    due="Échéance",
    total="Montant",
    balance="Reste dû",
    days="Jours de retard",
    listed="Total des factures listées :",
    outstanding="Total dû :",
    overdue="Dont échu :",
    more="et {count} de plus",
    unlisted_note=("Le total dû de {total} comprend {amount} de factures qui ne figurent pas ici."),
    credit_note="Un avoir de {amount} a été déduit des totaux.",
    late=LateLabels(
        first="Du",
        last="Au",
        days="Jours",
        rate="Taux annuel",
        interest="Intérêts",
        total_interest="Intérêts de retard :",
        fixed_sum="Indemnité forfaitaire de recouvrement :",
        total="Total avec intérêts et indemnité :",
        no_rate_after=(
            "Pas d’intérêts sur {invoice} : aucun taux connu pour {country} après le {day}."
        ),
        no_rate_before=(
            "Pas d’intérêts sur {invoice} : aucun taux connu pour {country} avant le {day}."
        ),
        no_rate="Pas d’intérêts sur {invoice} : aucun taux connu pour {country} en {currency}.",
    ),
)
