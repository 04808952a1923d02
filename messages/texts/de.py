"""The German built-in texts. Data only."""

from __future__ import annotations

from dunning.plan import ActionType

# The same for an email and a letter.
_SUBJECT = (
    "{% if invoice.days_overdue %}Zahlungserinnerung{% else %}Bald fällig{% endif %}:"
    " Rechnung {{ invoice.number }}"
)
_OPEN = """\
Guten Tag {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
unsere Rechnung {{ invoice.number }} war am {{ invoice.due_on }} fällig. Offen sind noch \
{{ invoice.balance }}.
{% else %}
unsere Rechnung {{ invoice.number }} ist am {{ invoice.due_on }} fällig. Offen sind \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}
"""

#: By type of action: subject and body.
GERMAN = {
    ActionType.EMAIL: (
        _SUBJECT,
        _OPEN
        + """\

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
        _SUBJECT,
        """\
{{ today }}

"""
        + _OPEN
        + """\

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
}
