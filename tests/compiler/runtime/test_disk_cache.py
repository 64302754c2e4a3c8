"""The promises of the disk cache, one by one."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time

import pytest

from gategrad.compiler.runtime import disk_cache, engine
from gategrad.compiler.runtime.callable import install, slow_address
from gategrad.compiler.runtime.link import link

from ..programs import GRADIENT, Function, gradient

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no disk cache on this system")

KEY = disk_cache.key_of("some program")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "above" / "cache"
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """The texts that LLVM had to compile."""
    slow_address()  # compiled once per process, whenever it is first needed
    texts = []
    compile_object = engine.compile_object

    def counted(text, **options):
        texts.append(text)
        return compile_object(text, **options)

    monkeypatch.setattr(engine, "compile_object", counted)
    return texts


def answer(factor=1.0):
    f = Function()
    install(f, link(gradient(factor), GRADIENT))
    return f(-2.0, 5.0, -4.0)


def names(folder):
    return sorted(os.listdir(folder))


# --- where it is ---------------------------------------------------------------------------------------


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "/a/b")
    assert str(disk_cache.directory()) == "/a/b"
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")
    assert disk_cache.directory() is None
    monkeypatch.delenv("GATEGRAD_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert str(disk_cache.directory()) == "/c/gategrad"
    for invalid in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", invalid)
        assert disk_cache.directory() == tmp_path / ".cache" / "gategrad"


def test_it_can_be_switched_off(monkeypatch, compilations):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")
    assert answer() == answer() == (-4.0, -4.0, 3.0)
    assert len(compilations) == 2


def test_without_a_home_there_is_no_cache(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GATEGRAD_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(disk_cache.Path, "home", no_home)
    assert disk_cache.directory() is None
    disk_cache.write(KEY, b"content")
    assert disk_cache.read(KEY) is None


# --- what it keeps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"content", os.urandom(100_000)])
def test_what_is_written_is_read(content):
    assert disk_cache.read(KEY) is None
    disk_cache.write(KEY, content)
    assert disk_cache.read(KEY) == content
    disk_cache.write(KEY, b"other")
    assert disk_cache.read(KEY) == b"other"


def test_the_same_program_is_compiled_once(compilations):
    assert answer() == answer() == (-4.0, -4.0, 3.0)
    assert len(compilations) == 1
    assert answer(2.0) == (-8.0, -8.0, 6.0)
    assert len(compilations) == 2


def test_keys_differ_in_whatever_matters(monkeypatch, compilations):
    assert disk_cache.key_of("ab", "c") != disk_cache.key_of("a", "bc") != disk_cache.key_of("a", "b", "c")
    answer()
    triple, cpu, features = engine.host()
    for other in [("other", cpu, features), (triple, "generic", features), (triple, cpu, features + ",+x")]:
        with monkeypatch.context() as patch:
            patch.setattr(engine, "host", lambda other=other: other)
            assert disk_cache.read(disk_cache.key_of("text", "3", *engine.host(), *engine.versions())) is None
    with monkeypatch.context() as patch:
        patch.setattr(engine, "versions", lambda: ("0.1", "20.1.8", "0.1.0", "3.99", "2.0"))
        answer()
    assert len(compilations) == 2


def test_another_processor_compiles_anew(monkeypatch, compilations):
    answer()
    triple, _, _ = engine.host()
    monkeypatch.setattr(engine, "host", lambda: (triple, "generic", ""))
    assert answer() == (-4.0, -4.0, 3.0)
    assert len(compilations) == 2


RUN = """
import sys
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.callable import Callable, install, native_type
from gategrad.compiler.runtime.link import link
from gategrad.compiler.codegen.entry.signature import Scalar, Signature, tuple_of

if sys.argv[2] == "warm":
    def compile_object(*args, **options):
        raise AssertionError("compiled")
    engine.compile_object = compile_object
