"""Acme's provider for exobridge."""
