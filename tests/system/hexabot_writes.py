#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""hexabot_writes.py STORE OUT: a small write to the store every few milliseconds, as Hexabot does with its sessions, until
OUT.stop is there. OUT then has: writes, those that failed, and their median and longest time in ms."""
import os
import sqlite3
import statistics
import sys
import time

store, out = sys.argv[1:]
db = sqlite3.connect(store, timeout=5, isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS writes (n INTEGER)")
times, failed = [], 0
while not os.path.exists(out + ".stop"):
    begin = time.monotonic()
    try:
        db.execute("INSERT INTO writes VALUES (1)")
    except sqlite3.OperationalError:
        failed += 1
    times.append((time.monotonic() - begin) * 1000)
    time.sleep(0.005)
with open(out, "w") as file:
    print(len(times), failed, round(statistics.median(times)), round(max(times)), file=file)
