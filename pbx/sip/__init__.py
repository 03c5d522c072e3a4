"""SIP, sans-IO (RFC 3261 and its extensions): bytes in, bytes and events out.

No clock, no socket, no SDP. Reading and writing messages, each file on those above it:

    grammar     tokens, quoted strings, escapes, lists
    parameters  Parameters: ;name=value
    uri         Uri: SIP URIs and how they compare
    headers     typed values: NameAddr, Via, CSeq, MediaType, Reason
    fields      Headers: the fields of one message by name, as text
    framing     bytes → start line and fields; limits, folding, Content-Length
    validation  validate_request: what every request must have
    message     Request, Response, parse_message
    stream      StreamBuffer: messages out of a TCP stream

The user agent and all that stands on it: `user_agent`, whose docstring says where to go from there.
`flow` names where a message came from and where one goes, `reasons` the phrases of status codes.
"""
