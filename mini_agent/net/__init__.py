"""Networking that several clients share: public addresses, HTTP, backoff, telemetry."""
