#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# What local users and the store's own owner hold, fill, replace, link and stop, while root and Hexabot go on working.
#
# What must hold: Hexabot's writer waits no longer than DESIGN grants; nothing is followed, deleted or given away; root's
# `disable --hold` gets through whatever the store's owner does.

load host

setup_file() {
	store_setup
	mkdir -m 700 /etc/victims
	for name in one two three; do
		echo "precious $name" >"/etc/victims/$name"
	done
	chmod 600 /etc/victims/*
	victims >/root/victims
	cp -p "$STORE" /srv/good.sqlite
}

teardown() {
	attackers_end
	mend
	no_secret_in_log
	no_report_of_sanitizers
	victims | diff /root/victims -
	[ "$(stat -c '%U %a' /var/lib/hexactl/private /var/lib/hexactl/private/ledger.sqlite "$MAP" | xargs)" = \
		'root 700 root 600 root 444' ]
}

victims() { # all that root would miss
	(cd / && sha256sum etc/victims/* etc/passwd etc/shadow etc/group etc/hexabot/hexabot.conf)
	stat -c '%n %U %a %i' /etc/victims/* /etc/shadow /etc/hexabot/hexabot.conf
}

mend() { # the store as it was, and nothing beside it
	mountpoint -q /srv/hexabot && umount -l /srv/hexabot
	rm -rf /srv/hexabot/*
	cp -p /srv/good.sqlite "$STORE"
	chown -R hexabot: /srv/hexabot
	chmod 640 "$STORE"
}

# ---- attackers: each in the background, until the test ends ----

attackers=()

attacker() { # USER CMD...
	(exec setpriv --reuid "$1" --regid "$(id -g "$1")" --clear-groups "${@:2}" >/dev/null 2>&1 </dev/null 3>&- 4>&-) &
	attackers+=("$!")
}

attackers_end() {
	[ ${#attackers[@]} -gt 0 ] || return 0
	kill -KILL "${attackers[@]}" 2>/dev/null || true
	wait "${attackers[@]}" 2>/dev/null || true
	attackers=()
}

# ---- the bad night ----

hold_in() { # SECONDS USER: it counts that soon, whatever is said of the store
	local begin=$EPOCHSECONDS
	run timeout 60 hexactl disable --hold "$2"
	echo "$output"
	[ "$status" -eq 0 ] || [ "$status" -eq 6 ]
	[[ $output == *"held"* ]]
	[ $((EPOCHSECONDS - begin)) -lt "$1" ]
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite 'SELECT count(*) FROM holds')" -ge 1 ]
}

@test "disable --hold gets through while the owner locks everybody out of the store" {
	sql_open 'BEGIN EXCLUSIVE'
	hold_in 20 mona
	[[ $output == *"mona: held on this host; Hexabot's row could not be changed yet ($STORE: busy: sqlite3 (process "* ]]
	[[ $output == *"the changes are made, and count at each login"* ]]
	sql_kill
	run ssh_key mona true
	[ "$status" -ne 0 ]
	log_refused sshd:account mona 'held by root'
	hexactl show mona | grep -q "^parked *nothing yet"
	hexactl disable --hold mona
	hexactl show mona | grep -q "^parked *the password, the roles manager"
	hexactl enable mona
	ssh_password mona pw-mona true
}

@test "such a hold ends with enable as well: the row is as it was, or as root's passwd says" {
	sql_open 'BEGIN EXCLUSIVE'
	hold_in 20 mona
	run timeout 20 hexactl disable --hold mona
	[ "$status" -eq 6 ]
	[[ $output == *'mona: already held on this host'* ]]
	sql_kill
	sql 'SELECT id, password FROM users' >/tmp/before
	hexactl enable mona
	sql 'SELECT id, password FROM users' | diff /tmp/before -
	ssh_password mona pw-mona true

	sql_open 'BEGIN EXCLUSIVE'
	hold_in 20 mona
	sql_kill
	chpasswd <<<mona:pw-mona-other
	hexactl enable mona
	ssh_password mona pw-mona-other true
}

@test "while nobody has seen what is to be parked, no role of it is changed; a link that is on its way ends" {
	local verb
	sql "UPDATE users SET reset_token = 'of a link' WHERE username = 'mona'"
	sql_open 'BEGIN EXCLUSIVE'
	hold_in 20 mona
	sql_kill
	for verb in 'add mona admin' 'remove mona manager' 'set mona public'; do
		# shellcheck disable=SC2086
		run hexactl role $verb
		[ "$status" -eq 4 ]
		[[ $output == *"mona: held, and Hexabot's row is not parked yet: run 'hexactl disable --hold mona' first"* ]]
	done
	hexactl enable mona
	[ -z "$(sql "SELECT reset_token FROM users WHERE username = 'mona'")" ]
	hexactl show mona | grep -qE '^roles +manager'
}

@test "it gets through while the row is away, and counts when it is back" {
	sql "CREATE TABLE away AS SELECT * FROM users WHERE username = 'ada'; DELETE FROM users WHERE username = 'ada'"
	hold_in 20 ada
	[[ $output == *"no such user in Hexabot"* ]]
	run hexactl disable --hold nobody-knows
	[ "$status" -eq 3 ]
	sql 'INSERT INTO users SELECT * FROM away; DROP TABLE away'
	hexactl publish # the hold's own has taken the name away
	log_mark
	run ssh_key ada true
	[ "$status" -ne 0 ]
	log_refused sshd:account ada 'held by root'
	hexactl enable ada
	ssh_password ada pw-ada true
}

@test "it gets through by login or id when there is no store, or none that can be read" {
	local id
	id=$(sql "SELECT id FROM users WHERE username = 'pia'")
	rm "$STORE"
	hold_in 20 mona
	head -c 80000 /dev/urandom >"$STORE"
	chown hexabot: "$STORE"
	hold_in 20 "id:$id"
	run timeout 20 hexactl disable --hold ada@example.org nobody-knows
	[ "$status" -eq 6 ]
	[ "$(grep -c 'can be seen without it by login or id only' <<<"$output")" -eq 2 ]
	mend
	hexactl list --state held | grep -qw mona
	hexactl list --state held | grep -qw pia
	hexactl enable mona pia
}

@test "it gets through while the owner locks the store again and again, and the watcher waits for that" {
	attacker root hexactl watch
	sql "UPDATE users SET firstName = 'M' WHERE username = 'mona'"
	attacker hexabot python3 "$HERE/lock_often.py" "$STORE" 4.8 /tmp/locking
	until_true 30 test -e /tmp/locking
	hold_in 25 mona
	attackers_end
	hexactl enable mona
}

# ---- locks ----

@test "every lock that nobody and the owner can hold: root's changes and Hexabot's go on, or end in time and say why" {
	local user files
	chmod 644 "$STORE" # the attack on a database that all may read
	for user in nobody hexabot; do
		files=("$STORE" "$MAP" /var/lib/hexactl /srv/hexabot /etc/passwd /etc/hexabot/hexabot.conf "$MODULE" /etc/hexabot /var/lib)
		attacker "$user" "$HERE/hold_locks.py" "${files[@]}"
		until_true 10 test -e "/tmp/locked.$user"
		run as "$user" "$HERE/hold_locks.py" /var/lib/hexactl/private/ledger.sqlite /var/lib/hexactl/private/lock
		[[ $output == *'nothing locked'* ]]
		attempt su su - lars -c true
		attempt key ssh_key root true
		attempt mona ssh_key mona true
		attempt list timeout 20 hexactl list
		attempt map id mona
		attempts_end
		got_in su key map
		took_less 15000 su key mona list
		if [ "$user" = nobody ]; then # who may only read keeps nobody from reading
			got_in mona list
			run timeout 20 hexactl disable mona
			[ "$status" -eq 6 ]
			[[ $output == *'busy: '* ]]
		else
			kept_out mona list
			said list 'busy'
		fi
		hold_in 20 mona
		attackers_end
		sqlite3 /var/lib/hexactl/private/ledger.sqlite 'DELETE FROM holds; DELETE FROM hold_roles'
		rm "/tmp/locked.$user"
		timeout 10 hexactl publish
		ssh_key mona true
	done
}

@test "locks that are nothing to us delay nobody" {
	attacker nobody flock "$STORE" sleep 60
	attacker hexabot flock "$STORE" sleep 60
	attacker hexabot flock /srv/hexabot sleep 60
	attacker nobody flock "$MAP" sleep 60
	attacker nobody flock /var/lib/hexactl sleep 60
	sleep 0.3
	timeout 20 hexactl disable mona
	timeout 20 hexactl enable mona
	ssh_password mona pw-mona true
}

# ---- what lies beside the store ----

# Makes PATH something else than a plain file of the owner's.
plant() { # KIND PATH
	rm -rf "$2"
	case $1 in
	fifo) as hexabot mkfifo "$2" ;;
	directory) as hexabot mkdir "$2" ;;
	socket) as hexabot python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$2" ;;
	link-to-victim) as hexabot ln -s /etc/victims/one "$2" ;;
	link-to-shadow) as hexabot ln -s /etc/shadow "$2" ;;
	link-to-nothing) as hexabot ln -s /etc/hexabot/made-by-root "$2" ;;
	link-to-itself) as hexabot ln -s "$2" "$2" ;;
	link-to-device) as hexabot ln -s /dev/zero "$2" ;;
	hard-link) ln /etc/victims/two "$2" ;; # where the kernel does not protect root's files
	empty) as hexabot touch "$2" ;;
	endless) as hexabot truncate -s 1T "$2" ;;
	esac
}

@test "whatever the owner puts in the place of journal, log or shared memory is not followed, and ends in time" {
	local kind suffix suffixes=(journal wal shm)
	[ ! -d /tmp/sanitizer ] || suffixes=(journal)
	for suffix in "${suffixes[@]}"; do
		for kind in fifo directory socket link-to-victim link-to-shadow link-to-nothing link-to-itself link-to-device hard-link \
			empty endless; do
			[ "$suffix-$kind" != wal-endless ] || continue # the owner's own terabyte to read
			plant "$kind" "$STORE-$suffix"
			timeout 15 hexactl disable mona >/tmp/out 2>&1 || [ "$?" -eq 6 ] || [ "$?" -eq 1 ]
			timeout 15 pamtester sshd mona acct_mgmt >/dev/null 2>&1 || [ "$?" -eq 1 ]
			timeout 15 hexactl enable mona >/tmp/out 2>&1 || [ "$?" -eq 6 ] || [ "$?" -eq 1 ]
			[ ! -e /etc/hexabot/made-by-root ]
			victims | diff /root/victims -
			rm -rf /etc/victims/two.new "$STORE"-*
			mend
		done
	done
}

@test "the store replaced in a loop: by links to root's files, directories, FIFOs, other databases" {
	attacker hexabot "$HERE/replace_often" "$STORE" /srv/good.sqlite
	sleep 0.2
	local end=$((SECONDS + 3)) count=0
	while [ "$SECONDS" -lt "$end" ]; do
		timeout 15 hexactl list >/dev/null 2>&1 || [ "$?" -lt 100 ]
		timeout 15 hexactl disable mona >/dev/null 2>&1 || [ "$?" -lt 100 ]
		timeout 15 pamtester sshd mona acct_mgmt >/dev/null 2>&1 || [ "$?" -eq 1 ]
		timeout 15 hexactl publish >/dev/null 2>&1 || [ "$?" -lt 100 ]
		su - lars -c true
		((++count))
	done
	echo "$count rounds"
	[ "$count" -ge 3 ]
	[ "$(id -un "$(id -u mona)")" = mona ]
}

@test "a directory without room or names: a login that only reads goes on, a change says that it can't" {
	mount -t tmpfs -o size=$(($(stat -c %s "$STORE") + 65536)),uid="$(id -u hexabot)",mode=755 tmpfs /srv/hexabot
	cp -p /srv/good.sqlite "$STORE"
	as hexabot sh -c 'i=0; while mkdir "/srv/hexabot/$i" 2>/dev/null && [ $i -lt 3000 ]; do i=$((i + 1)); done; cat /dev/zero' \
		>/srv/hexabot/filling 2>/dev/null || true
	[ "$(df --output=avail /srv/hexabot | tail -n 1)" -eq 0 ]
	ssh_key mona true
	run hexactl disable mona
	[ "$status" -ne 0 ]
	[ -n "$output" ]
	run hexactl disable --hold mona
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *'mona: held on this host; '* ]]
	run ssh_key mona true
	[ "$status" -ne 0 ]
	rm /srv/hexabot/filling
	hexactl disable --hold mona
	hexactl enable mona
	ssh_key mona true
}

# ---- the past ----

@test "an older store swapped in by its owner gives nobody another's name or number; a hold stays" {
	local before
	sql_user newcomer manager
	hexactl disable --hold ada
	hexactl publish
	before=$(getent passwd mona ada newcomer | cut -d : -f 1,3,4)
	as hexabot cp /srv/good.sqlite "$STORE.old"
	as hexabot mv "$STORE.old" "$STORE"
	run ssh_key ada true
	[ "$status" -ne 0 ]
	run ssh_key newcomer true
	[ "$status" -ne 0 ]
	hexactl publish
	sql_user thief manager
	hexactl publish
	[ "$(getent passwd mona ada | cut -d : -f 1,3,4)" = "$(grep -v newcomer <<<"$before")" ]
	[ "$(id -u thief)" -ne "$(grep newcomer <<<"$before" | cut -d : -f 2)" ]
	hexactl enable ada
}

@test "an old ledger and map that root puts back: the disabled stay out, and no number goes to another" {
	local before
	cp -a /var/lib/hexactl /root/old
	sql_user later manager
	hexactl publish
	before=$(getent passwd mona later | cut -d : -f 1,3,4)
	hexactl disable mona
	rm -rf /var/lib/hexactl/*
	cp -a /root/old/. /var/lib/hexactl/
	run ssh_key mona true
	[ "$status" -ne 0 ]
	hexactl publish
	[ "$(getent shadow mona | cut -d : -f 2,8)" = '!*:1' ]
	[ "$(getent passwd mona later | cut -d : -f 1,3,4)" = "$before" ]
	run ssh_key mona true
	[ "$status" -ne 0 ]
}

# ---- callers ----

@test "callers stopped at any moment: Hexabot's writer waits three seconds at most" {
	local round
	[ ! -d /tmp/sanitizer ] || return 0 # what takes time there is the sanitizer
	as hexabot python3 "$HERE/write_often.py" "$STORE" 6 >/tmp/waited 3>&- 4>&- &
	local writer=$!
	for round in 1 2 3 4 5 6; do
		attempt "su$round" dialog 'assword: ' pw-mona -- setpriv --reuid lars --regid lars --init-groups su mona -c true
		attempt "sudo$round" as mona sudo -S -k true <<<pw-mona
		attempt "passwd$round" as mona timeout 8 passwd <<<pw-mona
	done
	attacker lars "$HERE/stop_often" 5 /tmp/stopped.lars
	attacker mona "$HERE/stop_often" 5 /tmp/stopped.mona
	wait "$writer"
	pkill -KILL -x 'su|sudo|passwd' || true
	attempts_end || true
	cat /tmp/waited /tmp/stopped.*
	[ "$(cat /tmp/stopped.lars)" -gt 0 ]
	[ "$(cat /tmp/stopped.mona)" -gt 0 ]
	[ "$(sed -n 's/^writes \([0-9]*\) .*/\1/p' /tmp/waited)" -gt 20 ]
	[ "$(sed -n 's/.* longest \([0-9]*\) ms$/\1/p' /tmp/waited)" -lt 3000 ]
}
