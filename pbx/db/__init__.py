"""The one SQL database of an office: tables, migrations, and threads that talk to it.

engine.py      `open_database`, `Database.read` and `Database.write`
schema.py      the tables
bulk.py        many rows in few statements, compiled once
upgrade.py     brings an older database to the newest revision
migrations/    the steps between revisions (Alembic)

Other packages see SQLAlchemy Core only; the stores that use it are `cdr/store.py`,
`cdr/recorder.py`, `directory/store.py` and `directory/bindings.py`.
"""
