"""Find, verify and download the files of data sets.

A file is looked for below ``$EQUIJAX_DATA``, then in the user cache (``$EQUIJAX_CACHE``, or the cache folder
of the operating system), and is downloaded into the cache otherwise. Whatever is found must have the
registered SHA-256; nothing corrupt is ever parsed.
"""

import hashlib
import os
import pathlib

from equijax.data.errors import DataError, DataUnavailableError
from equijax.data.registry import File

EMBEDDED = pathlib.Path(__file__).parent / "embedded"
_TIMEOUT_SECONDS = 30


def cache_folder() -> pathlib.Path:
    """The folder for what the library keeps between runs: downloaded data, compiled programs.

    Returns:
      ``$EQUIJAX_CACHE`` where it is set, otherwise the operating system's cache folder for equijax. It may
      not exist yet.

    Example:
      >>> isinstance(cache_folder(), pathlib.Path)
      True
    """
    chosen = os.environ.get("EQUIJAX_CACHE")
    if chosen:
        return pathlib.Path(chosen).expanduser()
    import pooch

    return pathlib.Path(pooch.os_cache("equijax"))


def locate(dataset: str, file: File, *, origin: str) -> pathlib.Path:
    """The verified local path of a file, downloaded if it is not on this computer.

    Args:
      dataset: name of the data set, for messages.
      file: which file.
      origin: where the original lives, for messages.

    Raises:
      DataError: if a file is found but its hash is wrong, or ``$EQUIJAX_DATA`` is not a folder.
      DataUnavailableError: if it is found nowhere and cannot be downloaded.
    """
    if file.url is None and not file.converted:
        return _embedded(dataset, file)
    looked = []
    for folder, remedy in _folders():
        path = folder / file.path
        if path.is_file():
            _verify(dataset, path, file.sha256, remedy=remedy)
            return path
        looked.append(path)
    if file.converted:
        raise _absent(dataset, file, looked, origin)
    return _download(dataset, file, looked, origin)


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folders() -> list[tuple[pathlib.Path, str]]:
    """Folders to search in order, each with what to do about a corrupt file in it."""
    folders = [(cache_folder(), "delete it, and it will be downloaded again")]
    chosen = os.environ.get("EQUIJAX_DATA")
    if chosen:
        root = pathlib.Path(chosen).expanduser()
        if not root.is_dir():
            raise DataError(f"EQUIJAX_DATA must name a folder, got {chosen!r}, which is none")
        folders.insert(0, (root, "restore it from the original, or unset EQUIJAX_DATA to download it"))
    return folders


def _verify(dataset: str, path: pathlib.Path, expected: str, *, remedy: str) -> None:
    """Refuse a file whose hash is not the registered one."""
    got = sha256(path)
    if got != expected:
        raise DataError(
            f"{path} is not the file of data set {dataset!r} that is registered (corrupt or changed): "
            f"expected SHA-256 {expected}, got {got}; {remedy}"
        )


def _embedded(dataset: str, file: File) -> pathlib.Path:
    """The verified path of a file that comes with the package."""
    path = EMBEDDED / file.path
    if not path.is_file():
        raise DataUnavailableError(
            f"data set {dataset!r} should come with the package, but {path} is missing; reinstall equijax"
        )
    _verify(dataset, path, file.sha256, remedy="reinstall equijax")
    return path


def _absent(dataset: str, file: File, looked: list[pathlib.Path], origin: str) -> DataUnavailableError:
    """The error for a file that cannot be downloaded."""
    where = ", ".join(map(str, looked))
    hint = "" if os.environ.get("EQUIJAX_DATA") else " (EQUIJAX_DATA is not set)"
    return DataUnavailableError(
        f"data set {dataset!r}: {file.path} was not found at {where}{hint}, and it cannot be downloaded, as "
        f"it was made from the original, which lives at {origin}; set EQUIJAX_DATA to a folder that holds "
        f"{file.path}"
    )


def _download(dataset: str, file: File, looked: list[pathlib.Path], origin: str) -> pathlib.Path:
    """Download a file into the user cache; it appears there only when it is whole and verified."""
    import pooch

    target = cache_folder() / file.path
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=_TIMEOUT_SECONDS)
    try:
        pooch.retrieve(
            file.url, f"sha256:{file.sha256}", fname=target.name, path=target.parent, downloader=downloader
        )
    except OSError as error:  # no network, no such page, no room on the disk
        where = ", ".join(map(str, looked))
        hint = "" if os.environ.get("EQUIJAX_DATA") else " (EQUIJAX_DATA is not set)"
        raise DataUnavailableError(
            f"data set {dataset!r}: {file.path} was not found at {where}{hint}, and downloading it from "
            f"{file.url} failed ({type(error).__name__}: {error}). The original lives at {origin}; put the "
            f"file at {target}, or set EQUIJAX_DATA to a folder that holds {file.path}"
        ) from error
    except ValueError as error:  # pooch: the hash of the download is wrong; nothing was kept
        raise DataError(
            f"data set {dataset!r}: what {file.url} sent is not the registered file, and was discarded: "
            f"{error}. Try again; if it persists, the original at {origin} has changed"
        ) from error
    return target
