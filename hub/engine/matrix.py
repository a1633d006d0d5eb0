"""Who is master of what as integrators of 1C and a CRM usually agree: the defaults that a site overrides.

Orders name the roles that systems have: ``accounting`` (Бухгалтерия), ``trade`` (УТ, УНФ), ``crm``, ``registry`` (what
comes from ЕГРЮЛ); ``rules_for`` puts the systems of an installation in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from hub.engine.cells import head
from hub.engine.policies import ORIGIN, ByValue, Policy, Rules, StateWord
from hub.model.entities import Entity

_TRADE = ("trade", "accounting", "crm")
_CRM = ("crm", "trade", "accounting")
#: A state register, where a system brings its records, is master of what it registers.
_LEGALLY = ("registry", "accounting", "trade", "crm")
_ROLES = frozenset({*_LEGALLY, "other"})
#: Statuses of an order from which on it belongs to the base that carries it out.
_HANDED_OVER = frozenset({"confirmed", "in_work", "partly_shipped", "shipped", "closed"})

#: 1C is master, and what others type there is put right.
BASE = Policy("master", _TRADE)
_LEGAL = Policy("master", _LEGALLY, on_loss="task", group="legal")
_SALES = Policy("master", _CRM)
#: Of comments, meetings and tasks the later word wins; where nobody can tell which it is, the CRM says what they are
#: about and the calendar when.
_ABOUT = Policy("latest", _CRM)
_WHEN = Policy("latest", ("other", *_CRM))
#: Everybody's reminders are his own.
_OWN = replace(_ABOUT, on_loss="keep")
#: An event is what its own systems saw of it; two of them that differ are left as they are.
_EVENT = Policy("master", _CRM, on_loss="keep")
_BY_STATUS = ByValue("business_status", _HANDED_OVER, _TRADE)
_ORDER = Policy("master", (ORIGIN, *_CRM), on_loss="task", group="composition", by=_BY_STATUS)
_SETS = ("contact_point", "address", "party_identifier", "party_role", "party_relationship")

#: By entity, then as ``Rules`` names them; ``BASE`` for everything else.
MATRIX: Mapping[str, Mapping[str, Policy]] = MappingProxyType(
    {
        "party": {
            **dict.fromkeys(("legal_name", "address[legal]"), _LEGAL),
            **{f"party_identifier[{scheme}]": _LEGAL for scheme in ("inn", "kpp", "ogrn", "ogrnip")},
            **dict.fromkeys(("trade_name", "owner", "segment", "status", "mailing_consent"), _SALES),
            "display_name": replace(_SALES, on_loss="keep"),  # a working name, each system may have its own
            "person_detail": replace(_SALES, group="person"),
            "comment": _ABOUT,
            **dict.fromkeys(_SETS, Policy("union", _TRADE)),
        },
        "sales_order": {
            **dict.fromkeys(("sales_order_line", "total", "vat_total", "vat_included", "currency"), _ORDER),
            "comment": _ABOUT,
        },
        "activity": {
            **dict.fromkeys(("subject", "body_text", "status", "privacy"), _ABOUT),
            "activity_participant": Policy("union", _TRADE, on_loss="keep"),
            **dict.fromkeys(("started_at", "ended_at"), replace(_WHEN, group="time")),
            **dict.fromkeys(("meeting_exception", "meeting_detail"), _WHEN),
            "activity_reminder": _OWN,
        },
        # Whether somebody is subscribed is told by the service that he comes to and leaves; we only ask it to.
        "subscription": {"status": Policy("master", ("other", *_CRM))},
        "task": {
            **dict.fromkeys(("title", "body", "status", "priority", "done_at"), _ABOUT),
            **dict.fromkeys(("start_at", "due_at"), _WHEN),
            "task_reminder": _OWN,
        },
    }
)
#: What holds for the other fields of an entity.
DEFAULTS: Mapping[str, Policy] = MappingProxyType({"activity": _EVENT})
#: What the end of a record in one system does to the others. Of clients and contracts a person decides; a letter that
#: left its folder was written all the same.
ENDS: Mapping[str, StateWord] = MappingProxyType({"party": "ask", "contract": "ask", "activity": "keep"})


def rules_for(
    entity: Entity,
    roles: Mapping[str, Sequence[str]],
    overrides: Mapping[str, Policy] | None = None,
    state: StateWord | None = None,
) -> Rules:
    """The policies of an entity, every field and child named. ``roles``: the systems of each role, the first wins.

    ``overrides``: by the names ``Rules`` knows; their orders may name systems as well as roles. A table that is told
    whole may lose rows and cells; a root field goes empty only where the model lets it.
    """
    clearable = {item.name: item.clearable for item in entity.fields} | {child.name: True for child in entity.children}
    named = {**dict.fromkeys(clearable, DEFAULTS.get(entity.name, BASE)), **MATRIX.get(entity.name, {})}
    policies = {name: replace(policy, clearable=clearable[head(name)]) for name, policy in named.items()}
    placed = {name: _placed(policy, roles) for name, policy in {**policies, **(overrides or {})}.items()}
    ends = state or ENDS.get(entity.name, "propagate")
    return Rules(placed, _placed(BASE, roles), ends, _systems(_TRADE, roles), _checks(entity))


def _checks(entity: Entity) -> dict[str, int]:
    """Where the rows of its sets tell whether they are right by themselves: check digits, a form."""
    told = ((child.name, at, item.name) for child in entity.children for at, item in enumerate(child.fields))
    return {name: at for name, at, column in told if column == "is_valid"}


def _systems(order: Sequence[str], roles: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    named = (system for name in order for system in roles.get(name, () if name in _ROLES else (name,)))
    return tuple(dict.fromkeys(named))


def _placed(policy: Policy, roles: Mapping[str, Sequence[str]]) -> Policy:
    by = policy.by and replace(policy.by, order=_systems(policy.by.order, roles))
    return replace(policy, order=_systems(policy.order, roles), by=by)
