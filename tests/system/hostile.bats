#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the owner of the store, the caller of a set-uid program and any local user can't do.

load host

setup_file() {
	store_setup
}

forge() { # DIRECTORY [VICTIM]: of a copy of the store that hexabot owns; /etc/victim is root's
	local victim=${2-/etc/victim}
	echo precious >"$victim"
	[ "$1/hexabot.sqlite" = "$STORE" ] || cp -p "$STORE" "$1/"
	chown hexabot: "$1"
	"$HERE/forge_journal" "$victim" "$(($(stat -c %s "$STORE") / 4096))" >"$1/hexabot.sqlite-journal"
	chown hexabot: "$1/hexabot.sqlite-journal"
}

@test "a forged hot journal makes a plain root program delete root's file: the forgery is good" {
	mkdir /srv/control
	forge /srv/control
	sqlite3 /srv/control/hexabot.sqlite 'SELECT count(*) FROM users'
	[ ! -e /etc/victim ]
}

@test "it makes neither pam_hexabot nor hexactl delete it" {
	local cmd
	for cmd in 'ssh_key mona true' 'su_as lars mona pw-mona true' 'hexactl list' 'hexactl disable mona' 'chpasswd <<<mona:pw-mona-new'; do
		forge /srv/hexabot
		eval "$cmd" || true
		[ "$(cat /etc/victim)" = precious ]
	done
	rm -f "$STORE-journal"
	hexactl enable mona
}

@test "nor what groups of the caller's might delete" {
	local cmd
	groupadd --gid 3333 project
	install -d -m 0775 -g project /srv/project
	for cmd in 'setpriv --groups 3333 hexactl list' \
		'dialog assword: pw-mona -- setpriv --reuid lars --regid lars --groups 3333 su mona -c true'; do
		forge /srv/hexabot /srv/project/victim
		$cmd || true
		[ "$(cat /srv/project/victim)" = precious ]
	done
	rm -f "$STORE-journal"
}

@test "nor open what it names: a FIFO, or a file of zeros, of which SQLite would look up each one" {
	local make
	for make in mkfifo 'truncate --size=50M'; do
		# shellcheck disable=SC2086
		as hexabot $make /srv/hexabot/named
		"$HERE/forge_journal" /srv/hexabot/named "$(($(stat -c %s "$STORE") / 4096))" >"$STORE-journal"
		chown hexabot: "$STORE-journal"
		run timeout 10 hexactl list
		[ "$status" -eq 6 ]
		[[ $output == *"its journal names a file that is not the database's"* ]]
		rm -f "$STORE-journal" /srv/hexabot/named
		hexactl list >/dev/null
	done
}

@test "a journal that Hexabot left when it was killed is rolled back" {
	# A cache of one page: changed pages are in the file before the commit.
	sql_open 'PRAGMA cache_size = 1; BEGIN; UPDATE users SET state = 0; CREATE TABLE filler AS
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT hex(randomblob(50)) FROM n'
	sql_kill
	[ -s "$STORE-journal" ]
	ssh_key mona true
	[ ! -s "$STORE-journal" ]
	[ "$(stat -c %U "$STORE")" = hexabot ]
	[ "$(sql "SELECT state FROM users WHERE username = 'mona'")" = 1 ]
	[ "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = 'filler'")" = 0 ]
}

su_process() { # of lars's
	local status
	for status in /proc/[0-9]*/status; do
		if grep -qs '^Name:	su$' "$status"; then
			basename "$(dirname "$status")"
			return
		fi
	done
	return 1
}

@test "who calls su can't stop it while it is at the store" {
	local pid
	sql_open 'BEGIN EXCLUSIVE'
	attempt su dialog 'assword: ' pw-mona -- setpriv --reuid lars --regid lars --init-groups \
		su mona -c 'echo in'
	until_true 5 su_process
	pid=$(su_process)
	until_true 10 grep -q '^Uid:	0	0	0	' "/proc/$pid/status" # the password is typed; su waits for the lock
	run as lars kill -STOP "$pid"
	sql_kill
	[ "$status" -ne 0 ]
	[[ $output == *'not permitted'* ]]
	attempts_end
	got_in su
	said su '^in'
}

@test "who stops su at the prompt stops nobody else: it holds no lock" {
	local pid
	attempt su dialog 'no prompt is this' '' -- setpriv --reuid lars --regid lars --init-groups su mona
	until_true 5 su_process
	pid=$(su_process)
	sleep 0.3
	as lars kill -STOP "$pid"
	timeout 3 sqlite3 "$STORE" 'BEGIN EXCLUSIVE; ROLLBACK'
	hexactl publish
	kill -KILL "$pid"
	attempts_end
}

locked() { # FILE
	! flock --nonblock "$1" true
}

@test "a local user who locks the map keeps nobody from publishing" {
	local file locks=()
	for file in "$MAP" /var/lib/hexactl; do
		(exec setpriv --reuid lars --regid lars --clear-groups flock --no-fork "$file" sleep 60 3>&- 4>&-) &
		locks+=("$!")
		until_true 10 locked "$file"
	done
	timeout 20 hexactl disable Emile.D
	run ssh_key Emile.D true
	[ "$status" -ne 0 ]
	hexactl enable Emile.D
	kill "${locks[@]}"
	wait "${locks[@]}" || true
	flock --nonblock "$MAP" true
}

@test "a password column of the user's own making burns no time and opens nothing" {
	local value before
	before=$(sql "SELECT password FROM users WHERE username = 'ada'")
	for value in "'\$2b\$31\$abcdefghijklmnopqrstuuyS0nBdGNdnpuJJ7Tw3kKzUbTFE8yq6S'" "'\$6\$salt\$x'" "''" NULL "'pw-ada'" \
		"hex(randomblob(50000))" "'\$2b\$12\$short'" "X'00'"; do
		sql "UPDATE users SET password = $value WHERE username = 'ada'"
		attempt empty su_as lars ada '' true
		attempt plain ssh_password ada pw-ada true
		attempts_end
		kept_out empty plain
		took_less 20000 empty plain # a cost of 31 takes hours
	done
	sql "UPDATE users SET password = '$before' WHERE username = 'ada'"
	ssh_password ada pw-ada true
}

@test "who may read the host's files reads no hash and no code" {
	[ "$(stat -c '%U %a' /var/lib/hexactl/private /var/lib/hexactl/private/ledger.sqlite "$MAP" | xargs)" = \
		'root 700 root 600 root 444' ]
	[ "$(grep -c '[$]2[aby]' "$MAP")" -eq 0 ]
	run as lars getent shadow mona
	[ "$output" = 'mona:*:::::::' ]
	run as lars hexactl list
	[ "$status" -eq 1 ]
}
