"""The review page: `forge review` on 127.0.0.1, server-rendered, for the person who decides and nobody else.

`server.py` answers requests behind `guard.py`; `desk.py` does what they ask; `packet.py` gathers what a page shows.
Every decision and every save goes through the same functions as the terminal's.
"""
