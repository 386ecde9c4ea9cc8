"""Skylark for exobridge."""
