"""The record of calls: events, calls, turns."""
