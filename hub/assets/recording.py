"""Fetching the recording of a call, as an op: the same service as ``obmen recording``."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterator
from typing import Any

from dagster import Field, OpDefinition, OpExecutionContext, Out, Output, op

from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.exchange.recordings import fetch_recording, in_home
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.texts import sentence


def recording_op(settings: Settings, work: Workplace) -> OpDefinition:
    """``get_recording``: the file lands in the folder ``recordings`` of the installation; who says who asked."""
    lang = settings.locale

    @op(
        name="get_recording",
        description=sentence("dg_op_recording", lang),
        config_schema={
            "id": Field(str, description=sentence("dg_recording_id", lang)),
            "file": Field(str, description=sentence("dg_recording_file", lang)),
            "part": Field(int, default_value=1, is_required=False, description=sentence("cli_opt_part", lang)),
            "by": Field(str, default_value="dagster", is_required=False, description=sentence("dg_act_by", lang)),
        },
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def fetch(context: OpExecutionContext) -> Iterator[Any]:
        asked, run = context.op_config, context.run.run_id
        try:
            path = in_home(work.hub, asked["file"])
            done = fetch_recording(work.hub, asked["id"], path, by=asked["by"], part=asked["part"], dagster_run_id=run)
        except HubError as error:
            raise_for(error, lang, 99)
        told: dict[str, Any] = {"dg_why_record": f"activity № {done.record_id}", "dg_recording_system": done.system}
        told |= {"dg_recording_size": done.size, "dg_why_run": done.run_id}
        yield Output(None, metadata={sentence(label, lang): value for label, value in told.items()})

    return fetch
