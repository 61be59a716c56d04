"""The central service of a network of listening devices: what they say is decided upon, kept and shown.

Without a command it runs the service of the folder. The rest sets the network up, or tries it out:

  setup      certificates, users, the broker's configuration
  device     let a device in, give it a place, or put it out
  broker     run mosquitto with that configuration
  simulate   devices that are programs, with the chip's own message code
  demo       broker, service, three simulated devices and the page
  history    how much is kept; delete it, or write it out
  bridge     from the broker to a NATS server, each place into its partition
  worker     decide for the partitions of a NATS server that no other worker has
"""

import argparse
import json
import sys
import time
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError

FOLDER = Path("network")
PAGE_PORT = 8080
NATS = "nats://127.0.0.1:4222"


def main():
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _service_options(parser)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")

    def command(name, function, about):
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(function=function)
        # SUPPRESS: or the default here would override what stood before the command
        made.add_argument("--folder", type=Path, default=argparse.SUPPRESS, metavar="DIR",
                          help=f"the network's folder (default: {FOLDER})")  # fmt: skip
        return made

    made = command("setup", _setup, "certificates, users and the broker's configuration")
    made.add_argument("--host", nargs="+", default=["localhost", "127.0.0.1"], metavar="NAME",
                      help="names and addresses by which devices reach this computer; the first is the one "
                      "they are told (default: localhost 127.0.0.1)")  # fmt: skip
    made.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS",
                      help="where the broker listens (default: 127.0.0.1, this computer only)")  # fmt: skip
    made.add_argument("--port", type=int, default=8883, help="the broker's port (default: 8883)")

    made = command("device", _device, "let a device in, give it a place, or put it out")
    made.add_argument("name", metavar="NAME")
    made.add_argument("--place", metavar="PLACE", help="where it stands: a-z, 0-9, _ and -")
    made.add_argument("--title", metavar="TEXT", help="what people call the place")
    made.add_argument("--remove", action="store_true", help="it may not log in any more")

    command("broker", _broker, "run mosquitto with the network's configuration")

    made = command(
        "simulate", _simulate, "devices that are programs, with the chip's own message code"
    )
    made.add_argument("--devices", type=int, default=3, metavar="N", help="how many (default: 3)")
    made.add_argument("--seconds", type=float, default=60, help="for how long (default: 60)")
    made.add_argument("--period", type=float, default=3, metavar="S",
                      help="from one sentence of a device to its next (default: 3)")  # fmt: skip
    made.add_argument("--library", type=Path, metavar="DIR",
                      help="a library that python -m codegen wrote: its C code hears --clips; without it, "
                      "probabilities are drawn at random")  # fmt: skip
    made.add_argument("--clips", type=Path, metavar="DIR", help="a folder of sounds, for --library")
    made.add_argument("--faces", action="store_true", help="each also says what a face shows")
    made.add_argument("--prefix", default="sim", help="of the devices' names (default: sim)")
    made.add_argument("--log", type=Path, metavar="FILE", help="write when which sentence was sent")
    made.add_argument("--seed", type=int, default=0)

    made = command("demo", _demo, "broker, service, three simulated devices and the page")
    made.add_argument("--library", type=Path, metavar="DIR", help="as for simulate")
    made.add_argument("--clips", type=Path, metavar="DIR", help="as for simulate")
    made.add_argument("--port", type=int, default=8883, help="the broker's port (default: 8883)")
    made.add_argument("--page-port", type=int, default=argparse.SUPPRESS, metavar="PORT",
                      help=f"the page's (default: {PAGE_PORT})")  # fmt: skip

    made = command("history", _history, "how much is kept; delete it, or write it out")
    made.add_argument(
        "--delete", action="store_true", help="delete what --before and --place say, or all"
    )
    made.add_argument("--before", metavar="YYYY-MM-DD", help="decisions from before that day")
    made.add_argument("--place", metavar="PLACE", help="decisions of that place")
    made.add_argument(
        "--export", action="store_true", help="one JSON object per line, on the screen"
    )

    made = command(
        "bridge", _bridge, "from the broker to a NATS server, each place into its partition"
    )
    made.add_argument("--nats", default=NATS, metavar="URL", help=f"the server (default: {NATS})")

    made = command(
        "worker", _worker, "decide for partitions of a NATS server that no other worker has"
    )
    made.add_argument("--nats", default=NATS, metavar="URL", help=f"the server (default: {NATS})")

    arguments = parser.parse_args()
    return getattr(arguments, "function", _serve)(arguments)


def _service_options(parser):
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR",
                        help=f"the network's folder (default: {FOLDER})")  # fmt: skip
    parser.add_argument("--page-host", default="127.0.0.1", metavar="ADDRESS",
                        help="where the page is served (default: 127.0.0.1, this computer only; elsewhere "
                        "it is encrypted and asks for a password)")  # fmt: skip
    parser.add_argument("--page-port", type=int, default=PAGE_PORT, metavar="PORT",
                        help=f"(default: {PAGE_PORT})")  # fmt: skip
    parser.add_argument("--page-name", nargs="+", default=[], metavar="NAME",
                        help="names by which the page is asked for, besides its address")  # fmt: skip
    parser.add_argument("--model", type=Path, metavar="MODEL",
                        help="a model of train.py, however large, for columns that devices send")  # fmt: skip
    parser.add_argument("--chip", type=Path, metavar="MODEL",
                        help="with --model: the model that the devices run")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="FILE",
                        help="of voice and face, from python -m fusion fit (default: alike)")  # fmt: skip


