"""Records: one for each customer call, folded from the call's events.

record.py     what a record says; the JSON that users see
open_call.py  a call as far as its events tell; pure
fold.py       what each event changes; pure
rows.py       records and events as rows of the database; pure
outbox.py     rows that wait to be written; pure
recorder.py   the sink that writes them
recovery.py   the end of calls that a killed server left open
retention.py  forgets what is too old
store.py      looks records and events up
export.py     records as CSV and as JSON lines; pure
"""
