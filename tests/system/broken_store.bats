#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Whatever is wrong with store or ledger: Hexabot's users are refused, nobody else notices.

load broken

refused='pam_hexabot\((sshd):(auth|account)\): refused mona from [^ ]*: .*'

@test "the store is absent" {
	rm "$STORE"
	mona_alone_is_refused "$refused$STORE: No such file"
}

@test "the store is corrupt" {
	head -c 80000 /dev/urandom 1<>"$STORE"
	mona_alone_is_refused "$refused$STORE.*not a database"
}

@test "the store is another database" {
	rm "$STORE"
	sqlite3 "$STORE" 'CREATE TABLE users (id)'
	chown hexabot: "$STORE"
	mona_alone_is_refused "$refused$STORE: not a Hexabot database"
}

@test "the store is a directory" {
	rm "$STORE"
	mkdir "$STORE"
	chown hexabot: "$STORE"
	mona_alone_is_refused "$refused$STORE: not a regular file"
}

@test "the store is a symbolic link" {
	mv "$STORE" "$STORE.real"
	ln -s "$STORE.real" "$STORE"
	mona_alone_is_refused "$refused$STORE: "
}

@test "the store is unreadable" {
	chmod 0 "$STORE"
	mona_alone_is_refused "$refused$STORE"
}

@test "the store is writable by the world" {
	chmod 666 "$STORE"
	mona_alone_is_refused "$refused$STORE: writable by others"
}

@test "the store belongs to somebody else" {
	chown lars "$STORE"
	mona_alone_is_refused "$refused$STORE: belongs to"
}

@test "the store is locked by another process" {
	sql_open 'BEGIN EXCLUSIVE'
	mona_alone_is_refused "$refused$STORE: busy"
	sql_kill
}

@test "the ledger is absent" {
	rm /var/lib/hexactl/private/ledger.sqlite*
	mona_alone_is_refused "${refused}ledger"
}

@test "the ledger is corrupt" {
	rm -f /var/lib/hexactl/private/ledger.sqlite-*
	head -c 20000 /dev/urandom 1<>/var/lib/hexactl/private/ledger.sqlite
	mona_alone_is_refused "${refused}ledger"
}

@test "and when all is well again mona gets in" {
	ssh_password mona pw-mona true
}
