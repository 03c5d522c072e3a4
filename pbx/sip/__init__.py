"""SIP, sans-IO (RFC 3261 and its extensions): bytes in, bytes and events out.

No clock, no socket, no SDP: a body is bytes and a content type. Each file knows those above it.

Reading and writing messages
    grammar     tokens, quoted strings, escapes, lists
    parameters  Parameters: ;name=value
    uri         Uri: SIP URIs and how they compare
    headers     typed values: NameAddr, Via, CSeq, MediaType, Reason
    fields      Headers: the fields of one message by name, as text
    framing     bytes → start line and fields; limits, folding, Content-Length
    validation  validate_request: what every request must have
    message     Request, Response, parse_message
    stream      StreamBuffer: messages out of a TCP stream
    writing     what goes out, as bytes
    flow        where a message came from and where one goes; reasons: phrases of status codes

The user agent (start with `user_agent`, its verbs, and `events`, what it tells)
    transaction, machine, transaction_layer, deadlines    the four tables and what runs them
    dialog, session_timer                                 what outlives a transaction
    receiving, screening, outgoing, invite…               one file for each act
    subscription                                          what a phone wants to be told of

Who registers and who may
    digest, auth, guard                                   credentials, challenges, bans
    binding, registration, registrar                      where an extension's phones are

transport [io] and its parts are the only files here that touch a socket.
"""
