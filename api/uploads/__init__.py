"""Recordings that somebody uploads: received encrypted, read and analysed apart, stored as a session.

`receiving` takes the request apart and encrypts it as it comes; `worker` claims what waits and stores what is found;
`apart` is the process in between, which alone sees the file: it has limits, a folder of its own, and no database.
`unpacking` keeps archives within bounds, `cutting` makes chunks of tracks, `spoken` is what the processes say.
"""
