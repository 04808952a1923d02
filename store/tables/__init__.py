"""The tables, by concern. Money is numeric, instants are timestamptz (UTC), days are calendar days
of the organisation.

What may happen only once has a key with a unique constraint: the external id of what a billing
system reports; (invoice, plan, step, occurrence, attempt) of an action; the action of a delivery;
(delivery, address) of what became of a message.

The tables have foreign keys but no ORM relationships. A flush therefore writes them in the order of
their module and class names (``store.tables.actions.Action`` first), not parents first: code that
adds a parent and its child flushes between the two.
"""

from store.tables.actions import Action
from store.tables.contacts import PHONE_END, Closure, Contact, ContactAddress
from store.tables.cursors import CursorKey
from store.tables.customers import Customer, CustomerMember
from store.tables.deliveries import Delivery, DeliveryRecipient, Link
from store.tables.files import File
from store.tables.ledger import Application, Credit, Invoice, UnappliedCredit
from store.tables.organisation import Organisation
from store.tables.outbox import OutboxMessage
from store.tables.pauses import Pause, Promise
from store.tables.people import Absence, ApiKey, AuditEntry, GroupMember, Invitation, Member
from store.tables.plans import Plan, PlanVersion
from store.tables.provider_accounts import HeldAccount, ProviderAccount
from store.tables.received import Callback, Reply
from store.tables.sequences import AppliedSignal, Nudge, Sequence
from store.tables.timeline import TimelineEntry

__all__ = [
    "PHONE_END",
    "Absence",
    "Action",
    "ApiKey",
    "Application",
    "AppliedSignal",
    "AuditEntry",
    "Callback",
    "Closure",
    "Contact",
    "ContactAddress",
    "Credit",
    "CursorKey",
    "Customer",
    "CustomerMember",
    "Delivery",
    "DeliveryRecipient",
    "File",
    "GroupMember",
    "HeldAccount",
    "Invitation",
    "Invoice",
    "Link",
    "Member",
    "Nudge",
    "Organisation",
    "OutboxMessage",
    "Pause",
    "Plan",
    "PlanVersion",
    "Promise",
    "ProviderAccount",
    "Reply",
    "Sequence",
    "TimelineEntry",
    "UnappliedCredit",
]
