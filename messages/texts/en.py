"""The English built-in texts. Data only."""

from __future__ import annotations

from dunning.plan import ActionType

# The same for an email and a letter.
_SUBJECT = (
    "{% if invoice.days_overdue %}Payment reminder"
    "{% else %}Payment due soon{% endif %}: invoice {{ invoice.number }}"
)
_OPEN = """\
Dear {{ contact.name | default(customer.name, true) }},

{% if invoice.days_overdue %}
our invoice {{ invoice.number }} was due on {{ invoice.due_on }}. {{ invoice.balance }} is still \
open.
{% else %}
our invoice {{ invoice.number }} is due on {{ invoice.due_on }}. {{ invoice.balance }} is open.
{% endif %}

{{ invoices_table }}
"""

#: By type of action: subject and body.
ENGLISH = {
    ActionType.EMAIL: (
        _SUBJECT,
        _OPEN
        + """\

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
        _SUBJECT,
        """\
{{ today }}

"""
        + _OPEN
        + """\

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
}
