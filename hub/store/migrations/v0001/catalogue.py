"""Catalogues and stock, as the first migration made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, flag, key, moment, money, percent, qty, text, whole


def currency() -> None:
    """Create ``currency``."""
    op.create_table(
        "currency",
        key("id"),
        text("code"),
        text("name", null=False),
        text("iso"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_currency"),
    )


def vat_rate() -> None:
    """Create ``vat_rate``."""
    op.create_table(
        "vat_rate",
        key("id"),
        text("name", null=False),
        percent("percent"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_vat_rate"),
    )


def unit() -> None:
    """Create ``unit``."""
    op.create_table(
        "unit",
        key("id"),
        text("name", null=False),
        text("okei_code"),
        text("full_name"),
        text("kind"),
        qty("factor_num"),
        qty("factor_den"),
        big("base_unit_link_id"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
    )


def warehouse() -> None:
    """Create ``warehouse``."""
    op.create_table(
        "warehouse",
        key("id"),
        text("name", null=False),
        text("kind"),
        text("address"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_warehouse"),
    )


def price_list() -> None:
    """Create ``price_list``."""
    op.create_table(
        "price_list",
        key("id"),
        text("name", null=False),
        big("currency_link_id"),
        flag("vat_included"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_price_list"),
    )


def product() -> None:
    """Create ``product``."""
    op.create_table(
        "product",
        key("id"),
        text("code"),
        text("sku"),
        text("name", null=False),
        text("full_name"),
        text("type"),
        big("base_unit_link_id"),
        big("vat_rate_link_id"),
        text("description"),
        qty("weight"),
        text("barcode"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
    )
    op.create_index("ix_product_sku", "product", ["sku"])


def product_variant() -> None:
    """Create ``product_variant``."""
    op.create_table(
        "product_variant",
        key("id"),
        text("name", null=False),
        text("full_name"),
        big("product_link_id"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_product_variant"),
    )


def price() -> None:
    """Create ``price``."""
    op.create_table(
        "price",
        key("id"),
        big("product_link_id", null=False),
        big("variant_link_id"),
        big("price_list_link_id"),
        big("unit_link_id"),
        big("currency_link_id"),
        money("price", null=False),
        moment("valid_from"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_price"),
    )
    op.create_index("ix_price_product_link_id", "price", ["product_link_id"])


def stock_balance() -> None:
    """Create ``stock_balance``."""
    op.create_table(
        "stock_balance",
        key("id"),
        big("product_link_id", null=False),
        big("variant_link_id"),
        big("warehouse_link_id", null=False),
        qty("on_hand", null=False),
        qty("reserved"),
        qty("available"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_balance"),
    )
    op.create_index("ix_stock_balance_product_link_id", "stock_balance", ["product_link_id"])


def create() -> None:
    """Create the tables of this module."""
    currency()
    vat_rate()
    unit()
    warehouse()
    price_list()
    product()
    product_variant()
    price()
    stock_balance()
