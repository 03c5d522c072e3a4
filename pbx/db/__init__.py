"""The one SQL database of an office: tables, migrations, and threads that talk to it.

engine.py      `open_database`, `Database.read` and `Database.write`
schema.py      the tables
bulk.py        many rows in few statements, compiled once
text.py        text as a database can take it
upgrade.py     brings an older database to the newest revision
migrations/    the steps between revisions (Alembic)

The stores of `cdr` and `directory` are built on it; they use SQLAlchemy Core and no ORM.
"""
