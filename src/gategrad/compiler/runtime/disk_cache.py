"""Machine code on disk, so that a second process starts warm.

What lies in the cache is executed, so it must come from nobody but this user. The directory is opened once and
checked (a real directory, ours, writable by no one else); everything then happens relative to that open
directory, which nobody can swap for another. Entries are written under another name and renamed, so processes that
write at once do not see each other's halves. An entry carries a checksum over its key and its content; one
that is truncated, flipped or misplaced is as good as absent, and is replaced by the next compilation.

Whatever goes wrong (a full disk, no permission, no home) means that there is no cache, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DIRECTORY", "directory", "key_of", "read", "write"]

DIRECTORY = "GATEGRAD_CACHE_DIR"
"""The environment variable that says where the cache is; set to nothing, there is none."""

LIMIT_BYTES = 256 * 2**20
LIMIT_ENTRIES = 4096
STALE_SECONDS = 3600.0  # a temporary file of this age belongs to a process that died

MAGIC = b"gategrad machine code 1\n"
_DIGEST = hashlib.sha256().digest_size
_TEMPORARY = ".writing"


def directory() -> Path | None:
    """Where the cache is, or would be: `GATEGRAD_CACHE_DIR`, else the user's cache directory; None if nowhere."""
    chosen = os.environ.get(DIRECTORY)
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG specification: relative paths are invalid and to be ignored
        return Path(base, "gategrad")
    try:
        return Path.home() / ".cache" / "gategrad"
    except RuntimeError:
        return None


def key_of(*parts: str) -> str:
    """A name for what these texts determine completely; each counts with its length, so no two lists collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


def read(key: str) -> bytes | None:
    """The content stored under `key`, or None if there is none that can be trusted."""
    with contextlib.suppress(OSError), _opened(create=False) as folder:
        if folder is not None:
            return _read(key, folder)
    return None


def write(key: str, content: bytes) -> None:
    """Store content under `key`, if possible, and drop what was not used for longest when there is too much."""
    with contextlib.suppress(OSError), _opened(create=True) as folder:
        if folder is not None:
            _write(key, content, folder)
            _prune(folder)


@contextlib.contextmanager
def _opened(*, create: bool) -> Iterator[int | None]:
    """Open the directory and check that it is this user's alone; yields None if it is not."""
    path = directory()
    if path is None or os.open not in os.supports_dir_fd or not hasattr(os, "geteuid"):
        yield None  # on Windows: its access lists are not what the checks below look at
        return
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield folder if _is_private(folder) else None
    finally:
        os.close(folder)


def _is_private(folder: int) -> bool:
    status = os.fstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False  # somebody else may have put something there
    if stat.S_IMODE(status.st_mode) != 0o700:
        os.fchmod(folder, 0o700)
    return True


def _read(key: str, folder: int) -> bytes | None:
    file = os.open(key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(file, "rb") as entry:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size > LIMIT_BYTES:
            return None
        data = entry.read()
        head = len(MAGIC) + _DIGEST
        content = data[head:]
        if not hmac.compare_digest(data[:head], _head(key, content)):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)  # used just now
        return content


def _write(key: str, content: bytes, folder: int) -> None:
    name = f"{key}.{secrets.token_hex(8)}{_TEMPORARY}"
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        with open(file, "wb") as entry:
            entry.write(_head(key, content) + content)
        os.replace(name, key, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _head(key: str, content: bytes) -> bytes:
    return MAGIC + hashlib.sha256(key.encode() + content).digest()


def _prune(folder: int) -> None:
    entries = []
    with os.scandir(folder) as listing:
        for item in listing:
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                entries.append((item.stat(follow_symlinks=False), item.name))
    entries.sort(key=lambda entry: entry[0].st_mtime, reverse=True)
    newest = entries[0][0].st_mtime if entries else 0.0
    total = 0
    for count, (status, name) in enumerate(entries, start=1):
        total += status.st_size
        abandoned = name.endswith(_TEMPORARY) and status.st_mtime < newest - STALE_SECONDS
        if abandoned or (count > 1 and (total > LIMIT_BYTES or count > LIMIT_ENTRIES)):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
