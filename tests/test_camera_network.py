"""A camera beside a microphone, with a real broker and the service: one decision of both, shown as such."""

import json

import network_harness as harness
import numpy as np
import pytest
from network_harness import Net, about, connect, sentence, wait
from test_face import LABELS, made_up

from speech_emotion.camera.publishing import Publisher
from speech_emotion.camera.watching import Sight
from speech_emotion.central.settings import READER
from speech_emotion.errors import UserError
from speech_emotion.face import model_file

harness.need_broker()


@pytest.fixture
def net(tmp_path):
    made = Net(tmp_path / "network", {"mic": "kitchen", "cam": "kitchen"})
    yield made
    made.close()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "face.joblib"
    model_file.save(made_up(), path, labels=LABELS, threshold=0.0, about="", scores={})
    return model_file.load(path)


def test_a_face_and_a_voice_of_a_place_become_one_decision_on_the_page(net, model):
    net.start_broker()
    net.start_service()
    reader = connect(net.network, READER)
    reader.subscribe("decision/#", qos=1)
    mic = net.client("mic")
    mic.publish("emotion/mic/about", about(labels=tuple(LABELS)), qos=1)
    camera = Publisher(net.network, "cam", model)
    wait(lambda: (net.device("cam") or {}).get("online"), "the camera to be online")
    row = np.array([0.1, 0.8, 0.1], np.float32)
    camera.publish(Sight(0.0, 2.0, 1, "middle", 100.0, row, ""))
    mic.publish("emotion/mic/voice", sentence(1, shares=(2000, 5000, 3000)), qos=1)

    def both():
        found = [json.loads(payload) for _, payload in reader.got]
        return [each for each in found if "channels" in each]

    wait(both, "a decision of both")
    decision = both()[-1]
    assert decision["emotion"] == "happy" and decision["place"] == "kitchen"
    assert decision["channels"]["voice"] == {"emotion": "happy", "confidence": 0.5}
    assert decision["channels"]["face"] == {"emotion": "happy", "confidence": 0.8}
    camera.close()
    harness.hang_up(reader)
    wait(lambda: net.device("cam")["online"] is False, "the camera to be away")


def test_a_broker_that_is_away_delays_sights_and_the_oldest_go(net, model):
    camera = Publisher(net.network, "cam", model)
    for _ in range(70):
        camera.publish(Sight(0.0, 2.0, 0, "", 0.0, None, "no face"))
    assert camera.dropped == 6
    camera.close()


def test_a_device_that_was_not_let_in_is_told_so(net, model):
    with pytest.raises(UserError, match="passwords"):
        Publisher(net.network, "stranger", model)
