"""The tests of that package."""
