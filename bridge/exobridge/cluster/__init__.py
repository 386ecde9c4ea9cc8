"""One server on several cores: a supervisor, and workers that each serve calls.

::

    supervisor              starts, watches and replaces the workers; keeps the one book of slots
    ├── worker 0            a whole server process, with a listening socket of its own on the
    └── worker 1 …          same port (SO_REUSEPORT: the kernel deals out the connections)

Between the supervisor and each worker lies one socket pair (:mod:`~exobridge.cluster.channel`),
on which both speak :mod:`~exobridge.cluster.messages`. No audio and no record goes over it: a
worker that lost its supervisor still serves its calls to their end.
"""
