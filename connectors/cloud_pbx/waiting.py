"""Reports that take time to be made: asked for again until they are there, within the patience of the settings."""

from __future__ import annotations

from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.onec_odata.answers import Answer
from hub.model.errors import RetryLater

_FIRST, _LONGEST = 1.0, 15.0


def until_ready(client: Client, ask: Ask) -> Answer:
    """The answer with something in it; 204 (and 202) means not yet. ``RetryLater(cloud_not_ready)``."""
    waited, pause = 0.0, _FIRST
    while True:
        answer = client.ask(ask)
        if answer.status not in {202, 204}:
            return answer
        if waited + pause > client.settings.ready_seconds:
            seconds = round(client.settings.ready_seconds)
            raise RetryLater("cloud_not_ready", system=client.settings.title, seconds=seconds)
        client.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST)
