"""Sales documents and settlements, as the first migration made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, day, document, flag, key, moment, money, percent, qty, text, whole


def sales_order() -> None:
    """Create ``sales_order``."""
    op.create_table(
        "sales_order",
        key("id"),
        text("number", null=False),
        moment("date", null=False),
        text("posting_state", null=False),
        big("party_link_id", null=False),
        big("own_org_link_id"),
        big("contract_link_id"),
        big("currency_link_id"),
        text("comment"),
        money("total", null=False),
        money("vat_total"),
        flag("vat_included"),
        big("commercial_party_link_id"),
        big("warehouse_link_id"),
        big("manager_link_id"),
        text("source_status"),
        text("business_status"),
        moment("requested_on"),
        text("delivery_address"),
        text("client_number"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_sales_order"),
    )
    op.create_index("ix_sales_order_date", "sales_order", ["date"])
    op.create_index("ix_sales_order_party_link_id", "sales_order", ["party_link_id"])


def sales_order_line() -> None:
    """Create ``sales_order_line``."""
    op.create_table(
        "sales_order_line",
        big("sales_order_id", null=False),
        whole("line_no", null=False),
        big("product_link_id", null=False),
        big("variant_link_id"),
        big("unit_link_id"),
        qty("qty", null=False),
        money("price"),
        percent("discount_percent"),
        money("discount_amount"),
        big("vat_rate_link_id"),
        money("vat_amount"),
        money("amount", null=False),
        big("warehouse_link_id"),
        text("line_key"),
        flag("cancelled"),
        sa.PrimaryKeyConstraint("sales_order_id", "line_no", name="pk_sales_order_line"),
        sqlite_with_rowid=False,
    )


def invoice() -> None:
    """Create ``invoice``."""
    op.create_table(
        "invoice",
        key("id"),
        text("number", null=False),
        moment("date", null=False),
        text("posting_state", null=False),
        big("party_link_id", null=False),
        big("own_org_link_id"),
        big("contract_link_id"),
        big("currency_link_id"),
        text("comment"),
        money("total", null=False),
        money("vat_total"),
        flag("vat_included"),
        big("commercial_party_link_id"),
        big("order_link_id"),
        day("due_on"),
        text("status"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
    )
    op.create_index("ix_invoice_date", "invoice", ["date"])
    op.create_index("ix_invoice_party_link_id", "invoice", ["party_link_id"])


def invoice_line() -> None:
    """Create ``invoice_line``."""
    op.create_table(
        "invoice_line",
        big("invoice_id", null=False),
        whole("line_no", null=False),
        big("product_link_id", null=False),
        big("variant_link_id"),
        big("unit_link_id"),
        qty("qty", null=False),
        money("price"),
        percent("discount_percent"),
        money("discount_amount"),
        big("vat_rate_link_id"),
        money("vat_amount"),
        money("amount", null=False),
        big("warehouse_link_id"),
        text("line_key"),
        sa.PrimaryKeyConstraint("invoice_id", "line_no", name="pk_invoice_line"),
        sqlite_with_rowid=False,
    )


def shipment() -> None:
    """Create ``shipment``."""
    op.create_table(
        "shipment",
        key("id"),
        text("number", null=False),
        moment("date", null=False),
        text("posting_state", null=False),
        big("party_link_id", null=False),
        big("own_org_link_id"),
        big("contract_link_id"),
        big("currency_link_id"),
        text("comment"),
        money("total", null=False),
        money("vat_total"),
        flag("vat_included"),
        big("commercial_party_link_id"),
        big("order_link_id"),
        big("warehouse_link_id"),
        text("kind"),
        text("source_status"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_shipment"),
    )
    op.create_index("ix_shipment_date", "shipment", ["date"])
    op.create_index("ix_shipment_party_link_id", "shipment", ["party_link_id"])


def shipment_line() -> None:
    """Create ``shipment_line``."""
    op.create_table(
        "shipment_line",
        big("shipment_id", null=False),
        whole("line_no", null=False),
        big("product_link_id", null=False),
        big("variant_link_id"),
        big("unit_link_id"),
        qty("qty", null=False),
        money("price"),
        percent("discount_percent"),
        money("discount_amount"),
        big("vat_rate_link_id"),
        money("vat_amount"),
        money("amount", null=False),
        big("warehouse_link_id"),
        text("line_key"),
        sa.PrimaryKeyConstraint("shipment_id", "line_no", name="pk_shipment_line"),
        sqlite_with_rowid=False,
    )


def payment() -> None:
    """Create ``payment``."""
    op.create_table(
        "payment",
        key("id"),
        text("number", null=False),
        moment("date", null=False),
        text("posting_state", null=False),
        big("party_link_id", null=False),
        big("own_org_link_id"),
        big("contract_link_id"),
        big("currency_link_id"),
        text("comment"),
        money("total", null=False),
        text("direction", null=False),
        text("kind"),
        text("purpose"),
        text("bank_ref"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
    )
    op.create_index("ix_payment_date", "payment", ["date"])
    op.create_index("ix_payment_party_link_id", "payment", ["party_link_id"])


def payment_allocation() -> None:
    """Create ``payment_allocation``."""
    op.create_table(
        "payment_allocation",
        big("payment_id", null=False),
        whole("line_no", null=False),
        big("order_link_id"),
        big("invoice_link_id"),
        big("shipment_link_id"),
        money("amount", null=False),
        sa.PrimaryKeyConstraint("payment_id", "line_no", name="pk_payment_allocation"),
        sqlite_with_rowid=False,
    )


def settlement_balance() -> None:
    """Create ``settlement_balance``."""
    op.create_table(
        "settlement_balance",
        key("id"),
        big("party_link_id", null=False),
        big("contract_link_id"),
        big("own_org_link_id"),
        big("currency_link_id"),
        money("debit"),
        money("credit"),
        money("overdue"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_settlement_balance"),
    )
    op.create_index("ix_settlement_balance_party_link_id", "settlement_balance", ["party_link_id"])


def create() -> None:
    """Create the tables of this module."""
    sales_order()
    sales_order_line()
    invoice()
    invoice_line()
    shipment()
    shipment_line()
    payment()
    payment_allocation()
    settlement_balance()
