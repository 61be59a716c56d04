"""Home Assistant finds a device by itself: one retained message per entity (MQTT discovery).

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: homeassistant/<component>/<object>/config
"""

from typing import Any

from speech_emotion import names

PREFIX = "homeassistant"
EXPIRE_SECONDS = 600
"""An emotion that nobody has heard for so long is unknown."""


def configs(
    device: str, place: str, title: str, labels: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Topic -> configuration: the place's emotion and how sure, and a sensor for each emotion.

    The emotion is the place's, decided from all that is there; available while this device is online.
    """
    common = {
        "state_topic": f"decision/{place}",
        "availability": [{"topic": f"emotion/{device}/status"}],  # online, offline: the defaults
        "expire_after": EXPIRE_SECONDS,
        "device": {
            "identifiers": [f"speech_emotion_{device}"],
            "name": f"{title} ({device})" if title != device else device,
            "manufacturer": "Speech emotion",
            "model": "Speech emotion sensor",
            "suggested_area": title,
        },
    }
    entities = {
        "emotion": {
            "name": "Emotion", "icon": "mdi:account-voice",
            "value_template": "{{ 'uncertain' if value_json.uncertain else value_json.emotion }}",
            "json_attributes_topic": f"decision/{place}",
        },
        "confidence": _percent("Confidence", "value_json.confidence"),
    }  # fmt: skip
    shown = [
        _percent(label.capitalize(), f"value_json.p.get({names.jinja(label)}, 0)")
        for label in labels
    ]
    # a label may be of any script, or be called "emotion"; a topic and an identifier may not
    identifiers = names.c_identifiers([*entities, *labels])
    result = {}
    for identifier, config in zip(identifiers, [*entities.values(), *shown], strict=True):
        unique = f"speech_emotion_{device}_{identifier.lower()}"
        result[f"{PREFIX}/sensor/{unique}/config"] = {
            **common, **config, "unique_id": unique, "object_id": unique,
        }  # fmt: skip
    return result


def _percent(name, value):
    return {
        "name": name, "unit_of_measurement": "%", "state_class": "measurement",
        "suggested_display_precision": 0, "value_template": f"{{{{ ({value} * 100) | round(1) }}}}",
    }  # fmt: skip
