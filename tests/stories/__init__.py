"""Whole calls through a flow of Exotel's applets, over real HTTP and WebSockets."""
