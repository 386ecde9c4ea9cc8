"""Flows: a call's way through Exotel's applets, written as TOML and walked against a server.

``model`` is what can stand in a file, ``load`` reads one and warns of paths that lead nowhere;
``facts`` fills the parameters of Exotel's requests with what happened before. These are pure.
``walk`` plays a call.
"""
