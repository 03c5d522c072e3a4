"""What comes and goes on the wire: sockets, source lock, SRTP, RTP, RTCP, relay, jitter buffer."""
