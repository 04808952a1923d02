"""The labels of the table of invoices, by language. Data only.

A language that is not here falls back to the organisation's, then to English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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


LABELS: Mapping[str, Labels] = {
    "en": Labels(
        "Invoice", "Issued", "Due", "Total", "Open", "Days overdue",
        "Total listed:", "Total outstanding:", "Of which overdue:",
        "and {count} more",
        "The total outstanding of {total} includes {amount} on invoices that are not listed here.",
        "A credit of {amount} has been deducted from the totals.",
    ),
    "fr": Labels(
        "Facture", "Émise le", "Échéance", "Montant", "Reste dû", "Jours de retard",
        "Total des factures listées :", "Total dû :", "Dont échu :",
        "et {count} de plus",
        "Le total dû de {total} comprend {amount} de factures qui ne figurent pas ici.",
        "Un avoir de {amount} a été déduit des totaux.",
    ),
    "de": Labels(
        "Rechnung", "Datum", "Fällig am", "Betrag", "Offen", "Tage überfällig",
        "Summe der aufgeführten:", "Insgesamt offen:", "Davon überfällig:",
        "und {count} weitere",
        "Der offene Gesamtbetrag von {total} enthält {amount} aus Rechnungen, die hier nicht"
        " aufgeführt sind.",
        "Ein Guthaben von {amount} ist von den Summen abgezogen.",
    ),
    "es": Labels(
        "Factura", "Emitida", "Vencimiento", "Importe", "Pendiente", "Días de retraso",
        "Total de las indicadas:", "Total pendiente:", "Del cual vencido:",
        "y {count} más",
        "El total pendiente de {total} incluye {amount} de facturas que no figuran aquí.",
        "Se ha deducido de los totales un abono de {amount}.",
    ),
    "it": Labels(
        "Fattura", "Emessa il", "Scadenza", "Importo", "Da pagare", "Giorni di ritardo",
        "Totale delle fatture elencate:", "Totale da pagare:", "Di cui scaduto:",
        "e altre {count}",
        "Il totale da pagare di {total} comprende {amount} di fatture non elencate qui.",
        "Dai totali è stato detratto un credito di {amount}.",
    ),
    "nl": Labels(
        "Factuur", "Datum", "Vervaldatum", "Bedrag", "Openstaand", "Dagen te laat",
        "Totaal van deze facturen:", "Totaal openstaand:", "Waarvan vervallen:",
        "en nog {count}",
        "Het totaal openstaande bedrag van {total} bevat {amount} van facturen die hier niet"
        " staan.",
        "Een tegoed van {amount} is van de totalen afgetrokken.",
    ),
    "pt": Labels(
        "Fatura", "Emissão", "Vencimento", "Valor", "Em aberto", "Dias de atraso",
        "Total das faturas indicadas:", "Total em aberto:", "Do qual vencido:",
        "e mais {count}",
        "O total em aberto de {total} inclui {amount} de faturas que não constam aqui.",
        "Foi deduzido dos totais um crédito de {amount}.",
    ),
}  # fmt: skip
