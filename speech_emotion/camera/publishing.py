"""Sights as messages of a device, like a sentence of a voice: probabilities, never a picture."""

import secrets
import time
from collections import deque

from speech_emotion import message
from speech_emotion.camera.watching import Sight
from speech_emotion.central import wire
from speech_emotion.central.settings import Network, check_name
from speech_emotion.face.model_file import FaceModel, features_number
from speech_emotion.message import About, Sentence
from speech_emotion.message.definition import U32, WHOLE

WAITING_MOST = 64
"""Sights that wait for the broker; then the oldest goes and is counted."""
_LEAVE_SECONDS = 3.0


class Messages:
    """Sights to messages, without a wire. clock: seconds of this device's uptime."""

    def __init__(self, model: FaceModel, clock=time.monotonic):
        self._model, self._clock, self._born = model, clock, clock()
        self._boot = secrets.randbelow(U32) + 1
        self._schema = int(features_number()[:8], 16)
        self._seq = 0

    def now(self) -> int:
        """ms of uptime, modulo 2^32."""
        return int((self._clock() - self._born) * 1000) & U32

    def about(self, dropped: int) -> bytes:
        threshold = round(self._model.threshold * WHOLE)
        return message.encode_about(
            About(
                self._boot,
                tuple(self._model.labels),
                threshold,
                dropped,
                self._model.number,
                self._schema,
                0,
            )
        )

    def sentence(self, sight: Sight) -> Sentence:
        """Of a sight that has just ended. Where no face was judged, `speech` is false: nothing to decide."""
        self._seq += 1
        end = self.now()
        length = round((sight.end - sight.begin) * 1000)
        even = [1 / len(self._model.labels)] * len(self._model.labels)
        row = even if sight.probabilities is None else sight.probabilities.tolist()
        return Sentence(
            self._boot, self._seq, (end - length) & U32, end, end, message.shares(row), 0,
            sight.probabilities is not None, self._model.number, self._schema,
        )  # fmt: skip


class Publisher:
    """Publishes under a device's name and password, which `python -m central device NAME` made."""

    def __init__(self, network: Network, device: str, model: FaceModel):
        mqtt = wire.paho()
        self._device = check_name(device, "device")
        self._messages = Messages(model)
        self._waiting: deque[Sentence] = deque()
        self.dropped = 0
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device)
        self._client.username_pw_set(device, network.password(device))
        self._client.tls_set(ca_certs=str(network.ca))
        self._client.will_set(f"emotion/{device}/status", "offline", qos=1, retain=True)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_connect = self._connected
        self._client.connect_async(network.host, network.port, keepalive=30)
        self._client.loop_start()

    def publish(self, sight: Sight) -> None:
        self._waiting.append(self._messages.sentence(sight))
        while len(self._waiting) > WAITING_MOST:
            self._waiting.popleft()
            self.dropped += 1
        while self._waiting and self._client.is_connected():
            sentence = self._waiting.popleft()
            sent = message.encode_sentence(_stamped(sentence, self._messages.now()))
            self._client.publish(f"emotion/{self._device}/face", sent, qos=1)

    def close(self) -> None:
        """Waits a moment for what is on its way."""
        if self._client.is_connected():
            leaving = self._client.publish(
                f"emotion/{self._device}/status", "offline", qos=1, retain=True
            )
            leaving.wait_for_publish(_LEAVE_SECONDS)
            self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            return
        name = f"emotion/{self._device}"
        client.publish(f"{name}/about", self._messages.about(self.dropped), qos=1, retain=True)
        client.publish(f"{name}/status", "online", qos=1, retain=True)


def _stamped(sentence, now):
    from dataclasses import replace

    return replace(sentence, now=now)
