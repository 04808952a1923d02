"""The texts of a step that has none: templates like those of a plan, by language and type.

Data only. A language that is not here falls back to the organisation's, then to English.
"""

from __future__ import annotations

from collections.abc import Mapping

from dunning.plan import ActionType

#: By language and type of action: subject and body.
DEFAULT_TEXTS: Mapping[str, Mapping[ActionType, tuple[str, str]]] = {
    "en": {
        ActionType.EMAIL: (
            (
                "{% if invoice.days_overdue %}Payment reminder"
                "{% else %}Payment due soon{% endif %}: invoice {{ invoice.number }}"
            ),
            """\
Dear {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
our invoice {{ invoice.number }} was due on {{ invoice.due_on }}. {{ invoice.balance }} is still \
open.
{% else %}
our invoice {{ invoice.number }} is due on {{ invoice.due_on }}. {{ invoice.balance }} is open.
{% endif %}

{{ invoices_table }}

Please arrange the payment. If you have already paid, thank you; no answer is needed. If something \
is unclear, reply to this email.

Kind regards
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.SMS: (
            "",
            (
                "{{ organisation.name }}: invoice {{ invoice.number }},"
                " due on {{ invoice.due_on }}: {{ invoice.balance }} is open."
                " If you have already paid, thank you."
            ),
        ),
        ActionType.LETTER: (
            (
                "{% if invoice.days_overdue %}Payment reminder"
                "{% else %}Payment due soon{% endif %}: invoice {{ invoice.number }}"
            ),
            """\
{{ today }}

Dear {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
our invoice {{ invoice.number }} was due on {{ invoice.due_on }}. {{ invoice.balance }} is still \
open.
{% else %}
our invoice {{ invoice.number }} is due on {{ invoice.due_on }}. {{ invoice.balance }} is open.
{% endif %}

{{ invoices_table }}

Please arrange the payment. If you have already paid, please disregard this letter.

Yours sincerely
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.CALL: (
            "Call {{ customer.name }} about invoice {{ invoice.number }}",
            """\
Ask for {{ contact.name | default(customer.name, true) }}.

Invoice {{ invoice.number }} was due on {{ invoice.due_on }}; {{ invoice.balance }} is open.
Has it arrived, is anything unclear, and when will it be paid?

{{ invoices_table }}
""",
        ),
        ActionType.TASK: (
            "{{ customer.name }}: invoice {{ invoice.number }}",
            """\
Invoice {{ invoice.number }} was due on {{ invoice.due_on }}; {{ invoice.balance }} is open.

{{ invoices_table }}
""",
        ),
    },
    "fr": {
        ActionType.EMAIL: (
            (
                "{% if invoice.days_overdue %}Rappel de paiement"
                "{% else %}Échéance à venir{% endif %} : facture {{ invoice.number }}"
            ),
            """\
Bonjour {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
Notre facture {{ invoice.number }} était à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% else %}
Notre facture {{ invoice.number }} est à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}

Nous vous remercions de procéder au règlement. Si vous avez déjà payé, merci de ne pas tenir \
compte de ce message. Pour toute question, répondez à cet e-mail.

Cordialement
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.SMS: (
            "",
            (
                "{{ organisation.name }} : facture {{ invoice.number }},"
                " échéance {{ invoice.due_on }} : il reste dû {{ invoice.balance }}."
                " Si vous avez déjà payé, merci."
            ),
        ),
        ActionType.LETTER: (
            (
                "{% if invoice.days_overdue %}Rappel de paiement"
                "{% else %}Échéance à venir{% endif %} : facture {{ invoice.number }}"
            ),
            """\
Le {{ today }}

Bonjour {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
Notre facture {{ invoice.number }} était à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% else %}
Notre facture {{ invoice.number }} est à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}

Nous vous remercions de procéder au règlement. Si vous avez déjà payé, merci de ne pas tenir \
compte de ce courrier.

Nous vous prions d'agréer nos salutations distinguées.
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.CALL: (
            "Appeler {{ customer.name }} au sujet de la facture {{ invoice.number }}",
            """\
Demander {{ contact.name | default(customer.name, true) }}.

La facture {{ invoice.number }} était à régler le {{ invoice.due_on }} ; il reste dû \
{{ invoice.balance }}.
Est-elle bien arrivée, y a-t-il une question, et quand sera-t-elle payée ?

{{ invoices_table }}
""",
        ),
        ActionType.TASK: (
            "{{ customer.name }} : facture {{ invoice.number }}",
            """\
La facture {{ invoice.number }} était à régler le {{ invoice.due_on }} ; il reste dû \
{{ invoice.balance }}.

{{ invoices_table }}
""",
        ),
    },
    "de": {
        ActionType.EMAIL: (
            (
                "{% if invoice.days_overdue %}Zahlungserinnerung{% else %}Bald fällig{% endif %}:"
                " Rechnung {{ invoice.number }}"
            ),
            """\
Guten Tag {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
unsere Rechnung {{ invoice.number }} war am {{ invoice.due_on }} fällig. Offen sind noch \
{{ invoice.balance }}.
{% else %}
unsere Rechnung {{ invoice.number }} ist am {{ invoice.due_on }} fällig. Offen sind \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}

Bitte veranlassen Sie die Zahlung. Falls Sie schon bezahlt haben, betrachten Sie diese Nachricht \
bitte als gegenstandslos. Bei Fragen antworten Sie einfach auf diese E-Mail.

Freundliche Grüße
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.SMS: (
            "",
            (
                "{{ organisation.name }}: Rechnung {{ invoice.number }},"
                " fällig am {{ invoice.due_on }}: offen {{ invoice.balance }}."
                " Falls schon bezahlt: vielen Dank."
            ),
        ),
        ActionType.LETTER: (
            (
                "{% if invoice.days_overdue %}Zahlungserinnerung{% else %}Bald fällig{% endif %}:"
                " Rechnung {{ invoice.number }}"
            ),
            """\
{{ today }}

Guten Tag {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
unsere Rechnung {{ invoice.number }} war am {{ invoice.due_on }} fällig. Offen sind noch \
{{ invoice.balance }}.
{% else %}
unsere Rechnung {{ invoice.number }} ist am {{ invoice.due_on }} fällig. Offen sind \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}

Bitte veranlassen Sie die Zahlung. Falls Sie schon bezahlt haben, betrachten Sie dieses Schreiben \
bitte als gegenstandslos.

Mit freundlichen Grüßen
{{ sender.name }}
{{ organisation.name }}
""",
        ),
        ActionType.CALL: (
            "{{ customer.name }} zu Rechnung {{ invoice.number }} anrufen",
            """\
Nach {{ contact.name | default(customer.name, true) }} fragen.

Rechnung {{ invoice.number }} war am {{ invoice.due_on }} fällig; offen sind {{ invoice.balance }}.
Ist sie angekommen, ist etwas unklar, und wann wird sie bezahlt?

{{ invoices_table }}
""",
        ),
        ActionType.TASK: (
            "{{ customer.name }}: Rechnung {{ invoice.number }}",
            """\
Rechnung {{ invoice.number }} war am {{ invoice.due_on }} fällig; offen sind {{ invoice.balance }}.

{{ invoices_table }}
""",
        ),
    },
}
