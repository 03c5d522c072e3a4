"""Sound: what is agreed with a phone about it, and the processes that carry it.

Signalling side, free of numpy (the weight rule): what is said to phones and to workers
    codec.py          descriptions of the codecs: names, payload types, clocks, parameters
    sdp.py            text of a session description ⇄ values (RFC 8866)
    formats.py        what a description says about audio, and what we are able to speak
    offer_answer.py   the offer/answer state of one leg (RFC 3264)
    protocol.py       commands to a worker and its events, one datagram each
    engine.py         `MediaEngine`: what a call needs of the media side
    engine_client.py  [io] the embedded engine: starts workers, talks to them, replaces dead ones

Worker side, in a process of its own (`python -m pbx.media.worker`): everything else here.
"""