def _serve(arguments):
    if (arguments.model is None) != (arguments.chip is None):
        raise UserError("--model and --chip: the one needs the other")
    if arguments.weights and not arguments.weights.exists():
        raise UserError(f"{arguments.weights}: no such file; make it with: python -m fusion fit")
    from speech_emotion.central import settings

    network = settings.load(arguments.folder)
    from speech_emotion.central import running

    return running.serve(
        network, host=arguments.page_host, port=arguments.page_port,
        names=arguments.page_name, model=arguments.model, chip=arguments.chip,
        weights=arguments.weights,
    )  # fmt: skip


def _setup(arguments):
    from speech_emotion.central import settings
    from speech_emotion.central.broker import making

    folder = arguments.folder
    there = (folder / "network.json").exists()
    network = settings.load(folder) if there else settings.Network(folder)
    network.host, network.port = arguments.host[0], arguments.port
    making.setup(network, hosts=arguments.host, bind=arguments.bind)
    print(f"{folder}: the broker's certificates, users and configuration; keep it to yourself")
    if arguments.bind == "127.0.0.1" and set(arguments.host) - {"localhost", "127.0.0.1"}:
        print(
            "the broker listens on this computer only; for devices, set up again with --bind 0.0.0.0"
        )
    print(f"next: python -m central device NAME --place PLACE --folder {folder}")
    print(
        f"then: python -m central broker --folder {folder}, and python -m central --folder {folder}"
    )


def _device(arguments):
    from speech_emotion.central import settings
    from speech_emotion.central.broker import making

    network = settings.load(arguments.folder)
    if arguments.remove:
        making.remove(network, arguments.name)
        print(f"{arguments.name}: may not log in any more")
        return
    if arguments.title and not arguments.place:
        raise UserError("--title: of which place? add --place")
    if arguments.title:
        network.titles[arguments.place] = arguments.title
    password = making.add(network, arguments.name, arguments.place)
    print(f"name      {arguments.name}")
    print(f"password  {password}")
    print(f"broker    mqtts://{network.host}:{network.port}")
    print(f"authority {network.ca}")
    print(
        "Type these into the device's page once. A running service learns of a place when it starts again."
    )


def _broker(arguments):
    import os

    from speech_emotion.central import settings
    from speech_emotion.central.broker import making

    command = making.command(settings.load(arguments.folder))
    sys.stdout.flush()
    os.execv(command[0], command)


def _simulate(arguments):
    if arguments.devices < 1 or arguments.seconds <= 0 or arguments.period <= 0:
        raise UserError("--devices, --seconds and --period: more than nothing")
    if arguments.clips is not None and arguments.library is None:
        raise UserError("--clips: say --library, too, whose code shall hear them")
    from speech_emotion.central import settings

    network = settings.load(arguments.folder)
    from speech_emotion.central import running

    counts = running.simulate(
        network, count=arguments.devices, seconds=arguments.seconds, period=arguments.period,
        library=arguments.library, clips=arguments.clips, faces=arguments.faces, prefix=arguments.prefix,
        log=arguments.log, seed=arguments.seed,
    )  # fmt: skip
    print(json.dumps(counts))


def _demo(arguments):
    from speech_emotion.central import running, settings
    from speech_emotion.central.broker import making

    network = settings.Network(arguments.folder, port=arguments.port)
    running.free("127.0.0.1", network.port)
    running.free("127.0.0.1", arguments.page_port)
    making.setup(network, hosts=["localhost", "127.0.0.1"], bind="127.0.0.1")
    return running.demo(
        network, library=arguments.library, clips=arguments.clips, host="127.0.0.1",
        port=arguments.page_port,
    )  # fmt: skip


def _bridge(arguments):
    import asyncio

    from speech_emotion.central import settings

    network = settings.load(arguments.folder)
    from speech_emotion.central import partitions

    asyncio.run(partitions.bridge(network, arguments.nats))


def _worker(arguments):
    import asyncio
    from functools import partial

    from speech_emotion.central import partitions

    asyncio.run(partitions.Worker(arguments.nats, partial(print, flush=True)).run())


def _history(arguments):
    from speech_emotion.central import settings
    from speech_emotion.central.store import Store

    store = Store(settings.load(arguments.folder).history)
    before = None
    if arguments.before:
        try:
            before = int(time.mktime(time.strptime(arguments.before, "%Y-%m-%d")) * 1000)
        except ValueError:
            raise UserError(f"--before {arguments.before}: no day; say YYYY-MM-DD") from None
    if arguments.export:
        for decision in store.export():
            print(json.dumps(decision.public()))
    elif arguments.delete:
        print(f"{store.delete(before=before, place=arguments.place)} decisions deleted")
    else:
        print(f"{store.count()} decisions of {len(store.places())} places in {store.path}")


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
