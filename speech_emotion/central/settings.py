"""The network's folder: what `setup` makes and everything else reads. Settings beside keys and passwords.

network.json     broker's address and port, the devices' places, what is kept and for how long
ca.pem           what a device needs to know the broker by
passwords/       one file per user, to be typed into a device once
broker/          mosquitto's configuration, certificates, users, and what it keeps
history.sqlite
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from speech_emotion.errors import UserError
from speech_emotion.files import replacing

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""Of devices and places."""
SERVICE = "central"
READER = "homeassistant"
"""Users that are no devices: the service itself, and who reads its decisions."""


@dataclass
class Network:
    """The settings. places: device -> place; titles: place -> what people call it."""

    folder: Path
    host: str = "localhost"
    port: int = 8883
    places: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    keep_days: int = 90

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def history(self) -> Path:
        return self.folder / "history.sqlite"

    def password_file(self, user: str) -> Path:
        return self.folder / "passwords" / user

    def password(self, user: str) -> str:
        """A user's password. UserError where there is none."""
        try:
            return self.password_file(user).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UserError(
                f"{self.password_file(user)}: cannot be read ({error.strerror}); "
                f"python -m central setup --folder {self.folder}"
            ) from None

    def save(self) -> None:
        facts = {key: value for key, value in asdict(self).items() if key != "folder"}
        with replacing(self.folder / "network.json") as file:
            json.dump(facts, file, indent=2, ensure_ascii=False)
            file.write("\n")


def load(folder: Path) -> Network:
    """The settings of a folder. UserError where there are none or they are not settings."""
    path = Path(folder) / "network.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        network = Network(Path(folder), **facts)
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file; make the network with: python -m central setup --folder {folder}"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: cannot be read as settings ({error}); set it up anew") from None
    for device, place in network.places.items():
        check_name(device, "device")
        check_name(place, "place")
    return network


def check_name(name: str, what: str) -> str:
    """The name of a device or place. UserError where it cannot be a part of a topic."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in (SERVICE, READER):
        raise UserError(
            f"{what} {name!a}: a name is 1 to 32 of a-z, 0-9, _ and -, begins with a letter or digit, and is "
            f"not {SERVICE} or {READER}; choose another"
        )
    return name
