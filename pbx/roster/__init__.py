"""What the call centre remembers over restarts: duties, what agents did, places, call-backs."""
