from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from offscribe.errors import Conflict, OffscribeError
from offscribe.store.database import Database, DatabaseDamaged


def test_a_new_database_is_opened_twice_without_harm(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    for _ in range(2):
        database = Database(path)
        assert database.read("SELECT COUNT(*) AS n FROM jobs")[0]["n"] == 0
        database.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "history.db")

    def half_a_write() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO records_index (rowid, name) VALUES (1, 'half')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_write()
    assert database.read("SELECT * FROM records_index WHERE records_index MATCH 'half'") == []
    database.close()


def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"this is no database " * 100)
    with pytest.raises(DatabaseDamaged):
        Database(path)
    assert path.read_bytes() == b"this is no database " * 100


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(Conflict) as caught:
        Database(path)
    assert caught.value.code == "database_newer"


def test_a_folder_in_its_place_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OffscribeError):
        Database(tmp_path)
