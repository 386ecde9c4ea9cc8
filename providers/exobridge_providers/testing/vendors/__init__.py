"""Fakes of vendors, one module for each protocol."""
