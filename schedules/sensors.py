"""What the command exchanged appears in Dagster within a minute."""

# No postponed annotations here: Dagster reads that of the context as it stands.

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor

from hub.assets.journal import untold
from hub.assets.workplace import Workplace
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.texts import sentence

NAME = "command_exchanges"
INTERVAL = 30


def journal_sensor(settings: Settings, work: Workplace) -> SensorDefinition:
    """Copies ended exchanges of the command from the journal. Its cursor is a hint: telling twice does no harm."""
    lang = settings.locale

    @sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL,
        default_status=DefaultSensorStatus.RUNNING,
        description=sentence("dg_sensor", lang),
    )
    def command_exchanges(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        try:
            found = untold(work.hub, int(context.cursor or 0))
        except HubError as error:
            return SkipReason(f"{error.sentence(lang)} {error.advice(lang)}".strip())
        if not found.events:
            return SensorResult(skip_reason=sentence("dg_sensor_idle", lang), cursor=str(found.position))
        # Without a reason of ours Dagster would say of a tick that starts no run that it was empty.
        told = sentence("dg_sensor_told", lang, number=len(found.events))
        return SensorResult(asset_events=list(found.events), skip_reason=told, cursor=str(found.position))

    return command_exchanges
