#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""corrupt.py GOOD DIRECTORY: makes corrupt databases of a good one (pages of 4096 bytes, tables of mixed.sql), one file for
each line of the tables below. A name that begins with fine- is only unusual: users are to be found in it as before. With half- it can be read in part.

Prints their names."""
import random
import shutil
import sqlite3
import struct
import sys

PAGE = 4096
good = sys.argv[1]
directory = sys.argv[2]


def number(offset, format, value):
    """Writes a number of the header, big-endian as all of SQLite's."""
    return lambda data: data.__setitem__(slice(offset, offset + struct.calcsize(format)), struct.pack(format, value))


def cut(size):
    return lambda data: data.__delitem__(slice(size, None))


def fill(page, start, size, byte):
    return lambda data: data.__setitem__(
        slice((page - 1) * PAGE + start, (page - 1) * PAGE + start + size), bytes([byte]) * size)


def replace(old, new):
    def change(data):
        assert data.count(old) > 0 and len(old) == len(new)
        data[:] = data.replace(old, new)
    return change


def become(content):
    return lambda data: data.__setitem__(slice(None), content)


def users_page():
    with sqlite3.connect(good) as db:
        return db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'users' AND type = 'table'").fetchone()[0]


USERS = users_page()
START = (USERS - 1) * PAGE


def turn_into_inner_page(child):
    """The users' root becomes an inner page without cells, whose one child is this page."""
    return lambda data: data.__setitem__(slice(START, START + 12), struct.pack(">BHHHBI", 5, 0, 0, 0, 0, child))


BYTES = {
    "empty": cut(0),
    "one-byte": cut(1),
    "a-half-header": cut(50),
    "a-header": cut(100),
    "a-page": cut(PAGE),
    "cut-within-the-schema": cut(PAGE + 100),
    "cut-before-users": cut(START),
    "cut-within-users": cut(START + 100),
    "magic": number(0, ">I", 0),
    "page-size-0": number(16, ">H", 0),
    "page-size-512": number(16, ">H", 512),
    "page-size-65536": number(16, ">H", 1),
    "page-size-1000": number(16, ">H", 1000),
    "half-write-version-9": number(18, ">B", 9),
    "read-version-9": number(19, ">B", 9),
    "half-reserved-255": number(20, ">B", 255),
    "payload-fractions": number(21, ">I", 0),
    "schema-format-99": number(44, ">I", 99),
    "half-encoding-9": number(56, ">I", 9),
    "encoding-utf16": number(56, ">I", 2),
    "root-page-kind": fill(1, 100, 1, 0),
    "root-page-cells": fill(1, 103, 2, 255),
    "schema-of-zeros": fill(1, 100, PAGE - 100, 0),
    "schema-of-ones": fill(1, 100, PAGE - 100, 255),
    "users-of-zeros": fill(USERS, 0, PAGE, 0),
    "users-of-ones": fill(USERS, 0, PAGE, 255),
    "users-kind": fill(USERS, 0, 1, 10),
    "users-cells": fill(USERS, 3, 2, 255),
    "users-pointers": fill(USERS, 8, 40, 255),
    "users-in-a-circle": turn_into_inner_page(USERS),
    "users-in-the-schema": turn_into_inner_page(1),
    "users-nowhere": turn_into_inner_page(0),
    "users-beyond-the-end": turn_into_inner_page(2 ** 31 - 1),
    "no-create": replace(b'CREATE TABLE "users"', b'CREATE TABEL "users"'),
    "no-column-state": replace(b'"state" boolean', b'"stade" boolean'),
    "no-column-type": replace(b'"type" varchar', b'"tipe" varchar'),
    "zeros": become(bytes(100000)),
    "noise": become(random.Random(1).randbytes(100000)),
    "noise-behind-magic": become(b"SQLite format 3\0" + random.Random(2).randbytes(100000)),
    "text": become(b"mona:x:0:0::/root:/bin/sh\n" * 1000),
    "program": become(open("/bin/true", "rb").read()),
    "huge-page-count": number(28, ">I", 2 ** 31),
    "fine-freelist-of-itself": lambda data: (number(32, ">I", USERS)(data), number(36, ">I", 999)(data)),
    "fine-counters": number(24, ">I", 0xffffffff),
}

LETTERS = ", ".join(f"{name} {kind}" for name, kind in [
    ("id", ""), ("created_at", ""), ("updated_at", ""), ("firstName", ""), ("lastName", ""), ("type", ""),
    ("username", ""), ("email", ""), ("password", ""), ("state", ""), ("provider", ""), ("reset_token", "")])
