"""Clients and contracts, as the first migration made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, day, document, flag, key, money, text, whole


def party() -> None:
    """Create ``party``."""
    op.create_table(
        "party",
        key("id"),
        text("kind", null=False),
        text("display_name", null=False),
        text("legal_name"),
        text("trade_name"),
        flag("is_legal_entity"),
        big("commercial_party_link_id"),
        big("head_party_link_id"),
        text("status"),
        text("segment"),
        big("owner_link_id"),
        text("country"),
        text("comment"),
        day("registered_on"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_party"),
    )


def party_identifier() -> None:
    """Create ``party_identifier``."""
    op.create_table(
        "party_identifier",
        big("party_id", null=False),
        whole("seq", null=False),
        text("scheme", null=False),
        text("value", null=False),
        text("value_norm", null=False),
        flag("is_valid"),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_party_identifier"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_party_identifier_value_norm", "party_identifier", ["value_norm"])


def contact_point() -> None:
    """Create ``contact_point``."""
    op.create_table(
        "contact_point",
        big("party_id", null=False),
        whole("seq", null=False),
        text("system", null=False),
        text("use"),
        text("value_raw", null=False),
        text("value_norm", null=False),
        text("ext"),
        flag("is_valid"),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_contact_point"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_point_value_norm", "contact_point", ["value_norm"])


def address() -> None:
    """Create ``address``."""
    op.create_table(
        "address",
        big("party_id", null=False),
        whole("seq", null=False),
        text("use"),
        text("text", null=False),
        text("country"),
        text("region"),
        text("city"),
        text("street"),
        text("house"),
        text("postal_code"),
        text("fias_id"),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_address"),
        sqlite_with_rowid=False,
    )


def person_detail() -> None:
    """Create ``person_detail``."""
    op.create_table(
        "person_detail",
        big("party_id", null=False),
        whole("seq", null=False),
        text("last_name"),
        text("first_name"),
        text("middle_name"),
        day("birth_date"),
        text("gender"),
        text("position"),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_person_detail"),
        sqlite_with_rowid=False,
    )


def party_role() -> None:
    """Create ``party_role``."""
    op.create_table(
        "party_role",
        big("party_id", null=False),
        whole("seq", null=False),
        text("role", null=False),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_party_role"),
        sqlite_with_rowid=False,
    )


def party_relationship() -> None:
    """Create ``party_relationship``."""
    op.create_table(
        "party_relationship",
        big("party_id", null=False),
        whole("seq", null=False),
        text("type", null=False),
        big("to_party_link_id"),
        text("position"),
        sa.PrimaryKeyConstraint("party_id", "seq", name="pk_party_relationship"),
        sqlite_with_rowid=False,
    )


def contract() -> None:
    """Create ``contract``."""
    op.create_table(
        "contract",
        key("id"),
        text("number"),
        text("name", null=False),
        day("date"),
        big("party_link_id", null=False),
        big("own_org_link_id"),
        text("type"),
        big("currency_link_id"),
        money("amount"),
        day("valid_from"),
        day("valid_thru"),
        text("status"),
        money("credit_limit"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_contract"),
    )
    op.create_index("ix_contract_party_link_id", "contract", ["party_link_id"])


def create() -> None:
    """Create the tables of this module."""
    party()
    party_identifier()
    contact_point()
    address()
    person_detail()
    party_role()
    party_relationship()
    contract()