f = native_type(Callable)()
s = Signature((Scalar(),) * 3, tuple_of(Scalar(), Scalar(), Scalar()))
install(f, link(open(sys.argv[1]).read(), s))
assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
"""


def process(tmp_path, mode):
    text = tmp_path / "program.ll"
    text.write_text(gradient())
    return subprocess.Popen([sys.executable, "-c", RUN, str(text), mode], stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def test_a_second_process_starts_warm(tmp_path):
    finish(process(tmp_path, "cold"))
    finish(process(tmp_path, "warm"))


def test_processes_may_write_at_once(tmp_path, folder):
    several = [process(tmp_path, "cold") for _ in range(3)]
    for one in several:
        finish(one)
    assert len(names(folder)) == 2  # the program, and the way from native code into Python
    finish(process(tmp_path, "warm"))


# --- what it refuses -----------------------------------------------------------------------------------


def damage_truncate(data):
    return data[: len(data) // 2]


def damage_empty(data):
    return b""


def damage_flip(data):
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


def damage_checksum(data):
    at = len(disk_cache.MAGIC)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def damage_append(data):
    return data + b"x"


def damage_other_format(data):
    return b"G" + data[1:]


@pytest.mark.parametrize(
    "damage",
    [damage_truncate, damage_empty, damage_flip, damage_checksum, damage_append, damage_other_format],
)
def test_a_damaged_entry_is_compiled_again_and_replaced(damage, folder, compilations):
    answer()
    originals = {entry: entry.read_bytes() for entry in folder.iterdir()}
    for entry, data in originals.items():
        entry.write_bytes(damage(data))
    assert answer() == (-4.0, -4.0, 3.0)
    assert len(compilations) == 2
    assert answer() == (-4.0, -4.0, 3.0)
    assert len(compilations) == 2
    assert any(entry.read_bytes() == data for entry, data in originals.items())


def test_an_entry_under_the_name_of_another_is_refused(folder):
    other = disk_cache.key_of("another program")
    disk_cache.write(KEY, b"content")
    os.rename(folder / KEY, folder / other)
    assert disk_cache.read(other) is None


def test_an_entry_that_is_no_plain_file_is_refused(folder, tmp_path):
    disk_cache.write(KEY, b"content")
    elsewhere = tmp_path / "elsewhere"
    os.rename(folder / KEY, elsewhere)
    os.symlink(elsewhere, folder / KEY)
    assert disk_cache.read(KEY) is None
    os.unlink(folder / KEY)
    os.mkfifo(folder / KEY)
    assert disk_cache.read(KEY) is None
    disk_cache.write(KEY, b"content")
    assert disk_cache.read(KEY) == b"content"
    assert stat.S_ISREG((folder / KEY).lstat().st_mode)


def test_directory_and_entries_are_private(folder):
    mask = os.umask(0)
    try:
        disk_cache.write(KEY, b"content")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600


def test_a_directory_that_others_can_read_becomes_private(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    disk_cache.write(KEY, b"content")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert disk_cache.read(KEY) == b"content"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722, 0o1777])
def test_a_directory_that_others_can_write_is_not_used(folder, mode):
    disk_cache.write(KEY, b"content")
    folder.chmod(mode)
    assert disk_cache.read(KEY) is None
    disk_cache.write(disk_cache.key_of("new"), b"content")
    assert names(folder) == [KEY]


def test_a_directory_of_another_user_is_not_used(folder, monkeypatch):
    disk_cache.write(KEY, b"content")
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert disk_cache.read(KEY) is None
    disk_cache.write(disk_cache.key_of("new"), b"content")
    assert names(folder) == [KEY]


def test_a_link_to_a_directory_is_not_used(folder, tmp_path):
    disk_cache.write(KEY, b"content")
    os.rename(folder, tmp_path / "real")
    os.symlink(tmp_path / "real", folder)
    assert disk_cache.read(KEY) is None
    disk_cache.write(disk_cache.key_of("new"), b"content")
    assert names(tmp_path / "real") == [KEY]


# --- when the system says no ---------------------------------------------------------------------------


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("name", ["open", "replace", "mkdir", "scandir", "fstat"])
def test_whatever_fails_there_is_an_answer(folder, monkeypatch, name, code):
    def fail(*args, **options):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        patch.setattr(os, "supports_dir_fd", {os.open})
        assert answer() == answer() == (-4.0, -4.0, 3.0)
    assert not folder.exists() or not [entry for entry in names(folder) if entry.endswith(".writing")]
    assert answer() == (-4.0, -4.0, 3.0)


def test_a_disk_that_is_full_leaves_nothing_behind(folder, monkeypatch):
    class Full:
        def __init__(self, file, mode):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            os.close(self.file)

        def write(self, data):
            os.write(self.file, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

    disk_cache.write(KEY, b"before")
    with monkeypatch.context() as patch:
        patch.setattr(disk_cache, "open", Full, raising=False)
        disk_cache.write(KEY, b"after")
        disk_cache.write(disk_cache.key_of("new"), b"content")
    assert names(folder) == [KEY]
    assert disk_cache.read(KEY) == b"before"


def test_a_file_in_place_of_the_directory(folder):
    folder.parent.mkdir()
    folder.write_text("not a directory")
    assert answer() == (-4.0, -4.0, 3.0)
    assert folder.read_text() == "not a directory"


# --- how large it gets ---------------------------------------------------------------------------------


def test_what_was_not_used_for_longest_goes_first(folder, monkeypatch):
    monkeypatch.setattr(disk_cache, "LIMIT_BYTES", 3500)
    keys = [disk_cache.key_of(str(k)) for k in range(4)]
    now = time.time()
    for k, key in enumerate(keys[:3]):
        disk_cache.write(key, bytes(1000))
        os.utime(folder / key, (now - 100 + k, now - 100 + k))
    assert disk_cache.read(keys[0]) is not None  # used just now, so the second is the oldest
    disk_cache.write(keys[3], bytes(1000))
    assert names(folder) == sorted([keys[0], keys[2], keys[3]])


def test_the_number_of_entries_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(disk_cache, "LIMIT_ENTRIES", 3)
    for k in range(10):
        disk_cache.write(disk_cache.key_of(str(k)), b"")
    assert len(names(folder)) == 3


def test_what_a_dead_process_left_is_removed(folder):
    disk_cache.write(KEY, b"content")
    for name, age in [("dead.writing", 7200), ("alive.writing", 60)]:
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    disk_cache.write(KEY, b"content")
    assert names(folder) == sorted([KEY, "alive.writing"])
