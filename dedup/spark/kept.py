"""Frames that are read more than once: computed once, and without their past.

Spark does not find a frame again that it was told to cache once the frame has gone through a query of names and
aliases, and computes it anew each time; and what it plans grows with all that came before.
"""

from __future__ import annotations

from pyspark.sql import DataFrame


def kept(frame: DataFrame) -> DataFrame:
    """The rows of ``frame``, computed now.

    They lie in the folder for checkpoints if the session has one (``spark.checkpoint.dir``): then a machine may be
    lost on the way. Else they lie with the executors, which is faster, and a machine that is lost fails the run.
    """
    if frame.sparkSession.sparkContext.getCheckpointDir():
        return frame.checkpoint()
    return frame.localCheckpoint()
