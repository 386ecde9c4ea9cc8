"""Plays a kept call again, and tells what differs.

``script`` is the caller's side as it was, ``seen`` what can be seen of a stream, ``compare`` the
differences; ``live`` plays at a server in real time, ``offline`` through the call's own rules in
virtual time.
"""
