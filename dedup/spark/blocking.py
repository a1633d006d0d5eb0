"""Candidate pairs: the joins and caps of ``dedup.batch.blocking`` on Spark."""

from __future__ import annotations

from pyspark.sql import DataFrame

from dedup.batch.blocking import CONTACT, GLANCED, WEAK, sharing_sql
from dedup.facts import VETOES
from dedup.weights import KEY_KINDS, Weights

#: What the glanced vetoes read.
_READ = ("inn", "gender")


def pairs(found: DataFrame, contacts: DataFrame, table: Weights) -> DataFrame:
    """``a`` < ``b`` of all pairs of ``dedup.spark.records.records`` that share a key, each once."""
    weak = {kind for kind in WEAK if table.caps[kind]}
    strong = {kind for kind, cap in table.caps.items() if cap} - weak - set(CONTACT)
    vetoes = [VETOES[name] for name in GLANCED if name in table.vetoes]
    spark = found.sparkSession
    named = spark.sql(sharing_sql("{keys}", vetoes, _READ), keys=_capped(found, weak, table))
    keyed = spark.sql(sharing_sql("{keys}"), keys=_capped(found, strong, table).select("k", "row"))
    called = spark.sql(sharing_sql("{keys}"), keys=_reached(contacts, table))
    return named.union(keyed).union(called).distinct()


def _capped(found: DataFrame, kinds: set[str], table: Weights) -> DataFrame:
    """Keys of these kinds that at least two and no more records have than the cap of their kind."""
    caps = " ".join(f"WHEN {KEY_KINDS.index(kind)} THEN {table.caps[kind]}" for kind in sorted(kinds))
    return found.sparkSession.sql(
        f"SELECT k, row, {', '.join(_READ)} FROM"
        f" (SELECT tag, k, row, {', '.join(_READ)}, count(*) OVER (PARTITION BY k) AS n"
        "  FROM {found} LATERAL VIEW inline(keys) said AS tag, k)"
        f" WHERE n > 1 AND n <= CASE tag {caps or 'WHEN -1 THEN 0'} ELSE 0 END",
        found=found,
    )


def _reached(contacts: DataFrame, table: Weights) -> DataFrame:
    """Contacts as keys, within the caps of their kinds."""
    caps = " ".join(f"WHEN {what} THEN {table.caps[kind]}" for kind, what in CONTACT.items())
    return contacts.sparkSession.sql(
        f"SELECT number AS k, row FROM {{contacts}} WHERE records <= CASE what {caps} ELSE 0 END", contacts=contacts
    )
