"""Which assistant this installation has."""

from kiosk.assistant import Assistant
from kiosk.assistant.rules import RuleAssistant
from kiosk.settings import Settings


def of(settings: Settings) -> Assistant:
    """The one that the settings name; rules where they name none."""
    if settings.assistant_address is None:
        return RuleAssistant(settings.emergency_number)
    from kiosk.assistant.model import ModelAssistant

    key = settings.assistant_key
    return ModelAssistant(
        settings.assistant_address,
        settings.assistant_model,
        None if key is None else key.get_secret_value(),
        emergency=settings.emergency_number,
    )
