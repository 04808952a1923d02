"""The French built-in texts. Data only."""

from __future__ import annotations

from dunning.plan import ActionType

# The same for an email and a letter.
_SUBJECT = (
    "{% if invoice.days_overdue %}Rappel de paiement"
    "{% else %}Échéance à venir{% endif %} : facture {{ invoice.number }}"
)
_OPEN = """\
Bonjour {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
Notre facture {{ invoice.number }} était à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% else %}
Notre facture {{ invoice.number }} est à régler le {{ invoice.due_on }}. Il reste dû \
{{ invoice.balance }}.
{% endif %}

{{ invoices_table }}
"""

#: By type of action: subject and body.
FRENCH = {
    ActionType.EMAIL: (
        _SUBJECT,
        _OPEN
        + """\

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
        _SUBJECT,
        """\
Le {{ today }}

"""
        + _OPEN
        + """\

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
}
