"""Texts for a violated unique constraint: which kind of thing exists already.

They never show a value, because the existing row may be another organisation's.
"""

from __future__ import annotations

from typing import Any

#: Unique constraints and indexes that facts from outside can violate. Keys that we make ourselves
#: (ids, tokens) are not among them.
_WORDS = {
    "uq_customer_organisation_id_external_id": "a customer with this external id",
    "uq_invoice_organisation_id_external_id": "an invoice with this external id",
    "uq_credit_organisation_id_kind_external_id": "a payment or credit note with this external id",
    "uq_contact_customer_id_external_id": "a contact of this customer with this external id",
    "uq_member_organisation_id_email": "a member with this address",
    "uq_plan_organisation_id_name": "a plan of this name",
    "uq_plan_version_plan_id_version": "a version of this plan, saved at the same moment",
    "uq_action_invoice_id_plan_id_step_key_occurrence_attempt": (
        "an action for this step of the invoice"
    ),
    "ix_action_open_task": "an open task for the same cause",
    "uq_delivery_action_id": "a message of this action",
    "uq_link_delivery_id": "a link of this message",
    "uq_reply_organisation_id_key": "this reply",
    "ix_held_account_open": "a held account at this provider",
    "pk_absence": "an absence of this member",
    "pk_application": "an application of this payment to the invoice",
    "pk_applied_signal": "this signal",
    "pk_closure": "this wish about the address",
    "pk_contact_address": "an address of this kind of the contact",
    "pk_customer_member": "this member, assigned to the customer",
    "pk_delivery_recipient": "this recipient of the message",
    "pk_group_member": "this member of the group",
    "pk_outbox": "this message in the outbox",
    "pk_provider_account": "an account of the organisation at this provider",
    "pk_sequence": "a sequence of this customer",
    "pk_unapplied_credit": "unapplied credit of this customer in the currency",
}


def collides(diagnostics: Any) -> str:
    """A sentence for the caller, without data. ``diagnostics`` is that of psycopg's error."""
    what = _WORDS.get(getattr(diagnostics, "constraint_name", None) or "", "the same thing")
    return f"there is already {what}; read it, and change that one"
