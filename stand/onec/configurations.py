"""The configurations a stand can be of: what each publishes, how it writes a business down, what its documents do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stand.onec import movements_bp, movements_unf, movements_ut
from stand.onec.generate.bp import retell as retell_bp
from stand.onec.generate.unf import retell as retell_unf
from stand.onec.model import BP_MODEL, MODEL, UNF_MODEL, Model
from stand.onec.movements import Posting
from stand.onec.world import World


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration.

    ``postings``: document set → what posting it does. ``retell``: writes the business of a УТ base down as this
    configuration would, ``None`` for УТ itself. ``exchanged``: document set → registers that the exchange plan has with
    it. ``stamped``: set → the field that says when a record was changed last. ``publication``: the name under which
    such a base is published unless told otherwise. ``version``: what it says its own version is; made up.
    """

    name: str
    title: str
    publication: str
    version: str
    model: Model
    postings: Mapping[str, Posting]
    retell: Callable[[World, World], None] | None = None
    exchanged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stamped: Mapping[str, str] = field(default_factory=dict)


UT = Configuration(
    "ut",
    "Управление торговлей",
    "trade",
    "11.5.22.1",
    MODEL,
    movements_ut.POSTINGS,
    exchanged={movements_ut.ORDER: (movements_ut.ORDERS,), movements_ut.SHIPMENT: (movements_ut.ORDERS,)},
)
UNF = Configuration(
    "unf",
    "Управление нашей фирмой",
    "unf",
    "3.0.12.1",
    UNF_MODEL,
    movements_unf.POSTINGS,
    retell_unf,
    stamped={"Catalog_Номенклатура": "ДатаИзменения", "Document_ЗаказПокупателя": "ДатаИзменения"},
)
BP = Configuration("bp", "Бухгалтерия предприятия", "bp", "3.0.180.1", BP_MODEL, movements_bp.POSTINGS, retell_bp)

CONFIGURATIONS = {item.name: item for item in (UT, UNF, BP)}
