"""One SQLite file, opened safely by any number of threads and processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from offscribe.errors import Conflict, DiskFull, NoPermission, ResourceError

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one before it gives up."""


class DatabaseDamaged(ResourceError):
    code = "database_damaged"
    hint = "Move the file aside and start again, or restore a backup. It was not changed."


class DatabaseBusy(ResourceError):
    code = "database_busy"
    hint = "Another program holds the history database. Close it and try again."


class Database:
    """The history database at *path*, migrated to the newest schema.

    Connections are one a thread and opened on first use. ``now`` gives UTC seconds since 1970.
    Raises DatabaseDamaged, DatabaseBusy, NoPermission, DiskFull, or Conflict where the file was
    written by a newer Offscribe.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self.now = now
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        with _our_errors(path):
            _migrate(self.connection)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode."""
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        self._local.connection = connection
        self._opened.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write inside: all of it is kept, or none of it. Not nestable."""
        with _our_errors(self.path):
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, parameters: dict[str, object] | None = None) -> list[sqlite3.Row]:
        """Return all rows of one SELECT."""
        with _our_errors(self.path):
            return self.connection.execute(sql, parameters or {}).fetchall()

    def close(self) -> None:
        """Close every thread's connection. Only when no thread uses them any more."""
        while self._opened:
            self._opened.pop().close()
        self._local = threading.local()


def _migrations() -> list[tuple[int, str]]:
    folder = files("offscribe.store") / "migrations"
    scripts = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    return [(int(script.name[:4]), script.read_text("utf-8")) for script in scripts]


def _migrate(connection: sqlite3.Connection) -> None:
    migrations = _migrations()
    newest = migrations[-1][0]
    connection.execute("BEGIN IMMEDIATE")
    try:
        present: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if present > newest:
            raise Conflict(
                f"the history database has schema {present}, this Offscribe knows {newest}",
                hint="A newer version wrote it. Update Offscribe; the file was not changed.",
                code="database_newer",
            )
        for number, script in migrations:
            if number > present:
                _run_script(connection, script)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    """Run *script* inside the open transaction (``executescript`` would commit it)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL:
                raise DiskFull(f"the disk of {path} is full") from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise DatabaseBusy(f"{path} is locked by another program") from error
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                raise DatabaseDamaged(f"{path} is not a sound database: {error}") from error
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                raise NoPermission(
                    f"{path} cannot be opened for writing: {error}",
                    hint="Check the owner and permissions of the home folder.",
                ) from error
            case _:
                raise
