"""SIP, sans-IO (RFC 3261 and its extensions): bytes in, events and bytes out; no clock, no socket, no SDP.

Reading and writing messages, from the bottom up:

    grammar     tokens, quoted strings, lists, parameters, escapes
    uri         SIP URIs and how they compare
    headers     typed values: NameAddr, Via, CSeq, MediaType, Reason
    fields      Headers: the fields of a message by name, as text
    message     Request, Response, parse_message
    validation  validate_request: what every request must have
    reasons     reason phrases
    stream      StreamBuffer: messages out of a TCP stream
    flow        where a message came from and where one goes
"""
