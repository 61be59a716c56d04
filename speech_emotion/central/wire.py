"""The service's connection to the broker. Messages are acknowledged by hand, once what came of them is kept:
what a killed service had not kept, the broker sends again.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from speech_emotion.central.settings import SERVICE, Network
from speech_emotion.errors import UserError

SUBSCRIPTIONS = ("emotion/+/+",)
DROPPED = "$SYS/broker/publish/messages/dropped"
SESSION_SECONDS = 7 * 24 * 3600
"""The broker keeps what arrives for a service that is away for so long."""
INFLIGHT = 5000
"""So much may wait for the disk."""
BATCH = 200


class Arrived(NamedTuple):
    """arrival: ms of time.monotonic. handle: what acknowledges it."""

    topic: str
    payload: bytes
    arrival: float
    handle: tuple[int, int]


def paho() -> Any:
    """The MQTT library. UserError where it is not installed."""
    try:
        import paho.mqtt.client as client
    except ImportError:
        raise UserError("paho-mqtt: not installed; pip install 'speech-emotion[network]'") from None
    return client


class Wire:
    """wake: called, from another thread, when something has arrived. online: whether the broker is there."""

    def __init__(self, network: Network, wake: Callable[[], None]):
        mqtt = paho()
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        self.online, self.dropped, self.connections = False, 0, 0
        self.trouble: str | None = "not connected yet"
        self._arrived: deque[Arrived] = deque()
        self._wake, self._lock = wake, threading.Lock()
        self._session = Properties(PacketTypes.CONNECT)
        self._session.SessionExpiryInterval = SESSION_SECONDS
        self._session.ReceiveMaximum = INFLIGHT
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=SERVICE,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        self._client.username_pw_set(SERVICE, network.password(SERVICE))
        self._client.tls_set(ca_certs=str(network.ca))
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.max_inflight_messages_set(INFLIGHT)
        self._client.max_queued_messages_set(10 * INFLIGHT)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._address = network.host, network.port

    def start(self) -> None:
        """Connect, and go on trying; returns at once."""
        self._client.connect_async(
            *self._address, keepalive=20, clean_start=False, properties=self._session
        )
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def take(self) -> list[Arrived]:
        """What has arrived since; of very much the first part, so that others are not kept waiting for it."""
        taken = [self._arrived.popleft() for _ in range(min(len(self._arrived), BATCH))]
        if self._arrived:
            self._wake()
        return taken

    def acknowledge(self, handles: list[tuple[int, int]]) -> None:
        """The broker may forget these. Those of a connection that is gone it sends again anyway."""
        for connection, mid in handles:
            if connection == self.connections and mid:
                self._client.ack(mid, 1)

    def publish(self, topic: str, message: dict[str, Any] | str, *, retain: bool = False) -> None:
        """At QoS 1; while the broker is away, nothing is kept for it: decisions are of the moment."""
        if self.online:
            text = message if isinstance(message, str) else json.dumps(message)
            self._client.publish(topic, text, qos=1, retain=retain)

    def _connected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self.trouble = f"the broker refused the service: {reason}"
            return
        self.connections += 1
        self.online, self.trouble = True, None
        client.subscribe([(topic, 1) for topic in SUBSCRIPTIONS] + [(DROPPED, 0)])
        self._wake()

    def _disconnected(self, client, userdata, flags, reason, properties):
        self.online, self.trouble = False, f"the broker is away ({reason})"
        self._wake()

    def _message(self, client, userdata, message):
        if message.topic == DROPPED:
            self.dropped = int(message.payload)
            client.ack(message.mid, message.qos)
            return
        handle = (self.connections, message.mid if message.qos else 0)
        self._arrived.append(
            Arrived(message.topic, message.payload, time.monotonic() * 1000, handle)
        )
        self._wake()
