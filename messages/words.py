"""The labels of the tables of invoices and of interest, by language. Data only.

A language that is not here falls back to the organisation's, then to English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LateLabels:
    """Of the calculation of interest for late payment."""

    first: str
    last: str
    days: str
    rate: str
    interest: str
    total_interest: str
    fixed_sum: str
    total: str
    no_rate_after: str
    no_rate_before: str
    no_rate: str


@dataclass(frozen=True, slots=True)
class Labels:
    invoice: str
    issued: str
    due: str
    total: str
    balance: str
    days: str
    listed: str
    outstanding: str
    overdue: str
    more: str
    unlisted_note: str
    credit_note: str
    late: LateLabels


LABELS: Mapping[str, Labels] = {
    "en": Labels(
        "Invoice", "Issued", "Due", "Total", "Open", "Days overdue",
        "Total listed:", "Total outstanding:", "Of which overdue:",
        "and {count} more",
        "The total outstanding of {total} includes {amount} on invoices that are not listed here.",
        "A credit of {amount} has been deducted from the totals.",
        LateLabels(
            "From", "To", "Days", "Rate a year", "Interest", "Interest for late payment:",
            "Fixed sum for recovery costs:", "Total with interest and fixed sum:",
            "No interest on {invoice}: no rate is known for {country} after {day}.",
            "No interest on {invoice}: no rate is known for {country} before {day}.",
            "No interest on {invoice}: no rate is known for {country} in {currency}.",
        ),
    ),
    "fr": Labels(
        "Facture", "Émise le", "Échéance", "Montant", "Reste dû", "Jours de retard",
        "Total des factures listées :", "Total dû :", "Dont échu :",
        "et {count} de plus",
        "Le total dû de {total} comprend {amount} de factures qui ne figurent pas ici.",
        "Un avoir de {amount} a été déduit des totaux.",
        LateLabels(
            "Du", "Au", "Jours", "Taux annuel", "Intérêts", "Intérêts de retard :",
            "Indemnité forfaitaire de recouvrement :", "Total avec intérêts et indemnité :",
            "Pas d’intérêts sur {invoice} : aucun taux connu pour {country} après le {day}.",
            "Pas d’intérêts sur {invoice} : aucun taux connu pour {country} avant le {day}.",
            "Pas d’intérêts sur {invoice} : aucun taux connu pour {country} en {currency}.",
        ),
    ),
    "de": Labels(
        "Rechnung", "Datum", "Fällig am", "Betrag", "Offen", "Tage überfällig",
        "Summe der aufgeführten:", "Insgesamt offen:", "Davon überfällig:",
        "und {count} weitere",
        "Der offene Gesamtbetrag von {total} enthält {amount} aus Rechnungen, die hier nicht"
        " aufgeführt sind.",
        "Ein Guthaben von {amount} ist von den Summen abgezogen.",
        LateLabels(
            "Vom", "Bis", "Tage", "Jahreszins", "Zinsen", "Verzugszinsen:",
            "Pauschale für Beitreibungskosten:", "Gesamt mit Zinsen und Pauschale:",
            "Keine Zinsen auf {invoice}: Für {country} ist nach dem {day} kein Zinssatz bekannt.",
            "Keine Zinsen auf {invoice}: Für {country} ist vor dem {day} kein Zinssatz bekannt.",
            "Keine Zinsen auf {invoice}: Für {country} ist in {currency} kein Zinssatz bekannt.",
        ),
    ),
    "es": Labels(
        "Factura", "Emitida", "Vencimiento", "Importe", "Pendiente", "Días de retraso",
        "Total de las indicadas:", "Total pendiente:", "Del cual vencido:",
        "y {count} más",
        "El total pendiente de {total} incluye {amount} de facturas que no figuran aquí.",
        "Se ha deducido de los totales un abono de {amount}.",
        LateLabels(
            "Desde", "Hasta", "Días", "Tipo anual", "Intereses", "Intereses de demora:",
            "Cantidad fija por costes de cobro:", "Total con intereses y cantidad fija:",
            "Sin intereses en {invoice}: no hay tipo conocido para {country} después del {day}.",
            "Sin intereses en {invoice}: no hay tipo conocido para {country} antes del {day}.",
            "Sin intereses en {invoice}: no hay tipo conocido para {country} en {currency}.",
        ),
    ),
    "it": Labels(
        "Fattura", "Emessa il", "Scadenza", "Importo", "Da pagare", "Giorni di ritardo",
        "Totale delle fatture elencate:", "Totale da pagare:", "Di cui scaduto:",
        "e altre {count}",
        "Il totale da pagare di {total} comprende {amount} di fatture non elencate qui.",
        "Dai totali è stato detratto un credito di {amount}.",
        LateLabels(
            "Dal", "Al", "Giorni", "Tasso annuo", "Interessi", "Interessi di mora:",
            "Importo forfettario per il recupero:", "Totale con interessi e importo forfettario:",
            "Nessun interesse su {invoice}: nessun tasso noto per {country} dopo il {day}.",
            "Nessun interesse su {invoice}: nessun tasso noto per {country} prima del {day}.",
            "Nessun interesse su {invoice}: nessun tasso noto per {country} in {currency}.",
        ),
    ),
    "nl": Labels(
        "Factuur", "Datum", "Vervaldatum", "Bedrag", "Openstaand", "Dagen te laat",
        "Totaal van deze facturen:", "Totaal openstaand:", "Waarvan vervallen:",
        "en nog {count}",
        "Het totaal openstaande bedrag van {total} bevat {amount} van facturen die hier niet"
        " staan.",
        "Een tegoed van {amount} is van de totalen afgetrokken.",
        LateLabels(
            "Van", "Tot en met", "Dagen", "Rente per jaar", "Rente", "Vertragingsrente:",
            "Vaste vergoeding voor incassokosten:", "Totaal met rente en vergoeding:",
            "Geen rente op {invoice}: voor {country} is na {day} geen rentevoet bekend.",
            "Geen rente op {invoice}: voor {country} is vóór {day} geen rentevoet bekend.",
            "Geen rente op {invoice}: voor {country} is in {currency} geen rentevoet bekend.",
        ),
    ),
    "pt": Labels(
        "Fatura", "Emissão", "Vencimento", "Valor", "Em aberto", "Dias de atraso",
        "Total das faturas indicadas:", "Total em aberto:", "Do qual vencido:",
        "e mais {count}",
        "O total em aberto de {total} inclui {amount} de faturas que não constam aqui.",
        "Foi deduzido dos totais um crédito de {amount}.",
        LateLabels(
            "De", "Até", "Dias", "Taxa anual", "Juros", "Juros de mora:",
            "Valor fixo por custos de cobrança:", "Total com juros e valor fixo:",
            "Sem juros em {invoice}: não se conhece taxa para {country} depois de {day}.",
            "Sem juros em {invoice}: não se conhece taxa para {country} antes de {day}.",
            "Sem juros em {invoice}: não se conhece taxa para {country} em {currency}.",
        ),
    ),
}  # fmt: skip
