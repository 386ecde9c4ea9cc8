"""A public set of scripted callers: how well does the bot take turns, at the caller's ear?

The call is the real one, from its text frames to its text frames; the other end of the line, the
caller and the providers are models in virtual time, so that thousands of calls take a few minutes
and each can be played again. ``docs/reference/turn-taking.md`` says what is judged and how.
"""
