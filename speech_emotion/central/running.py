"""The commands that run for a while: the service with its page, simulated devices, the demonstration."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speech_emotion.central import simulate as simulation
from speech_emotion.central import web
from speech_emotion.central.broker import making
from speech_emotion.central.service import Service
from speech_emotion.central.settings import Network
from speech_emotion.errors import UserError
from speech_emotion.fusion import DEFAULT, weights_file

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


def serve(
    network: Network,
    *,
    host: str,
    port: int,
    names: Sequence[str],
    model: Path | None = None,
    chip: Path | None = None,
    weights: Path | None = None,
) -> int:
    """The service and its page, until Ctrl-C or SIGTERM."""
    try:
        import uvicorn
    except ImportError:
        raise UserError("uvicorn: not installed; pip install 'speech-emotion[network]'") from None

    away = host not in LOOPBACK
    if away and not network.password_file("page").exists():
        making.new_password(network, "page")
    password = network.password("page") if away else None
    free(host, port)
    service = Service(
        network,
        large=_large(model, chip),
        weights=weights_file.read(weights) if weights else DEFAULT,
    )
    app = web.application(service, hosts=[*LOOPBACK, host, network.host, *names], password=password)
    options: dict[str, Any] = {"log_level": "warning", "access_log": False, "lifespan": "off"}
    if away:
        options |= {
            "ssl_certfile": network.broker / "server.pem",
            "ssl_keyfile": network.broker / "server.key",
        }
    server = uvicorn.Server(
        uvicorn.Config(app, host=host, port=port, timeout_graceful_shutdown=1, **options)
    )
    shown = "localhost" if not away else host
    print(f"http{'s' if away else ''}://{shown}:{port}/", flush=True)
    if away:
        print(f"any name, and the password in {network.password_file('page')}", flush=True)

    async def both():
        working = asyncio.create_task(service.run())
        serving = asyncio.create_task(server.serve())
        done, _ = await asyncio.wait({working, serving}, return_when=asyncio.FIRST_COMPLETED)
        service.viewers.clear()
        server.should_exit = True
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        await serving
        for task in done:
            if not task.cancelled() and (error := task.exception()):
                raise error

    asyncio.run(both())
    return 0


def _large(model, chip):
    if model is None or chip is None:
        return None
    from speech_emotion.central import large

    return large.LargeModel(model, chip)


def free(host: str, port: int) -> None:
    """UserError where a port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(f"{host}:{port}: {error.strerror}; choose another port") from None


def simulate(
    network: Network, *, count: int, seconds: float, period: float = 3.0, library: Path | None = None,
    clips: Path | None = None, faces: bool = False, prefix: str = "sim", log: Path | None = None,
    seed: int = 0,
) -> dict[str, int]:  # fmt: skip
    """Simulated devices named prefix-1 ... prefix-`count`, which are let in where they are not yet."""
    names = [f"{prefix}-{i}" for i in range(1, count + 1)]
    unknown = [name for name in names if not network.password_file(name).exists()]
    if unknown:
        making.add_many(network, unknown)
    if library is None:
        voice = simulation.made_up
    else:
        sounds = (
            sorted(p for p in (clips or Path()).rglob("*") if p.suffix in SOUNDS) if clips else []
        )
        if not sounds:
            raise UserError(
                f"--clips {clips}: no sounds there; name a folder with {', '.join(SOUNDS)}"
            )

        def voice(seed):
            return simulation.replayed(library, sounds, seed)

    with contextlib.ExitStack() as stack:
        note = _ignore
        if log is not None:
            try:
                file = stack.enter_context(log.open("w", encoding="utf-8", buffering=1))
            except OSError as error:
                raise UserError(f"--log {log}: cannot be written ({error.strerror})") from None

            def note(key, moment):
                file.write(f"{key} {moment:.6f}\n")

        fleet = simulation.Fleet(network, names, voice, period, faces, seed, note)
        return fleet.run(seconds)


def _ignore(key, moment):
    pass


def demo(
    network: Network, *, library: Path | None, clips: Path | None, host: str, port: int
) -> int:
    """Broker, service, page and three simulated devices, until Ctrl-C."""
    places = {"sim-1": "kitchen", "sim-2": "living-room", "sim-3": "study"}
    network.titles |= {"kitchen": "Kitchen", "living-room": "Living room", "study": "Study"}
    making.add_many(network, list(places), places)
    me = [sys.executable, "-m", "speech_emotion", "central"]
    folder = ["--folder", str(network.folder)]
    replay = ["--library", str(library), "--clips", str(clips)] if library else []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # and nothing is left running
    with contextlib.ExitStack() as stack:

        def start(command):
            process = subprocess.Popen(command)
            stack.callback(_end, process)
            return process

        running = [start(making.command(network))]
        wait_for(network.host, network.port, running[0])
        running.append(start([*me, *folder, "--page-host", host, "--page-port", str(port)]))
        running.append(
            start([*me, "simulate", *folder, "--devices", "3", "--seconds", str(10**9), *replay])
        )
        print("Ctrl-C ends it", flush=True)
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
    return 1


def wait_for(host: str, port: int, process: subprocess.Popen, seconds: float = 10) -> None:
    """Until somebody listens there. UserError where the process ends before, or nobody does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 0.5):
            return
        time.sleep(0.05)
    raise UserError(f"{host}:{port}: the broker did not start; see above, or choose another --port")


def _end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
