"""The HTTP API: the only way in, for the command line and for every integrator.

`office.py` says what the API needs of the rest of callpbx, `views.py` what it answers with;
`app.py` builds the application, `routes/` holds one file per resource, `stream.py` the event
WebSocket, `serving.py` runs it inside the server's event loop and `client.py` is the caller's side.
"""
