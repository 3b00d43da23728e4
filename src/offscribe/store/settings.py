"""Settings: what a person chose for this home, beside the history it belongs to."""

from __future__ import annotations

import json

from offscribe.store.database import Database


class Settings:
    """Named values. An absent one is None."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def default_model(self) -> str | None:
        """The id of the model that is used where nobody names one."""
        rows = self._db.read("SELECT value FROM settings WHERE key = 'default_model'")
        return json.loads(rows[0]["value"]) if rows else None

    @default_model.setter
    def default_model(self, model_id: str) -> None:
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO settings (key, value) VALUES ('default_model', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (json.dumps(model_id),),
            )
