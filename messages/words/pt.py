"""The Portuguese labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

PORTUGUESE = Labels(
    invoice="Fatura",
    issued="Emissão",
    due="Vencimento",
    total="Valor",
    balance="Em aberto",
    days="Dias de atraso",
    listed="Total das faturas indicadas:",
    outstanding="Total em aberto:",
    overdue="Do qual vencido:",
    more="e mais {count}",
    unlisted_note=("O total em aberto de {total} inclui {amount} de faturas que não constam aqui."),
    credit_note="Foi deduzido dos totais um crédito de {amount}.",
    late=LateLabels(
        first="De",
        last="Até",
        days="Dias",
        rate="Taxa anual",
        interest="Juros",
        total_interest="Juros de mora:",
        fixed_sum="Valor fixo por custos de cobrança:",
        total="Total com juros e valor fixo:",
        no_rate_after=(
            "Sem juros em {invoice}: não se conhece taxa para {country} depois de {day}."
        ),
        no_rate_before=(
            "Sem juros em {invoice}: não se conhece taxa para {country} antes de {day}."
        ),
        no_rate="Sem juros em {invoice}: não se conhece taxa para {country} em {currency}.",
    ),
)
