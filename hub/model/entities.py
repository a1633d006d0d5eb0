"""The canonical model: every entity, its fields and child tables, declared once.

The store builds its tables from this registry, the mapping compiler validates against it, the reports take their
labels from it. Names follow the party/role/document vocabulary of the reference model (``docs/model.md``).
"""

from __future__ import annotations

from hub.model.communications import ACTIVITY, LEAD, SUBSCRIPTION, TASK
from hub.model.entity import Child, Entity
from hub.model.fields import Field, Kind, enum, field, ref, text

__all__ = ["ENTITIES", "PARTY", "RECORD_STATES", "SALES_ORDER", "Child", "Entity"]


_ROLES = ("customer", "supplier", "competitor", "carrier", "employee", "own_company", "contact", "other")


def _document(*extra: Field) -> tuple[Field, ...]:
    """Fields that every trade document has, then its own."""
    return (
        text("number", "Номер", required=True),
        field("date", Kind.TIMESTAMP, "Дата", required=True),
        enum("posting_state", "Проведение", "draft", "posted", "unposted", "marked", required=True),
        ref("party", "Клиент", "party", required=True),
        ref("own_org", "Наша организация", "party"),
        ref("contract", "Договор", "contract"),
        ref("currency", "Валюта", "currency"),
        text("comment", "Комментарий", clearable=True),
        *extra,
    )


def _amounts() -> tuple[Field, ...]:
    return (
        field("total", Kind.MONEY, "Сумма", required=True),
        field("vat_total", Kind.MONEY, "Сумма НДС"),
        field("vat_included", Kind.BOOL, "Цена включает НДС"),
    )


def _line(*extra: Field) -> tuple[Field, ...]:
    """Fields of a line of goods; amounts are in the document's currency."""
    return (
        ref("product", "Номенклатура", "product", required=True),
        ref("variant", "Характеристика", "product_variant"),
        ref("unit", "Единица", "unit"),
        field("qty", Kind.QTY, "Количество", required=True),
        field("price", Kind.MONEY, "Цена"),
        field("discount_percent", Kind.PERCENT, "Скидка, %"),
        field("discount_amount", Kind.MONEY, "Сумма скидки"),
        ref("vat_rate", "Ставка НДС", "vat_rate"),
        field("vat_amount", Kind.MONEY, "Сумма НДС"),
        field("amount", Kind.MONEY, "Сумма", required=True),
        ref("warehouse", "Склад", "warehouse"),
        text("line_key", "Ключ строки"),
        *extra,
    )


