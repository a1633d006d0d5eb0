"""A person's word on whose a letter, a call or a meeting is, as an op; what Dagster keeps of it are numbers."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterator
from typing import Any

from dagster import Enum, EnumValue, Field, OpDefinition, OpExecutionContext, Out, Output, op

from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.exchange.comms import hand
from hub.exchange.comms.hand import Said
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.texts import sentence

_WHO = "dagster"


def whose_op(settings: Settings, work: Workplace) -> OpDefinition:
    """The same act as ``obmen activity link|ignore|release``; ``client`` is told for ``link`` alone."""
    lang = settings.locale
    words = Enum("Word", [EnumValue("link"), EnumValue("ignore"), EnumValue("release")])

    @op(
        name="say_whose",
        description=sentence("dg_op_whose", lang),
        config_schema={"activity": str, "word": words, "client": Field(str, default_value="", is_required=False)},
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def say_whose(context: OpExecutionContext) -> Iterator[Any]:
        asked, run = context.op_config, context.run.run_id
        try:
            if asked["word"] == "link":
                said = hand.link(work.hub, asked["activity"], asked["client"], by=_WHO, dagster_run_id=run)
            else:
                act = hand.ignore if asked["word"] == "ignore" else hand.release
                said = act(work.hub, asked["activity"], by=_WHO, dagster_run_id=run)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=_told(said, lang))

    return say_whose


def _told(said: Said, lang: str) -> dict[str, Any]:
    before, after = (f"{sentence(f'comms_state_{state}', lang)} ({rule})" for state, rule in (said.before, said.after))
    return {
        sentence("dg_whose_activity", lang): f"activity № {said.activity_id}",
        sentence("dg_whose_client", lang): f"party № {said.party_id}" if said.party_id else "—",
        sentence("dg_pin_before", lang): before,
        sentence("dg_pin_after", lang): after,
        sentence("dg_why_run", lang): said.run_id,
    }
