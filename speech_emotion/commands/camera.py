"""A camera or videos to emotions of faces: a line per face and two seconds, or messages into a network.

Pictures are looked at and forgotten: none is stored, none leaves this computer; what leaves, with --network,
is a few probabilities. With --voice the sound of a video file is judged too, and both are fused.
"""

import argparse
import json
import time
from pathlib import Path

from speech_emotion import cli, names
from speech_emotion.camera import CAMERAS
from speech_emotion.errors import UserError

EXAMPLES = """examples:
  python -m camera /dev/video0 models/face.joblib
  python -m camera /dev/video0 models/face.joblib --network network --device cam-1
  python -m camera VIDEO.mp4 models/face.joblib --voice models/model.joblib
  python -m camera RAVDESS/*/*.mp4 models/face.joblib --voice models/model.joblib --tables out
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="a camera such as /dev/video0, or video files")
    add("model", type=Path, metavar="MODEL", help="of python -m face train")
    add("--rate", type=float, default=5.0, metavar="N", help="looks per second (default: 5)")
    add("--json", action="store_true", help="a JSON object per line")
    add(
        "--network",
        type=Path,
        metavar="DIR",
        help="publish the largest face: folder of central setup",
    )
    add("--device", default="camera", metavar="NAME", help="as which device (default: camera)")
    add("--voice", type=Path, metavar="MODEL", help="judge the sound of video files too, and fuse")
    add("--weights", type=Path, metavar="FILE", help="of python -m fusion fit")
    add("--tables", type=Path, metavar="DIR",
        help="write voice.csv and face.csv there, for python -m fusion")  # fmt: skip
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    check(arguments)
    from speech_emotion.face import model_file
    from speech_emotion.face.detecting import Detector

    model, detector = model_file.load(arguments.model), Detector()
    publisher = None
    if arguments.network:
        from speech_emotion.camera.publishing import Publisher
        from speech_emotion.central import settings

        publisher = Publisher(settings.load(arguments.network), arguments.device, model)
    clips, failed = [], 0
    try:
        for source in arguments.sources:
            try:
                clips.append(watch(source, model, detector, arguments, publisher))
            except UserError as error:
                failed += 1
                print(f"error: {names.terminal(str(error))}", flush=True)
    finally:
        if publisher:
            publisher.close()
    if arguments.voice and clips:
        from speech_emotion.camera import talking

        talking.report(clips, model, arguments)
    return 2 if failed else 0


def check(arguments):
    if not 0.2 <= arguments.rate <= 60:
        raise UserError(f"--rate {arguments.rate:g}: give 0.2 to 60 looks a second")
    live = [source for source in arguments.sources if source.startswith(CAMERAS)]
    if live and len(arguments.sources) > 1:
        raise UserError(f"{live[0]}: a camera has no end; give it alone")
    if arguments.voice and live:
        raise UserError(
            f"--voice {arguments.voice}: hears video files; for a live voice use a device, and the central "
            "service fuses"
        )
    if arguments.tables and not arguments.voice:
        raise UserError(f"--tables {arguments.tables}: needs --voice")
    if not arguments.model.exists():
        raise UserError(f"{arguments.model}: no such face model; make it with python -m face train")


def watch(source, model, detector, arguments, publisher):
    """One source to its end. Returns its name and all sights."""
    from speech_emotion.camera import sources
    from speech_emotion.camera.watching import Watcher

    watcher = Watcher(model, detector)
    started = time.monotonic()
    sights = []

    def told(found):
        for sight in found:
            tell(source, sight, model, arguments.json)
        if publisher and found:
            publisher.publish(found[0])
        if not sources.is_camera(source):
            sights.extend(found)

    try:
        for look in sources.looks(source, arguments.rate):
            if publisher and not sources.is_camera(source):  # as fast as it was recorded
                time.sleep(max(0.0, started + look.seconds - time.monotonic()))
            told(watcher.look(look))
    finally:
        told(watcher.finish())
    return source, sights


def tell(source, sight, model, as_json):
    emotion = sight.emotion(model)
    if as_json:
        facts = {
            "file": source, "begin": round(sight.begin, 2), "end": round(sight.end, 2), "face": sight.face,
            "where": sight.where, "emotion": emotion,
        }  # fmt: skip
        if sight.probabilities is not None:
            row = zip(model.labels, sight.probabilities.tolist(), strict=True)
            facts["probabilities"] = {label: round(share, 4) for label, share in row}
        print(json.dumps(facts), flush=True)
        return
    who = f"face {sight.face} ({sight.where}): " if sight.face else ""
    sure = f" {sight.probabilities.max():.0%}" if sight.probabilities is not None else ""
    print(f"{names.terminal(source)} {sight.begin:6.1f} s  {who}{emotion}{sure}", flush=True)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
