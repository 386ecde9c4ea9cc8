"""Tests of exobridge.exotel, one module a module."""
