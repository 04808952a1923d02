"""The search attributes of a run, by which Temporal lists and finds it."""

from __future__ import annotations

import logging
import time

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from workflows.contracts import CUSTOMER_ATTRIBUTE, ORGANISATION_ATTRIBUTE, SEARCH_ATTRIBUTES

_log = logging.getLogger(__name__)

_ORGANISATION = SearchAttributeKey.for_keyword(ORGANISATION_ATTRIBUTE)
_CUSTOMER = SearchAttributeKey.for_keyword(CUSTOMER_ATTRIBUTE)

#: The most characters of a keyword in the visibility store on PostgreSQL.
_LONGEST = 255
_ASK_AGAIN_SECONDS = 60.0


class Attributes:
    """Leaves out ``DunningCustomer`` while the namespace does not have it: because it is older, or
    because its operator wants no customer ids in it. It is tried again every minute."""

    def __init__(self) -> None:
        self._without_until = 0.0

    def of(self, organisation_id: str, external_id: str) -> TypedSearchAttributes:
        pairs = [SearchAttributePair(_ORGANISATION, organisation_id)]
        if time.monotonic() >= self._without_until:
            pairs.append(SearchAttributePair(_CUSTOMER, external_id[:_LONGEST]))
        return TypedSearchAttributes(pairs)

    def lacks(self, error: RPCError) -> bool:
        """Whether the start was refused because ``DunningCustomer`` is missing; it is then
        omitted."""
        if error.status is not RPCStatusCode.INVALID_ARGUMENT or (
            CUSTOMER_ATTRIBUTE not in error.message
        ):
            return False
        if time.monotonic() >= self._without_until:
            _log.warning(
                "the namespace has no search attribute %s: runs begin without it, and nobody finds "
                "them by the customer's id; `dunning temporal prepare` registers it",
                CUSTOMER_ATTRIBUTE,
            )
        self._without_until = time.monotonic() + _ASK_AGAIN_SECONDS
        return True


async def register(client: Client) -> list[str]:
    """Register our search attributes; returns those that were missing. Raises RPCError when that
    is not allowed."""
    asked = ListSearchAttributesRequest(namespace=client.namespace)
    there = (await client.operator_service.list_search_attributes(asked)).custom_attributes
    missing = [name for name in SEARCH_ATTRIBUTES if name not in there]
    if missing:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace, search_attributes=dict.fromkeys(missing, keyword)
            )
        )
    return missing
