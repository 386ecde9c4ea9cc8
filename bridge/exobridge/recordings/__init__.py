"""Recordings: fetched from Exotel, checked, stored."""