CURRENCY = Entity(
    "currency",
    "Валюты",
    "Currencies",
    "catalogue",
    (text("code", "Цифровой код"), text("name", "Наименование", required=True), text("iso", "Буквенный код")),
)
VAT_RATE = Entity(
    "vat_rate",
    "Ставки НДС",
    "VAT rates",
    "catalogue",
    (text("name", "Наименование", required=True), field("percent", Kind.PERCENT, "Процент", clearable=True)),
)
UNIT = Entity(
    "unit",
    "Единицы измерения",
    "Units",
    "catalogue",
    (
        text("name", "Наименование", required=True),
        text("okei_code", "Код ОКЕИ"),
        text("full_name", "Полное наименование"),
        enum("kind", "Вид", "base", "pack"),
        field("factor_num", Kind.QTY, "Числитель"),
        field("factor_den", Kind.QTY, "Знаменатель"),
        ref("base_unit", "Базовая единица", "unit"),
    ),
)
WAREHOUSE = Entity(
    "warehouse",
    "Склады",
    "Warehouses",
    "catalogue",
    (
        text("name", "Наименование", required=True),
        enum("kind", "Вид", "wholesale", "retail", "other"),
        text("address", "Адрес"),
    ),
)
PRICE_LIST = Entity(
    "price_list",
    "Виды цен",
    "Price lists",
    "catalogue",
    (
        text("name", "Наименование", required=True),
        ref("currency", "Валюта", "currency"),
        field("vat_included", Kind.BOOL, "Цена включает НДС"),
    ),
)
PRODUCT = Entity(
    "product",
    "Номенклатура",
    "Products",
    "catalogue",
    (
        text("code", "Код"),
        text("sku", "Артикул"),
        text("name", "Наименование", required=True),
        text("full_name", "Полное наименование"),
        enum("type", "Тип", "good", "service", "kit", "work", "other"),
        ref("base_unit", "Единица хранения", "unit"),
        ref("vat_rate", "Ставка НДС", "vat_rate"),
        text("description", "Описание", clearable=True),
        field("weight", Kind.QTY, "Вес"),
        text("barcode", "Штрихкод"),
    ),
)
PRODUCT_VARIANT = Entity(
    "product_variant",
    "Характеристики",
    "Product variants",
    "catalogue",
    (
        text("name", "Наименование", required=True),
        text("full_name", "Полное наименование"),
        ref("product", "Номенклатура", "product"),
    ),
)
PRICE = Entity(
    "price",
    "Цены",
    "Prices",
    "catalogue",
    (
        ref("product", "Номенклатура", "product", required=True),
        ref("variant", "Характеристика", "product_variant"),
        ref("price_list", "Вид цены", "price_list"),
        ref("unit", "Упаковка", "unit"),
        ref("currency", "Валюта", "currency"),
        field("price", Kind.MONEY, "Цена", required=True),
        field("valid_from", Kind.TIMESTAMP, "Действует с"),
    ),
)
STOCK_BALANCE = Entity(
    "stock_balance",
    "Остатки",
    "Stock balances",
    "stock",
    (
        ref("product", "Номенклатура", "product", required=True),
        ref("variant", "Характеристика", "product_variant"),
        ref("warehouse", "Склад", "warehouse", required=True),
        field("on_hand", Kind.QTY, "В наличии", required=True),
        field("reserved", Kind.QTY, "В резерве"),
        field("available", Kind.QTY, "Доступно"),
    ),
)
PARTY = Entity(
    "party",
    "Клиенты",
    "Clients",
    "clients",
    (
        enum("kind", "Вид", "organization", "person", "sole_proprietor", "branch", "group", required=True),
        Field("display_name", Kind.TEXT, "Наименование", required=True, personal=True),
        Field("legal_name", Kind.TEXT, "Полное наименование", personal=True),
        text("trade_name", "Торговое название"),
        field("is_legal_entity", Kind.BOOL, "Контрагент"),
        ref("commercial_party", "Партнёр", "party"),
        ref("head_party", "Головной контрагент", "party"),
        enum("status", "Состояние", "prospect", "active", "inactive", "blocked", "former"),
        text("segment", "Сегмент"),
        ref("owner", "Ответственный менеджер", "party"),
        text("country", "Страна регистрации"),
        text("comment", "Дополнительная информация", clearable=True),
        field("registered_on", Kind.DATE, "Дата регистрации"),
        field("mailing_consent", Kind.BOOL, "Согласие на рассылку"),
    ),
    (
        Child(
            "party_identifier",
            "Идентификаторы",
            (
                enum("scheme", "Вид", "inn", "kpp", "ogrn", "ogrnip", "okpo", "snils", "tax_id", "code", required=True),
                Field("value", Kind.TEXT, "Значение", required=True, personal=True, spelling=True),
                Field("value_norm", Kind.TEXT, "Нормализованное", required=True, personal=True),
                Field("is_valid", Kind.BOOL, "Контрольные цифры верны", spelling=True),
            ),
            key=("scheme", "value_norm"),
        ),
        Child(
            "contact_point",
            "Контакты",
            (
                enum("system", "Вид", "phone", "email", "messenger", "url", "fax", "other", required=True),
                text("use", "Назначение"),
                Field("value_raw", Kind.TEXT, "Как записано", required=True, personal=True, spelling=True),
                Field("value_norm", Kind.TEXT, "Нормализованное", required=True, personal=True),
                Field("ext", Kind.TEXT, "Добавочный", personal=True),
                Field("is_valid", Kind.BOOL, "Верно", spelling=True),
            ),
            key=("system", "value_norm", "ext"),
        ),
        Child(
            "address",
            "Адреса",
            (
                text("use", "Назначение"),
                Field("text", Kind.TEXT, "Адрес", required=True, personal=True),
                Field("country", Kind.TEXT, "Страна", spelling=True),
                Field("region", Kind.TEXT, "Регион", spelling=True),
                Field("city", Kind.TEXT, "Город", spelling=True),
                Field("street", Kind.TEXT, "Улица", personal=True, spelling=True),
                Field("house", Kind.TEXT, "Дом", personal=True, spelling=True),
                Field("postal_code", Kind.TEXT, "Индекс", spelling=True),
                Field("fias_id", Kind.TEXT, "Код ФИАС", spelling=True),
            ),
            key=("use", "text"),
        ),
        Child(
            "person_detail",
            "Человек",
            (
                Field("last_name", Kind.TEXT, "Фамилия", personal=True),
                Field("first_name", Kind.TEXT, "Имя", personal=True),
                Field("middle_name", Kind.TEXT, "Отчество", personal=True),
                Field("birth_date", Kind.DATE, "Дата рождения", personal=True),
                enum("gender", "Пол", "male", "female"),
                text("position", "Должность"),
            ),
        ),
        Child(
            "party_role",
            "Роли",
            (enum("role", "Роль", *_ROLES, required=True),),
            key=("role",),
        ),
        Child(
            "party_relationship",
            "Связи",
            (
                enum(
                    "type",
                    "Связь",
                    "contact_of",
                    "legal_entity_of",
                    "branch_of",
                    "subsidiary_of",
                    "employed_by",
                    required=True,
                ),
                ref("to_party", "С кем", "party", required=False),
                text("position", "Должность"),
            ),
            key=("type", "to_party"),
        ),
    ),
)
CONTRACT = Entity(
    "contract",
    "Договоры",
    "Contracts",
    "clients",
    (
        text("number", "Номер"),
        text("name", "Наименование", required=True),
        field("date", Kind.DATE, "Дата"),
        ref("party", "Контрагент", "party", required=True),
        ref("own_org", "Наша организация", "party"),
        enum("type", "Вид", "sale", "purchase", "commission", "other"),
        ref("currency", "Валюта", "currency"),
        field("amount", Kind.MONEY, "Сумма"),
        field("valid_from", Kind.DATE, "Действует с", clearable=True),
        field("valid_thru", Kind.DATE, "Действует по", clearable=True),
        enum("status", "Состояние", "draft", "active", "suspended", "expired", "terminated"),
        field("credit_limit", Kind.MONEY, "Лимит задолженности"),
    ),
)
SALES_ORDER = Entity(
    "sales_order",
    "Заказы",
    "Sales orders",
    "sales",
    _document(
        *_amounts(),
        ref("commercial_party", "Партнёр", "party"),
        ref("warehouse", "Склад", "warehouse"),
        ref("manager", "Менеджер", "party"),
        text("source_status", "Статус в источнике"),
        enum(
            "business_status",
            "Состояние",
            "draft",
            "confirmed",
            "in_work",
            "partly_shipped",
            "shipped",
            "closed",
            "cancelled",
        ),
        field("requested_on", Kind.TIMESTAMP, "Дата отгрузки", clearable=True),
        Field("delivery_address", Kind.TEXT, "Адрес доставки", clearable=True, personal=True),
        text("client_number", "Номер по данным клиента", clearable=True),
    ),
    (Child("sales_order_line", "Строки", _line(field("cancelled", Kind.BOOL, "Отменено")), lines=True),),
    dated_by="date",
    total="total",
)
INVOICE = Entity(
    "invoice",
    "Счета на оплату",
    "Invoices",
    "sales",
    _document(
        *_amounts(),
        ref("commercial_party", "Партнёр", "party"),
        ref("order", "Заказ", "sales_order"),
        field("due_on", Kind.DATE, "Оплатить до", clearable=True),
        enum("status", "Состояние", "issued", "partly_paid", "paid", "overdue", "cancelled"),
    ),
    (Child("invoice_line", "Строки", _line(), lines=True),),
    dated_by="date",
    total="total",
)
SHIPMENT = Entity(
    "shipment",
    "Отгрузки",
    "Shipments",
    "sales",
    _document(
        *_amounts(),
        ref("commercial_party", "Партнёр", "party"),
        ref("order", "Заказ", "sales_order"),
        ref("warehouse", "Склад", "warehouse"),
        enum("kind", "Вид", "goods", "act", "upd"),
        text("source_status", "Статус в источнике"),
    ),
    (Child("shipment_line", "Строки", _line(), lines=True),),
    dated_by="date",
    total="total",
)
PAYMENT = Entity(
    "payment",
    "Платежи",
    "Payments",
    "sales",
    _document(
        field("total", Kind.MONEY, "Сумма", required=True),
        enum("direction", "Направление", "in", "out", required=True),
        enum("kind", "Вид", "bank", "cash", "acquiring", "offset"),
        Field("purpose", Kind.TEXT, "Назначение платежа", clearable=True, personal=True),
        text("bank_ref", "Номер банка"),
    ),
    (
        Child(
            "payment_allocation",
            "Расшифровка",
            (
                ref("order", "Заказ", "sales_order"),
                ref("invoice", "Счёт", "invoice"),
                ref("shipment", "Отгрузка", "shipment"),
                field("amount", Kind.MONEY, "Сумма", required=True),
            ),
            lines=True,
        ),
    ),
    dated_by="date",
    total="total",
)
SETTLEMENT_BALANCE = Entity(
    "settlement_balance",
    "Взаиморасчёты",
    "Settlement balances",
    "sales",
    (
        ref("party", "Клиент", "party", required=True),
        ref("contract", "Договор", "contract"),
        ref("own_org", "Наша организация", "party"),
        ref("currency", "Валюта", "currency"),
        field("debit", Kind.MONEY, "Долг клиента"),
        field("credit", Kind.MONEY, "Наш долг"),
        field("overdue", Kind.MONEY, "Просрочено"),
    ),
)

#: Every entity by name, in an order in which a referenced entity comes first where there is no cycle.
ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        CURRENCY,
        VAT_RATE,
        UNIT,
        WAREHOUSE,
        PRICE_LIST,
        PRODUCT,
        PRODUCT_VARIANT,
        PRICE,
        STOCK_BALANCE,
        PARTY,
        CONTRACT,
        SALES_ORDER,
        INVOICE,
        SHIPMENT,
        PAYMENT,
        SETTLEMENT_BALANCE,
        ACTIVITY,
        LEAD,
        SUBSCRIPTION,
        TASK,
    )
}

#: Life states of a canonical record (field ``record_state`` of every root table).
RECORD_STATES = ("active", "marked", "absent", "archived", "deleted", "merged")
