#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""hexabot_writes.py STORE OUT [PAUSE]: a small write to the store every few milliseconds, as Hexabot does with its sessions,
until OUT.stop is there; with PAUSE, a write that holds the whole store for two seconds, with PAUSE seconds in between.
OUT then has: writes, those that failed, the median and the longest time that one took in ms; with PAUSE, the holds, too."""
import os
import sqlite3
import statistics
import sys
import time

store, out, *pause = sys.argv[1:]
pause = float(pause[0]) if pause else float("inf")
db = sqlite3.connect(store, timeout=5, isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS writes (n INTEGER)")
times, failed, holds = [], 0, 0


def write():
    global failed
    begin = time.monotonic()
    try:
        db.execute("INSERT INTO writes VALUES (1)")
    except sqlite3.OperationalError:
        failed += 1
    times.append((time.monotonic() - begin) * 1000)


next_hold = time.monotonic() + pause
while not os.path.exists(out + ".stop"):
    if time.monotonic() < next_hold:
        write()
        time.sleep(0.005)
        continue
    db.execute("BEGIN EXCLUSIVE")
    write()
    time.sleep(2)
    db.execute("COMMIT")
    holds += 1
    next_hold = time.monotonic() + pause
with open(out, "w") as file:
    print(len(times), failed, round(statistics.median(times)), round(max(times)), *([holds] if holds else []), file=file)
