"""Who belongs to the office: extensions, trunks, API tokens; and where the phones are.

model.py     the values, and what they must look like
snapshot.py  all of them in memory, for look-ups that must not wait
store.py     the same in the database
bindings.py  registered contacts in the database, so that they survive a restart
"""
