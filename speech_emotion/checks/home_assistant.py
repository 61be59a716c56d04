"""A real Home Assistant, to be asked what it shows. Run by the Python it is installed in, which is not ours:
the two want different versions of paho-mqtt. So it imports nothing of this package.

    python home_assistant.py '{"folder": .., "host": .., "port": .., "user": .., "password": .., "ca": ..}'

It starts Home Assistant in the folder with one integration, MQTT, as its setup by hand would leave it, says
"ready", and answers each line on its input with a line of JSON: {"states": {entity: [state, name]},
"devices": [[name, area]]}. It ends with its input.
"""

import asyncio
import json
import sys
from pathlib import Path

from homeassistant import bootstrap, runner
from homeassistant.helpers import device_registry


def prepare(facts: dict) -> None:
    """The configuration, and the integration's entry as its dialogue writes it."""
    storage = Path(facts["folder"]) / ".storage"
    storage.mkdir(parents=True)
    (storage.parent / "configuration.yaml").write_text("homeassistant:\n  name: Test\n")
    entry = {
        "entry_id": "1", "version": 1, "minor_version": 1, "domain": "mqtt", "title": "broker",
        "data": {
            "broker": facts["host"], "port": facts["port"], "username": facts["user"],
            "password": facts["password"], "certificate": Path(facts["ca"]).read_text(),
            "discovery": True, "discovery_prefix": "homeassistant",
        },
        "options": {}, "pref_disable_new_entities": False, "pref_disable_polling": False,
        "source": "user", "unique_id": None, "disabled_by": None,
    }  # fmt: skip
    text = {
        "version": 1,
        "minor_version": 1,
        "key": "core.config_entries",
        "data": {"entries": [entry]},
    }
    (storage / "core.config_entries").write_text(json.dumps(text))


async def run(folder: str) -> None:
    config = runner.RuntimeConfig(config_dir=folder, skip_pip=True)
    home = await bootstrap.async_setup_hass(config)
    if home is None or "mqtt" not in home.config.components:
        sys.exit("Home Assistant did not start its MQTT integration; what is missing is said above")
    await home.async_start()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    print("ready", flush=True)
    while await lines.readline():
        states = {
            state.entity_id: [state.state, state.name] for state in home.states.async_all("sensor")
        }
        devices = [
            [device.name, device.suggested_area]
            for device in device_registry.async_get(home).devices.values()
        ]
        print(json.dumps({"states": states, "devices": devices}), flush=True)
    await home.async_stop()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    prepare(given)
    asyncio.run(run(given["folder"]))
