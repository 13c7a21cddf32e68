#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lock_often.py STORE SECONDS FILE: locks everybody out of a SQLite database for so long, again and again. FILE is made when
it has begun."""
import sqlite3
import sys
import time

store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
while True:
    store.execute("BEGIN EXCLUSIVE")
    open(sys.argv[3], "w").close()
    time.sleep(float(sys.argv[2]))
    store.execute("COMMIT")
