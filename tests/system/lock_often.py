#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""lock_often.py STORE SECONDS: locks everybody out of a SQLite database for so long, again and again."""
import sqlite3
import sys
import time

store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
while True:
    store.execute("BEGIN EXCLUSIVE")
    time.sleep(float(sys.argv[2]))
    store.execute("COMMIT")
