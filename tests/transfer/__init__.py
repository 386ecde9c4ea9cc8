"""Tests of handing a caller over."""