NAMES = LETTERS.replace(" ,", ",")
MOVE = "ALTER TABLE users RENAME TO hidden;"

SQL = {
    "no-users": "DROP TABLE users",
    "no-roles": "DROP TABLE roles",
    "no-user-roles": "DROP TABLE user_roles",
    "renamed": "ALTER TABLE users RENAME TO Users2",
    "column-missing": "DROP INDEX IDX_94e2000b5f7ee1f9c491f0f8a8; ALTER TABLE users RENAME COLUMN password TO secret",
    "view": MOVE + "CREATE VIEW users AS SELECT * FROM hidden",
    "view-of-roots": MOVE + f"CREATE VIEW users AS SELECT {NAMES.replace('username', 'upper(username) AS username')} FROM hidden",
    "view-of-memberships": "ALTER TABLE user_roles RENAME TO hidden; CREATE VIEW user_roles AS "
                           "SELECT users.id AS user_id, roles.id AS role_id FROM users, roles",
    "virtual": MOVE + "CREATE VIRTUAL TABLE users USING fts4(id, username, email, password, state, type)",
    "generated": "ALTER TABLE users ADD COLUMN slow AS (hex(zeroblob(100000)))",
    "computed-index": "CREATE INDEX slow ON users (hex(zeroblob(1000)) || username)",
    "partial-index": "CREATE INDEX slow ON users (username) WHERE length(username) > 1",
    "without-rowid": MOVE + f"CREATE TABLE users ({NAMES}, PRIMARY KEY (id)) WITHOUT ROWID;"
                            f"INSERT INTO users SELECT {NAMES} FROM hidden",
    "column-rowid": MOVE + f"CREATE TABLE users (rowid, {NAMES}); INSERT INTO users SELECT -rowid, {NAMES} FROM hidden",
    "fine-triggers": "CREATE TRIGGER up AFTER UPDATE ON users BEGIN UPDATE users SET state = 1; END;"
                     "CREATE TRIGGER more AFTER INSERT ON roles BEGIN SELECT hex(zeroblob(1000000)); END",
    "fine-more-columns": "ALTER TABLE users ADD COLUMN more; ALTER TABLE roles ADD COLUMN more DEFAULT 7",
    "fine-more-tables": "CREATE TABLE Users2 (id); CREATE VIEW odd AS SELECT * FROM nowhere",
    "fine-no-indexes": "".join(f'DROP INDEX "IDX_{name}";' for name in [
        "af99afb7cf88ce20aff6977e68", "5372672fbfd1677205e0ce3ece", "94e2000b5f7ee1f9c491f0f8a8",
        "97672ac88f789774dd47f7c8be", "fe0bb3f6520ee0469504521e71"]),
    "fine-page-size-512": "PRAGMA page_size = 512; VACUUM",
    "fine-page-size-65536": "PRAGMA page_size = 65536; VACUUM",
    "fine-auto-vacuum": "PRAGMA auto_vacuum = FULL; VACUUM",
    "fine-log": "PRAGMA journal_mode = WAL",
    "fine-statistics": "ANALYZE; UPDATE sqlite_stat1 SET stat = '1 1 1'; INSERT INTO sqlite_stat1 VALUES ('users', NULL, '0')",
}


def make_by_collation(path):
    """An index in an order that only its maker's program knows."""
    db = sqlite3.connect(path)
    db.create_collation("theirs", lambda a, b: (a < b) - (a > b))
    db.execute("CREATE INDEX theirs ON users (username COLLATE theirs)")
    db.commit()
    db.close()


def make_utf16(path):
    lines = "\n".join(sqlite3.connect(good).iterdump())
    open(path, "w").close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA encoding = 'UTF-16le'")
    db.executescript(lines)
    db.close()


OTHER = {"fine-other-collation": make_by_collation, "fine-utf16": make_utf16}

for name, change in BYTES.items():
    content = bytearray(open(good, "rb").read())
    change(content)
    with open(f"{directory}/{name}", "wb") as file:
        file.write(content)
for name, statements in SQL.items():
    shutil.copy(good, f"{directory}/{name}")
    with sqlite3.connect(f"{directory}/{name}") as connection:
        connection.executescript(statements)
    connection.close()
for name, make in OTHER.items():
    shutil.copy(good, f"{directory}/{name}")
    make(f"{directory}/{name}")
print(*BYTES, *SQL, *OTHER, sep="\n")
