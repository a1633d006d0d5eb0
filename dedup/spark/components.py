"""What hangs together by pairs, however long the chains: labels that sink to the least id, in rounds of joins.

Each round a record takes the least label of its neighbours, and then the label of the record that its label names; so
chains shorten as they are walked, and a hundred million records take about as many rounds as a thousand.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

_ARCS = "SELECT a AS row, b AS near FROM {pairs} UNION ALL SELECT b AS row, a AS near FROM {pairs}"
_FIRST = "SELECT row, least(row, min(near)) AS component FROM {arcs} GROUP BY row"
_SUNK = """
SELECT own.row, least(own.component, lower.component) AS component, own.component AS before FROM {labels} own
JOIN (SELECT arc.row, min(label.component) AS component FROM {arcs} arc JOIN {labels} label ON label.row = arc.near
      GROUP BY arc.row) lower ON lower.row = own.row"""
_JUMPED = """
SELECT one.row, other.component, one.before FROM {sunk} one JOIN {sunk} other ON other.row = one.component"""


def components(pairs: DataFrame) -> DataFrame:
    """``row`` and ``component``, the least row that it hangs together with, for all rows of pairs ``a`` and ``b``.

    Rounds are kept on the executors (``localCheckpoint``): a machine that is lost on the way fails the run.
    """
    spark = pairs.sparkSession
    arcs = spark.sql(_ARCS, pairs=pairs).localCheckpoint()
    labels = spark.sql(_FIRST, arcs=arcs).localCheckpoint()
    while True:
        sunk = spark.sql(_SUNK, arcs=arcs, labels=labels)
        jumped = spark.sql(_JUMPED, sunk=sunk).localCheckpoint()
        labels = jumped.select("row", "component")
        if jumped.where("component <> before").isEmpty():
            return labels
