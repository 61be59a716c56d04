"""Download against a server on this machine: whole, broken off, wrong, hostile, absent."""

import hashlib
import io
import json
import re
import socket
import stat
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from speech_emotion.corpora import discover, registry
from speech_emotion.corpora.download import NAMES, SOURCES, download
from speech_emotion.errors import UserError

RAVDESS_NAMES = [f"03-01-05-01-0{i}-01-01.wav" for i in (1, 2)]


class Server(ThreadingHTTPServer):
    """Serves `files` by path; `bytes_sent` and `requests` (path, Range header) are its record."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.bytes_sent = 0
        self.breaks: list[int] = []  # body bytes after which to hang up, one entry per answer
        self.knows_ranges = True
        self.chunked = False
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """The client hanging up is what some tests are about; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def ranges_asked(self, path: str) -> list[str | None]:
        return [asked for requested, asked in self.requests if requested == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, asked = self.server, self.headers["Range"]
        server.requests.append((self.path, asked))
        body = server.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        if not (asked and server.knows_ranges):
            self.send_response(200)
            start = 0
        elif start >= len(body):
            self.send_error(416)
            return
        else:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        rest = body[start:]
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if server.chunked:
            self.wfile.write(b"%x\r\n" % len(rest))
        if server.breaks:
            rest = rest[: server.breaks.pop(0)]
            self.close_connection = True
        server.bytes_sent += len(rest)
        self.wfile.write(rest)
        if server.chunked and not self.close_connection:
            self.wfile.write(b"\r\n0\r\n\r\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def zipped(members: dict[str, bytes]) -> bytes:
    # Stored, so that the zip is as long as its content and can be broken off anywhere.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def noise(count: int, seed: int = 0) -> bytes:
    return hashlib.shake_128(bytes([seed])).digest(count)


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


SOUND = {f"Actor_01/{name}": noise(300_000, i) for i, name in enumerate(RAVDESS_NAMES)}


@pytest.fixture
def ravdess(server):
    """RAVDESS in small: two files in a zip on the local server."""
    content = server.files["/speech.zip"] = zipped(SOUND)
    return replace(
        SOURCES["ravdess"],
        url=f"{server.url}/speech.zip",
        clips=len(SOUND),
        size=len(content),
        checksum=md5(content),
    )


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def serve(server, source, content):
    """The source with other content and that content's size and checksum."""
    server.files["/speech.zip"] = content
    return replace(source, size=len(content), checksum=md5(content))


# ---- one zip ----------------------------------------------------------------------------------


def test_complete_zip(server, ravdess, tmp_path, capsys):
    folder = download("ravdess", tmp_path, source=ravdess)
    assert folder == tmp_path / "Ravdess" / "audio_speech_actors_01-24"
    assert content_of(tmp_path) == {
        f"Ravdess/audio_speech_actors_01-24/{name}": content for name, content in SOUND.items()
    }
    assert len(discover(tmp_path).clips) == 2
    assert server.requests == [("/speech.zip", None)]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "RAVDESS: CC BY-NC-SA 4.0 (https://zenodo.org/records/1188976)"


def test_complete_corpus_is_not_fetched_again(server, ravdess, tmp_path):
    download("ravdess", tmp_path, source=ravdess)
    download("ravdess", tmp_path, source=ravdess)
    assert len(server.requests) == 1


def test_licence_is_printed_before_the_first_byte_is_asked_for(server, ravdess, tmp_path, capsys):
    heard = []
    server.RequestHandlerClass = type(
        "Listening",
        (Handler,),
        {"do_GET": lambda self: (heard.append(capsys.readouterr().out), Handler.do_GET(self))},
    )
    download("ravdess", tmp_path, source=ravdess)
    assert "CC BY-NC-SA 4.0" in heard[0]


def test_interrupted_transfer_goes_on_where_it_stopped(server, ravdess, tmp_path):
    server.breaks = [250_000, 0, 0, 0, 0, 0, 0]  # then nothing more comes
    with pytest.raises(UserError, match=r"broke off.*run the same command again"):
        download("ravdess", tmp_path, source=ravdess)
    assert content_of(tmp_path / "Ravdess") == {}
    server.breaks.clear()
    download("ravdess", tmp_path, source=ravdess)
    assert server.ranges_asked("/speech.zip")[-1] == "bytes=250000-"
    assert server.bytes_sent == ravdess.size  # no byte was sent twice
    assert len(discover(tmp_path).clips) == 2


def test_broken_transfer_goes_on_by_itself(server, ravdess, tmp_path):
    server.breaks = [100_000, 200_000]
    download("ravdess", tmp_path, source=ravdess)
    assert server.ranges_asked("/speech.zip") == [None, "bytes=100000-", "bytes=300000-"]
    assert server.bytes_sent == ravdess.size


def test_transfer_of_undeclared_length(server, ravdess, tmp_path):
    server.chunked = True
    server.breaks = [100_000]
    download("ravdess", tmp_path, source=ravdess)
    assert server.ranges_asked("/speech.zip") == [None, "bytes=100000-"]
    assert len(discover(tmp_path).clips) == 2


def test_server_that_ignores_ranges_sends_all_again(server, ravdess, tmp_path):
    server.knows_ranges = False
    server.breaks = [250_000]
    download("ravdess", tmp_path, source=ravdess)
    assert server.bytes_sent == 250_000 + ravdess.size
    assert len(discover(tmp_path).clips) == 2


def test_part_longer_than_the_file_is_thrown_away(server, ravdess, tmp_path):
    waiting = tmp_path / ".downloads" / "ravdess"
    waiting.mkdir(parents=True)
    (waiting / "ravdess.zip.part").write_bytes(bytes(ravdess.size + 1))
    download("ravdess", tmp_path, source=ravdess)
    assert server.ranges_asked("/speech.zip") == [f"bytes={ravdess.size + 1}-", None]
    assert len(discover(tmp_path).clips) == 2


def test_wrong_checksum_leaves_nothing(server, ravdess, tmp_path):
    wrong = replace(ravdess, checksum=md5(b"something else"))
    with pytest.raises(UserError, match="does not have the published checksum md5:"):
        download("ravdess", tmp_path, source=wrong)
    assert content_of(tmp_path) == {}
    download("ravdess", tmp_path, source=ravdess)  # and nothing stands in the way of the right one
    assert len(discover(tmp_path).clips) == 2


def test_damaged_part_does_not_pass_and_does_not_stay(server, ravdess, tmp_path):
    waiting = tmp_path / ".downloads" / "ravdess"
    waiting.mkdir(parents=True)
    (waiting / "ravdess.zip.part").write_bytes(bytes(1000))
    with pytest.raises(UserError, match="checksum"):
        download("ravdess", tmp_path, source=ravdess)
    assert content_of(tmp_path) == {}


def test_absent_file(server, ravdess, tmp_path):
    with pytest.raises(UserError, match=r"gone\.zip: the server answers 404"):
        download("ravdess", tmp_path, source=replace(ravdess, url=f"{server.url}/gone.zip"))


def test_no_connection(ravdess, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/speech.zip"
        with pytest.raises(UserError, match=f"{url}: no connection"):
            download("ravdess", tmp_path, source=replace(ravdess, url=url))


def test_server_that_hangs_up_without_a_word(server, ravdess, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "do_GET", lambda self: setattr(self, "close_connection", True))
    with pytest.raises(UserError, match="no connection, or it broke off"):
        download("ravdess", tmp_path, source=ravdess)


def test_more_bytes_than_published(server, ravdess, tmp_path):
    with pytest.raises(UserError, match="more than the 1000 bytes"):
        download("ravdess", tmp_path, source=replace(ravdess, size=1000))
    assert content_of(tmp_path) == {}


@pytest.mark.parametrize(
    "name",
    [
        "../outside.wav",
        "Actor_01/../../../outside.wav",
        "..\\outside.wav",
        "/outside.wav",
        "C:\\outside.wav",
        "Actor_01/../../03-01-05-01-01-01-01.wav",  # even where the name is a clip's
    ],
)
def test_zip_that_leads_out_of_its_folder(server, ravdess, tmp_path, name):
    into = tmp_path / "a" / "b"
    hostile = serve(server, ravdess, zipped({**SOUND, name: b"x"}))
    with pytest.raises(UserError, match=r"leads out of its folder.*nothing unpacked"):
        download("ravdess", into, source=hostile)
    assert content_of(tmp_path) == {}


def test_zip_with_a_link(server, ravdess, tmp_path):
    link = zipfile.ZipInfo("Actor_01/03-01-05-01-01-01-01.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    hostile = serve(server, ravdess, zipped({link: b"/etc/passwd"}))
    with pytest.raises(UserError, match="holds a link"):
        download("ravdess", tmp_path, source=hostile)
    assert content_of(tmp_path) == {}


def test_zip_bomb(server, ravdess, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(RAVDESS_NAMES[0], bytes(10_000_000))
    bomb = replace(serve(server, ravdess, buffer.getvalue()), unpacked=1_000_000)
    with pytest.raises(UserError, match="would unpack to 10000000 bytes"):
        download("ravdess", tmp_path, source=bomb)
    assert content_of(tmp_path) == {}


def test_truncated_zip(server, ravdess, tmp_path):
    whole = server.files["/speech.zip"]
    broken = serve(server, ravdess, whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a whole zip file"):
        download("ravdess", tmp_path, source=broken)
    assert content_of(tmp_path) == {}


def test_damaged_member(server, ravdess, tmp_path):
    damaged = bytearray(server.files["/speech.zip"])
    damaged[1000] ^= 1  # in the first member's content
    with pytest.raises(UserError, match=r"not a whole zip file.*CRC"):
        download("ravdess", tmp_path, source=serve(server, ravdess, bytes(damaged)))
    assert content_of(tmp_path) == {}


def test_zip_without_all_files(server, ravdess, tmp_path):
    with pytest.raises(UserError, match="2 of 1440 published RAVDESS files"):
        download("ravdess", tmp_path, source=replace(ravdess, clips=1440))


def test_zip_without_published_checksum_says_so(server, tmp_path, capsys):
    members = {f"wav/{name}": name.encode() for name in ("03a01Fa.wav", "16b10Lb.wav")}
    content = zipped({**members, "erkannt.txt": b"", "labsilb/03a01Fa.silb": b""})
    server.files["/download.zip"] = content
    emodb = replace(
        SOURCES["emodb"], url=f"{server.url}/download.zip", clips=2, size=len(content) + 10
    )
    download("emodb", tmp_path, source=emodb)
    assert content_of(tmp_path) == {f"EmoDB/{name[4:]}": members[name] for name in members}
    assert "no checksum was published" in capsys.readouterr().out

    too_few = replace(emodb, size=len(content) + 11, tolerance=10, clips=3)
    with pytest.raises(UserError, match="too few"):
        download("emodb", tmp_path, source=too_few)


# ---- many files -------------------------------------------------------------------------------

CREMAD_NAMES = ["1001_DFA_ANG_XX", "1002_IEO_HAP_HI", "1040_ITH_SAD_X"]


@pytest.fixture
def cremad(server):
    """CREMA-D in small; the list spells the irregular name out, as the published list does."""
    listed = ["1001_DFA_ANG_XX", "1002_IEO_HAP_HI", "1040_ITH_SAD_XX"]
    rows = [f'{i},"{name}"' for i, name in enumerate(listed, 1)]
    server.files["/names.csv"] = "\n".join(['"Stimulus_Number","Filename"', *rows]).encode()
    for i, name in enumerate(CREMAD_NAMES):
        server.files[f"/media/{name}.wav"] = content = noise(5000, i)
        server.files[f"/raw/{name}.wav"] = (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{hashlib.sha256(content).hexdigest()}\nsize {len(content)}\n"
        ).encode()
    return replace(
        SOURCES["cremad"],
        names=f"{server.url}/names.csv",
        pointer=f"{server.url}/raw/{{name}}.wav",
        media=f"{server.url}/media/{{name}}.wav",
        clips=3,
        size=15_000,
    )


def test_complete_git_lfs_corpus(server, cremad, tmp_path):
    assert download("cremad", tmp_path, source=cremad) == tmp_path / "Crema"
    assert content_of(tmp_path) == {
        f"Crema/{name}.wav": server.files[f"/media/{name}.wav"] for name in CREMAD_NAMES
    }
    assert {clip.speaker for clip in discover(tmp_path).clips} == {"1001", "1002", "1040"}


def test_git_lfs_file_with_another_checksum(server, cremad, tmp_path):
    right = server.files["/media/1002_IEO_HAP_HI.wav"]
    server.files["/media/1002_IEO_HAP_HI.wav"] = right[:-1] + b"\0"
    with pytest.raises(UserError, match=r"1002_IEO_HAP_HI\.wav: .*checksum sha256:"):
        download("cremad", tmp_path, source=cremad)
    assert "Crema/1002_IEO_HAP_HI.wav" not in content_of(tmp_path)

    server.files["/media/1002_IEO_HAP_HI.wav"] = right
    server.requests.clear()
    download("cremad", tmp_path, source=cremad)
    assert len(content_of(tmp_path)) == 3
    assert [path for path, _ in server.requests] == [  # the other two are not asked for again
        "/names.csv", "/raw/1002_IEO_HAP_HI.wav", "/media/1002_IEO_HAP_HI.wav"
    ]  # fmt: skip


def test_git_lfs_file_the_server_lacks_is_named_and_the_rest_kept(server, cremad, tmp_path):
    del server.files["/raw/1002_IEO_HAP_HI.wav"]
    with pytest.raises(UserError, match=r"no longer has 1 of 3 files \(1002_IEO_HAP_HI\.wav"):
        download("cremad", tmp_path, source=cremad)
    assert len(discover(tmp_path).clips) == 2


@pytest.mark.parametrize(
    "listing", [b"", b"<html>", b'"Filename"\n"../../x"\n', b'"Filename"\n"1001_DFA_ANG_XX/../y"\n']
)
def test_list_that_is_not_the_expected_one(server, cremad, tmp_path, listing):
    server.files["/names.csv"] = listing
    with pytest.raises(UserError, match="not the list of CREMA-D files"):
        download("cremad", tmp_path, source=cremad)


def test_pointer_that_is_none(server, cremad, tmp_path):
    server.files["/raw/1002_IEO_HAP_HI.wav"] = b"<html>"
    with pytest.raises(UserError, match="not the Git LFS pointer"):
        download("cremad", tmp_path, source=cremad)


@pytest.fixture
def tess(server):
    names = ["OAF_back_angry.wav", "OA_bite_neutral.wav", "YAF_dog_ps.wav", "readme.txt"]
    files = []
    for i, name in enumerate(names):
        server.files[f"/access/{i}"] = content = noise(5000, i)
        entry = {"id": i, "filename": name, "filesize": 5000, "md5": md5(content)[4:]}
        files.append({"label": name, "dataFile": entry})
    listing = {"status": "OK", "data": {"latestVersion": {"files": files}}}
    server.files["/list"] = json.dumps(listing).encode()
    return replace(
        SOURCES["tess"],
        listing=f"{server.url}/list",
        file=f"{server.url}/access/{{id}}",
        clips=3,
        size=15_000,
    )


def test_complete_dataverse_corpus(server, tess, tmp_path):
    download("tess", tmp_path, source=tess)
    assert content_of(tmp_path) == {
        "Tess/OAF_angry/OAF_back_angry.wav": noise(5000, 0),
        "Tess/OAF_neutral/OA_bite_neutral.wav": noise(5000, 1),
        "Tess/YAF_ps/YAF_dog_ps.wav": noise(5000, 2),
    }
    assert {clip.emotion for clip in discover(tmp_path).clips} == {"angry", "neutral", "surprise"}


def test_dataverse_file_with_another_checksum(server, tess, tmp_path):
    server.files["/access/2"] = bytes(5000)
    with pytest.raises(UserError, match=r"/access/2: .*checksum md5:"):
        download("tess", tmp_path, source=tess)
    assert not (tmp_path / "Tess" / "YAF_ps" / "YAF_dog_ps.wav").exists()


@pytest.mark.parametrize("listing", [b"<html>", b"[]", b'{"data": {}}', b'{"data": null}'])
def test_dataverse_answer_that_is_no_list(server, tess, tmp_path, listing):
    server.files["/list"] = listing
    with pytest.raises(UserError, match="not the list of files expected"):
        download("tess", tmp_path, source=tess)


# ---- what needs no server ---------------------------------------------------------------------


def test_savee_is_by_hand(tmp_path, capsys):
    assert download("savee", tmp_path) == tmp_path / "Savee"
    said = capsys.readouterr().out
    assert "http://kahlan.eps.surrey.ac.uk/savee/" in said and "register there" in said
    assert str(tmp_path / "Savee") in said
    assert list(tmp_path.iterdir()) == []


def test_unknown_corpus(tmp_path):
    with pytest.raises(UserError, match="iemocap: no such corpus; there are ravdess, cremad"):
        download("iemocap", tmp_path)
    assert NAMES[:4] == ("ravdess", "cremad", "tess", "emodb")
    assert set(NAMES) == {corpus.NAME for corpus in registry.NAMED}


def test_folder_that_is_a_file(server, ravdess, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file.*cannot be written"):
        download("ravdess", tmp_path / "file", source=ravdess)
    assert server.requests == []


def test_no_space(server, ravdess, tmp_path):
    with pytest.raises(UserError, match="MB needed"):
        download("ravdess", tmp_path, source=replace(ravdess, size=10**18))
    assert server.requests == []


def test_full_disk(server, ravdess, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("speech_emotion.corpora.download._append", full)
    with pytest.raises(UserError, match="No space left on device"):
        download("ravdess", tmp_path, source=ravdess)
