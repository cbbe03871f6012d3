import functools
import hashlib
import http.server
import threading

import pytest

from equijax.data import DataError, DataUnavailableError, cache_folder, store
from equijax.data.registry import File

CONTENT = b"two atoms of hydrogen\n"
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("data", "cache", "remote"):
        (tmp_path / name / "set").mkdir(parents=True)
    monkeypatch.setenv("EQUIJAX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EQUIJAX_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def server(folders):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            self.server.asked.append(self.path)

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folders / "remote")
    ) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def file_at(server=None, sha256=HASH):
    port = server.server_address[1] if server else 9  # nothing listens on the discard port
    return File("set/a.xyz", sha256, f"http://127.0.0.1:{port}/set/a.xyz")


def locate(file):
    return store.locate("toy", file, origin="https://example.org/toy")


def test_the_data_folder_comes_first(folders):
    for place in ("data", "cache"):
        (folders / place / "set/a.xyz").write_bytes(CONTENT)
    assert locate(file_at()) == folders / "data/set/a.xyz"


def test_then_the_cache(folders, monkeypatch):
    (folders / "cache/set/a.xyz").write_bytes(CONTENT)
    assert locate(file_at()) == folders / "cache/set/a.xyz"
    monkeypatch.delenv("EQUIJAX_DATA")
    assert locate(file_at()) == folders / "cache/set/a.xyz"


def test_then_a_download_that_is_kept(folders, server):
    (folders / "remote/set/a.xyz").write_bytes(CONTENT)
    for _ in range(2):
        path = locate(file_at(server))
        assert path == folders / "cache/set/a.xyz"
        assert path.read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.parametrize(("place", "remedy"), [("data", "unset EQUIJAX_DATA"), ("cache", "delete it")])
def test_a_corrupt_file_is_refused_wherever_it_is(folders, place, remedy):
    path = folders / place / "set/a.xyz"
    path.write_bytes(CONTENT[:-1])
    got = hashlib.sha256(CONTENT[:-1]).hexdigest()
    with pytest.raises(DataError, match=f"{path} .*'toy'.* expected SHA-256 {HASH}, got {got}; .*{remedy}"):
        locate(file_at())


def test_a_corrupt_download_is_not_kept(folders, server):
    (folders / "remote/set/a.xyz").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=rf"(?s)discarded: .*{HASH}.*example.org/toy has changed"):
        locate(file_at(server))
    assert not list((folders / "cache").rglob("*.*"))


def test_no_network_says_where_it_looked_and_where_the_original_lives(folders):
    with pytest.raises(DataUnavailableError) as raised:
        locate(file_at())
    message = str(raised.value)
    for part in ("data/set/a.xyz", "cache/set/a.xyz"):
        assert str(folders / part) in message
    assert "http://127.0.0.1:9/set/a.xyz failed" in message
    assert "https://example.org/toy" in message


def test_a_page_that_is_gone(server):
    with pytest.raises(DataUnavailableError, match="404"):
        locate(file_at(server))


def test_unset_data_folder_is_hinted_at(folders, monkeypatch):
    monkeypatch.delenv("EQUIJAX_DATA")
    with pytest.raises(DataUnavailableError, match=r"\(EQUIJAX_DATA is not set\)"):
        locate(file_at())


def test_a_data_folder_that_is_none(folders, monkeypatch):
    monkeypatch.setenv("EQUIJAX_DATA", str(folders / "nowhere"))
    with pytest.raises(DataError, match=r"EQUIJAX_DATA must name a folder, got .*nowhere"):
        locate(file_at())


def test_embedded_files(folders, monkeypatch):
    monkeypatch.setattr(store, "EMBEDDED", folders / "remote")
    file = File("set/a.xyz", HASH, None)
    with pytest.raises(DataUnavailableError, match="reinstall equijax"):
        locate(file)
    (folders / "remote/set/a.xyz").write_bytes(CONTENT)
    assert locate(file) == folders / "remote/set/a.xyz"
    (folders / "remote/set/a.xyz").write_bytes(b"")
    with pytest.raises(DataError, match="reinstall equijax"):
        locate(file)


def test_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EQUIJAX_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EQUIJAX_CACHE")
    assert cache_folder().name.lower().startswith("equijax")


def test_what_was_converted_is_never_downloaded(folders, monkeypatch):
    file = File("set/a.npz", HASH, None, converted=True)
    message = r"set/a.npz was not found at .*data/set/a.npz, .*cache/set/a.npz, and it cannot be downloaded"
    with pytest.raises(DataUnavailableError, match=f"{message}.*https://example.org/toy"):
        locate(file)
    (folders / "data/set/a.npz").write_bytes(CONTENT)
    assert locate(file) == folders / "data/set/a.npz"
    monkeypatch.delenv("EQUIJAX_DATA")
    with pytest.raises(DataUnavailableError, match="EQUIJAX_DATA is not set"):
        locate(file)
