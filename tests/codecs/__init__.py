"""Tests of exobridge_codecs, one module a module."""
