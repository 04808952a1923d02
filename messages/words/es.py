"""The Spanish labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

SPANISH = Labels(
    invoice="Factura",
    issued="Emitida",
    due="Vencimiento",
    total="Importe",
    balance="Pendiente",
    days="Días de retraso",
    listed="Total de las indicadas:",
    outstanding="Total pendiente:",
    overdue="Del cual vencido:",
    more="y {count} más",
    unlisted_note=(
        "El total pendiente de {total} incluye {amount} de facturas que no figuran aquí."
    ),
    credit_note="Se ha deducido de los totales un abono de {amount}.",
    late=LateLabels(
        first="Desde",
        last="Hasta",
        days="Días",
        rate="Tipo anual",
        interest="Intereses",
        total_interest="Intereses de demora:",
        fixed_sum="Cantidad fija por costes de cobro:",
        total="Total con intereses y cantidad fija:",
        no_rate_after=(
            "Sin intereses en {invoice}: no hay tipo conocido para {country} después del {day}."
        ),
        no_rate_before=(
            "Sin intereses en {invoice}: no hay tipo conocido para {country} antes del {day}."
        ),
        no_rate=("Sin intereses en {invoice}: no hay tipo conocido para {country} en {currency}."),
    ),
)
