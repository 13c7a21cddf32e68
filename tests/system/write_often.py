#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""write_often.py STORE SECONDS: writes as Hexabot does, twenty times a second. Prints "writes N longest M ms"."""
import sqlite3
import sys
import time

store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
end = time.monotonic() + float(sys.argv[2])
writes, longest = 0, 0.0
while time.monotonic() < end:
    began = time.monotonic()
    store.execute("UPDATE users SET lastvisit = datetime() WHERE username = 'zoe'")
    longest = max(longest, time.monotonic() - began)
    writes += 1
    time.sleep(0.05)
print(f"writes {writes} longest {longest * 1000:.0f} ms")
