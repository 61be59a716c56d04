"""Makes and changes the broker's files. Keys and passwords are readable by their owner alone."""

import base64
import datetime
import getpass
import hashlib
import ipaddress
import os
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from string import Template

from speech_emotion.central.settings import READER, SERVICE, Network, check_name
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

_HERE = Path(__file__).resolve().parent
_ROUNDS = 101
"""mosquitto's own default; the passwords are 128 random bits, which no number of rounds makes harder."""
_YEARS = 10


def setup(network: Network, *, hosts: Sequence[str], bind: str) -> None:
    """Write everything that is not there, and the configuration anew. The authority is made once, or devices
    that know it would know the broker no more; the broker's certificate again when `hosts` are others.

    hosts: names and addresses by which devices reach the broker. UserError where `cryptography` is missing.
    """
    try:
        network.broker.mkdir(parents=True, exist_ok=True)
        for folder in (
            network.folder,
            network.broker,
        ):  # what somebody felt at home is nobody else's
            folder.chmod(0o700)
    except OSError as error:
        raise UserError(
            f"{network.folder}: cannot be made ({error.strerror}); name another --folder"
        ) from None
    _certificates(network, hosts)
    words = {
        "port": str(network.port), "bind": bind, "folder": str(network.broker.resolve()),
        "user": getpass.getuser(), "service": SERVICE, "reader": READER,
    }  # fmt: skip
    for name in ("mosquitto.conf", "acl"):
        text = Template((_HERE / name).read_text(encoding="utf-8")).substitute(words)
        with replacing(network.broker / name) as file:
            file.write(text)
        (network.broker / name).chmod(0o600)
    for user in (SERVICE, READER):
        if not network.password_file(user).exists():
            new_password(network, user)
    network.save()
    write_users(network)


def add(network: Network, name: str, place: str | None) -> str:
    """A device: its password, new where it had none, and its place. Returns the password."""
    check_name(name, "device")
    if place is not None:
        network.places[name] = check_name(place, "place")
        network.save()
    if not network.password_file(name).exists():
        new_password(network, name)
    write_users(network)
    return network.password(name)


def add_many(
    network: Network, names: Sequence[str], places: Mapping[str, str] | None = None
) -> None:
    """Several devices at once, each with a password, new where it had none."""
    for name in names:
        check_name(name, "device")
        if not network.password_file(name).exists():
            new_password(network, name)
    network.places |= places or {}
    network.save()
    write_users(network)


def remove(network: Network, name: str) -> None:
    """A device may not log in any more. UserError where there is none of this name."""
    check_name(name, "device")
    if not network.password_file(name).exists():
        raise UserError(
            f"{name}: no such device in {network.folder}; there are {', '.join(devices(network))}"
        )
    network.password_file(name).unlink()
    network.places.pop(name, None)
    network.save()
    write_users(network)


def devices(network: Network) -> list[str]:
    """The devices that may log in."""
    found = (path.name for path in (network.folder / "passwords").iterdir())
    return sorted(name for name in found if name not in (SERVICE, READER))


def put_out(network: Network, names: Sequence[str]) -> None:
    """These may not log in until they are none of these any more, whoever writes the list of users."""
    with replacing(network.broker / "put_out") as file:
        file.write("".join(f"{name}\n" for name in names))
    write_users(network)


def write_users(network: Network) -> None:
    """mosquitto's list of users from the passwords, without those that are put out; a broker that runs is
    told to read it again, and closes the connections of those that are not in it."""
    out: list[str] = []
    with suppress(FileNotFoundError):
        out = (network.broker / "put_out").read_text(encoding="utf-8").split()
    with replacing(network.broker / "users") as file:
        for path in sorted((network.folder / "passwords").iterdir()):
            if path.name in out:
                continue
            file.write(f"{path.name}:{_hashed(path.read_text(encoding='utf-8').strip())}\n")
    (network.broker / "users").chmod(0o600)
    with suppress(OSError, ValueError):
        pid = int((network.broker / "mosquitto.pid").read_text())
        if "mosquitto" in Path(f"/proc/{pid}/comm").read_text():
            os.kill(pid, signal.SIGHUP)


def program() -> str:
    """mosquitto's path. UserError where it is not installed."""
    found = shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    )
    if found is None:
        raise UserError(
            "mosquitto: not installed; on Debian or Ubuntu: sudo apt-get install mosquitto"
        )
    return found


def command(network: Network) -> list[str]:
    """What starts the broker."""
    conf = network.broker / "mosquitto.conf"
    if not conf.exists():
        raise UserError(f"{conf}: no such file; python -m central setup --folder {network.folder}")
    return [program(), "-c", str(conf)]


def new_password(network: Network, user: str) -> None:
    """A password of 128 random bits for a user that has none."""
    folder = network.folder / "passwords"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(network.password_file(user), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(16) + "\n")


def _hashed(password):
    """mosquitto's own form: $7$rounds$salt$hash, PBKDF2 with SHA-512 (mosquitto_passwd(1))."""
    # the salt is drawn from the password, so that an unchanged list of users stays the same file
    salt = hashlib.sha256(b"mosquitto " + password.encode()).digest()[:12]
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _certificates(network, hosts):
    """An authority of the house, and the broker's certificate by it: ECDSA on P-256, ten years."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError:
        raise UserError(
            "cryptography: not installed; pip install 'speech-emotion[network]'"
        ) from None

    folder = network.broker
    house = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Speech emotion network")])

    def builder(subject, key):
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(house)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=365 * _YEARS))
        )

    def write(name, thing):
        if name.endswith(".key"):
            content = thing.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        else:
            content = thing.public_bytes(serialization.Encoding.PEM)
        with replacing(folder / name, "wb") as file:
            file.write(content)
        (folder / name).chmod(0o600 if name.endswith(".key") else 0o644)

    if not (folder / "ca.key").exists():
        authority = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        write("ca.key", authority)
        write(
            "ca.pem",
            builder(house, authority)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(authority, hashes.SHA256()),
        )
    with replacing(network.ca, "wb") as file:
        file.write((folder / "ca.pem").read_bytes())
    names = x509.SubjectAlternativeName([_alternative(x509, host) for host in hosts])
    if (folder / "server.pem").exists():
        there = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes()).extensions
        if there.get_extension_for_class(x509.SubjectAlternativeName).value == names:
            return
    authority = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(authority, ec.EllipticCurvePrivateKey):
        raise UserError(
            f"{folder / 'ca.key'}: not the key that setup made; delete {folder} and set up anew"
        )
    server = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    write("server.key", server)
    write(
        "server.pem",
        builder(subject, server)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(issuer, critical=False)
        .sign(authority, hashes.SHA256()),
    )


def _alternative(x509, host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
