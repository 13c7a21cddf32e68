#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The administrator's tool: guards, exit codes, JSON, what it prints where.

load host

setup_file() {
	store_setup
}

exits() { # STATUS CMD...
	local expected=$1
	run "${@:2}"
	echo "$output"
	[ "$status" -eq "$expected" ]
}

ours() { # every file of ours; the companions of an open ledger come and go
	find /var/lib/hexactl /etc/hexabot -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort
}

dry_run_as_real() { # STATUS ARGUMENT...: init says and exits the same with --dry-run, which changes nothing
	local before said expected=$1
	shift
	before=$(ours)
	exits "$expected" hexactl init --store "$STORE" "$@" --dry-run
	said=$(head -n 1 <<<"$output")
	[ "$(ours)" = "$before" ]
	exits "$expected" hexactl init --store "$STORE" "$@"
	[ "$(head -n 1 <<<"$output")" = "${said/would be /}" ]
}

state_of() { # USERNAME
	sql "SELECT state FROM users WHERE username = '$1'"
}

@test "0: done, and done already, which is no event" {
	local events
	exits 0 hexactl disable mona
	events=$(hexactl log | wc -l)
	exits 0 hexactl disable mona
	[[ $output == *'already disabled'* ]]
	[ "$(hexactl log | wc -l)" -eq "$events" ]
	exits 0 hexactl enable mona
}

@test "1: not root" {
	exits 1 as lars hexactl list
}

@test "2: wrong usage, with a word on what is wrong" {
	exits 2 hexactl
	exits 2 hexactl nonsense
	[[ $output == *nonsense* ]]
	exits 2 hexactl disable
	exits 2 hexactl list --nonsense
	exits 2 hexactl list --state nonsense
	exits 2 hexactl role add
	exits 2 hexactl set mona --expires tomorrowish
	exits 2 hexactl passwd mona --stdin <<<short
	[[ $output == *'hexactl: mona: the password is too short: it needs 8 characters or more' ]]
	exits 2 hexactl disable ''
	[[ $output == *"disable: '' is no name"* ]]
	exits 2 hexactl role add mona ''
	exits 2 hexactl show mona -dash
	[[ $output == "hexactl: -d: no option of 'show'"* ]]
}

@test "2: ambiguous, with how to say it" {
	sql_user mona@example.org manager
	exits 2 hexactl show mona@example.org
	[[ $output == *username:mona@example.org* && $output == *email:mona@example.org* ]]
	exits 0 hexactl show email:mona@example.org
	[[ $output == *'Mona Lind'* ]]
}

@test "3: no such user or role" {
	exits 3 hexactl show nobody-knows
	exits 3 hexactl disable nobody-knows
	exits 3 hexactl role add mona nonsense
}

@test "one of several users that is not there does not keep the others from being changed" {
	exits 3 hexactl disable nobody-knows mona
	[ "$(state_of mona)" = 0 ]
	hexactl enable mona
}

@test "4: the last enabled admin can't be disabled, held or demoted; --force does, and says how to undo it" {
	hexactl disable admin
	exits 4 hexactl disable ada
	exits 4 hexactl disable --hold ada
	exits 4 hexactl role remove ada admin
	exits 4 hexactl role set ada manager
	[ "$(state_of ada)" = 1 ]
	id -Gn ada | grep -qw hexabot-admin
	exits 0 hexactl disable --force ada
	[[ $output == *'hexactl enable ada'* ]]
	[ "$(state_of ada)" = 0 ]
	exits 0 hexactl enable ada admin
}

@test "4: an inactive admin role, a chat visitor and a held admin are no other admin" {
	sql "UPDATE users SET state = 0 WHERE username = 'admin'"
	sql "INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles
		WHERE type = 'SubscriberOrmEntity' AND roles.name = 'admin' LIMIT 1"
	exits 4 hexactl disable ada
	sql "UPDATE users SET state = 1 WHERE username = 'admin'"
	exits 0 hexactl disable ada
	exits 0 hexactl enable ada
}

@test "4: nobody disables or demotes themselves" {
	exits 4 env SUDO_USER=ada hexactl disable ada
	exits 4 env SUDO_USER=ada hexactl role remove ada admin
	exits 0 env SUDO_USER=ada hexactl disable mona
	exits 0 env SUDO_USER=ada hexactl enable mona
}

logged_in_as() { # USER CMD...
	local uid
	uid=$(id -u "$1")
	echo "$uid" >/proc/self/loginuid || return
	exec "${@:2}"
}

@test "4: nor through su, which leaves no SUDO_USER: the kernel knows who logged in" {
	(logged_in_as ada true) 2>/dev/null || skip "no login uid can be set here"
	exits 4 logged_in_as ada hexactl disable ada
	[[ $output == *yourself* ]]
	exits 4 logged_in_as ada hexactl role remove ada admin
	exits 0 logged_in_as ada hexactl disable mona
	[ "$(hexactl log mona | tail -n 1 | awk '{ print $4 }')" = ada ]
	exits 0 hexactl enable mona
}

@test "4: an expiry that has passed is a loss like disable; --force overrides, and says how to undo it" {
	exits 4 env SUDO_USER=ada hexactl set ada --expires 2020-01-31
	exits 4 env SUDO_USER=mona hexactl set mona --expires 2020-01-31T00:00:00Z
	exits 0 env SUDO_USER=mona hexactl set mona --expires 2999-01-31
	hexactl disable admin
	exits 4 hexactl set ada --expires 2020-01-31
	[[ $output == *'last enabled admin'* ]]
	hexactl list --state enabled | grep -qw ada
	exits 0 hexactl set ada --expires 2020-01-31 --force
	[[ $output == *"'hexactl set ada --expires never' undoes it"* ]]
	hexactl list --state expired | grep -qw ada
	exits 0 hexactl set ada --expires 2020-02-01
	exits 0 hexactl set ada --expires never
	exits 0 env SUDO_USER=mona hexactl set mona --force --expires 2020-01-31
	[[ $output == *"'hexactl set mona --expires 2999-01-31T23:59:59Z' undoes it"* ]]
	exits 0 hexactl set mona --expires never
	exits 0 hexactl enable admin
}

@test "people read local times with offset, programs UTC" {
	exits 0 env TZ=Asia/Tokyo hexactl set mona --expires 2030-01-31
	[[ $output == 'mona: given expiry 2030-01-31 23:59:59 +0900' ]]
	TZ=Asia/Tokyo hexactl set mona --expires never --json | grep -q '"before": "expiry 2030-01-31T14:59:59Z"'
	hexactl log mona --json | grep -q '"after": "expiry 2030-01-31T14:59:59Z"'
	[[ $(TZ=Asia/Tokyo hexactl log mona | tail -n 1) == *' +0900 '* ]]
	# No year has five digits.
	TZ=America/New_York hexactl set mona --expires 9999-12-31 --json | grep -q '"after": "expiry 9999-12-31T23:59:59Z"'
	exits 0 hexactl set mona --expires never
	[ "$(hexactl log --since 9999-12-31T23:59:59-01:00 | wc -l)" -eq 1 ]
}

@test "6: the store is away, or locked by a process that is named" {
	mv "$STORE" "$STORE.away"
	exits 6 hexactl list
	exits 6 hexactl disable mona
	mv "$STORE.away" "$STORE"
	sql_open 'BEGIN EXCLUSIVE'
	exits 6 timeout 8 hexactl disable mona
	sql_kill
	[[ $output == *sqlite3* ]]
}

everything() { # that hexactl writes
	rm -rf /tmp/copy
	cp -a /var/lib/hexactl/private /tmp/copy
	sqlite3 /tmp/copy/ledger.sqlite .dump
	sql .dump
	sha256sum "$MAP" "$CONF"
	stat -c '%n %i %U %a' /var/lib/hexactl/private/ledger.sqlite "$MAP" "$CONF" /home/*
}

@test "--dry-run changes nothing and says what would change" {
	local before
	hexactl disable --hold paul
	before=$(everything)
	grep -q '^INSERT INTO entries ' <<<"$before"
	grep -q '^INSERT INTO holds ' <<<"$before"
	exits 0 hexactl disable mona --dry-run
	[[ $output == *would* ]]
	exits 0 hexactl disable mona --hold --dry-run
	exits 0 hexactl role add mona admin --dry-run
	exits 0 hexactl role set mona public --dry-run
	exits 0 hexactl set mona --shell /bin/sh --dry-run
	exits 0 hexactl passwd mona --stdin --dry-run <<<pw-mona-never
	exits 0 hexactl publish --dry-run
	exits 0 hexactl enable paul --dry-run
	[[ $output == *would* ]]
	exits 0 hexactl enable max --dry-run
	exits 0 hexactl role remove mona manager --dry-run
	[[ $output == *would* ]]
	exits 0 hexactl role remove paul public --dry-run
	exits 0 hexactl set mona --login mona-two --dry-run
	[[ $output == *would* ]]
	exits 0 hexactl set mona --expires 2020-01-31 --dry-run
	exits 0 hexactl init --store "$STORE" --dry-run
	exits 0 hexactl init --store "$STORE" --rebuild-ledger --force --dry-run
	[[ $output == *would* ]]
	diff <(echo "$before") <(everything)
	hexactl enable paul
	hexactl disable paul
}

@test "every command explains itself to everybody" {
	local command
	for command in init list show 'role list' 'role add' 'role remove' 'role set' enable disable passwd set publish log; do
		# shellcheck disable=SC2086
		exits 0 as lars hexactl $command --help
		[[ $output == "usage: hexactl $command"* ]]
	done
	exits 0 as lars hexactl --help
}

@test "--json of every command fits its schema" {
	json_fits list hexactl list --json
	json_fits list hexactl list --unmapped --json
	json_fits show hexactl show ada --json
	json_fits show hexactl show 'odd user' --json
	json_fits role-list hexactl role list --json
	json_fits change hexactl role add mona operators --json
	json_fits change hexactl role add mona operators --json
	json_fits change hexactl role remove mona operators --json
	json_fits change hexactl role set mona manager --json
	json_fits change hexactl disable mona pia --json
	json_fits change hexactl enable mona pia --json
	json_fits change hexactl disable mona --hold --json
	json_fits show hexactl show mona --json
	json_fits change hexactl enable mona --json
	json_fits change hexactl set mona --shell /bin/sh --json
	json_fits change hexactl disable mona --dry-run --json
	json_fits change hexactl publish --json
	json_fits change hexactl init --store "$STORE" --json
	hexactl passwd mona --stdin --json <<<pw-mona-json | "$PROJECT/$BUILD/tests/json_schema" "$PROJECT/tests/schema/change.json"
	json_fits log hexactl log --json
	json_fits log hexactl log mona --json
}

@test "the schema checker refuses what does not fit" {
	exits 1 json_fits list echo '[{"id": 1}]'
	exits 1 json_fits change echo '{"changed": [], "unchanged": [], "dry_run": true}'
	exits 1 json_fits log echo '[]'
	exits 1 json_fits log echo 'no JSON'
}

@test "colour only on a terminal, and not with NO_COLOR" {
	local escape=$'\e['
	run hexactl list
	[[ $output != *"$escape"* ]]
	run dialog -- env TERM=xterm hexactl list
	[[ $output == *"$escape"* ]]
	run dialog -- env TERM=xterm NO_COLOR=1 hexactl list
	[[ $output != *"$escape"* ]]
}

@test "nothing that a user typed in Hexabot moves the terminal or makes a line" {
	sql "UPDATE users SET firstName = 'Eve' || char(27) || '[2J' || char(10) || 'root 0 enabled', lastName = char(155) || '31m' || char(8206)
		WHERE username = 'pia'"
	for command in list 'show pia' 'list --json' 'show pia --json'; do
		# shellcheck disable=SC2086
		run dialog -- env NO_COLOR=1 hexactl $command
		[[ $output != *$'\e'* && $output != *$'\xc2\x9b'* ]]
		[ "$(grep -c '^root 0' <<<"$output")" -eq 0 ]
	done
}

@test "nor is there an escape in role names, usernames, emails, events or error messages" {
	local escape command
	escape=$'\e[31m'
	sql "UPDATE users SET username = 'pia' || char(27) || '[31m', email = 'pia' || char(27) || '[31m@example.org' WHERE username = 'pia'"
	sql "INSERT INTO roles (id, created_at, updated_at, name, active)
		SELECT '00000000-0000-4000-8000-00000000e5c0', created_at, updated_at, 'red' || char(27) || '[31m', 1
		FROM roles WHERE name = 'admin'"
	sql "INSERT INTO user_roles SELECT id, '00000000-0000-4000-8000-00000000e5c0' FROM users WHERE username LIKE 'pia%'"
	hexactl disable "pia$escape"
	hexactl enable "pia$escape"
	hexactl role add mona "red$escape"
	for command in list 'list --unmapped' 'role list' log 'log mona' 'list --json' 'role list --json' 'log --json' \
		"show pia$escape" "show x$escape" "role add mona x$escape" "role remove mona red$escape" "disable --json x$escape" \
		"list --role x$escape" "x$escape" "list --x$escape" "init --store /x$escape"; do
		# shellcheck disable=SC2086
		run dialog -- env NO_COLOR=1 hexactl $command
		[ -n "$output" ]
		[[ $output != *$'\e'* ]]
	done
	run hexactl log
	[[ $output == *'red\x1b[31m'* ]]
	sql "DELETE FROM user_roles WHERE role_id = '00000000-0000-4000-8000-00000000e5c0';
		DELETE FROM roles WHERE id = '00000000-0000-4000-8000-00000000e5c0';
		UPDATE users SET username = 'pia', email = 'pia@example.org' WHERE username LIKE 'pia%'"
	hexactl publish
}

@test "columns stay aligned beside wide and combining characters" {
	local wide
	sql "UPDATE users SET email = '林檎@example.org' WHERE username = 'rita';
		UPDATE users SET email = 'e' || char(769) || 'cole@example.org' WHERE username = 'zoe'"
	run hexactl list
	# 林檎 has four columns and is two characters; the accent has none and is one.
	wide=$(grep -w mona <<<"$output")
	wide=${wide%%Mona*}
	[[ $(grep 林檎 <<<"$output") =~ ^(.*)Rita ]]
	[ "${#BASH_REMATCH[1]}" -eq $((${#wide} - 2)) ]
	[[ $(grep -w zoe <<<"$output") =~ ^(.*)Zoe ]]
	[ "${#BASH_REMATCH[1]}" -eq $((${#wide} + 1)) ]
	sql "UPDATE users SET email = username || '@example.org' WHERE username IN ('rita', 'zoe')"
}

@test "a new login keeps uid and home" {
	local before
	before=$(getent passwd rita)
	exits 0 hexactl set rita --login rita-two
	[ "$(getent passwd rita-two)" = "${before/#rita:/rita-two:}" ]
	run getent passwd rita
	[ "$status" -eq 2 ]
	exits 0 hexactl set rita-two --login rita --home ''
	[ "$(getent passwd rita)" = "$before" ]
}

@test "4: the home of somebody else is refused, and the name is not used up" {
	local before
	before=$(hexactl show rita)
	exits 4 hexactl set rita --home /home/lars
	[[ $output == */home/lars*'is there already and not theirs'* ]]
	exits 4 hexactl set 'odd user' --login oddly --home /home/lars
	mkdir /home/oddly
	exits 4 hexactl set 'odd user' --login oddly
	exits 4 hexactl set rita --login oddly --home ''
	rmdir /home/oddly
	[ "$(hexactl show rita)" = "$before" ]
	exits 0 hexactl set rita --login oddly
	exits 0 hexactl set rita --login rita --home ''
	exits 0 hexactl set rita --force --home /home/lars
	exits 0 hexactl set rita --home ''
}

@test "set changes what a user is on this host" {
	hexactl set mona --shell /bin/sh --home /home/mona-two
	[ "$(getent passwd mona | cut -d : -f 6,7)" = /home/mona-two:/bin/sh ]
	exits 4 hexactl set mona --shell /no/such/shell
	exits 2 hexactl set mona --home not/absolute
	hexactl set mona --shell /bin/bash --home /home/mona
}

@test "publish refuses to lose most users, unless forced" {
	cp -p "$STORE" /root/store.kept
	sql 'PRAGMA foreign_keys = OFF; DELETE FROM user_roles; DELETE FROM users WHERE username <> '"'ada'"
	exits 4 hexactl publish
	getent passwd mona
	cp -p /root/store.kept "$STORE"
	exits 0 hexactl publish
	getent passwd mona
}

@test "init adopts twice without a change, and never changes the schema" {
	local before
	before=$(sql .schema)
	exits 0 hexactl init --store "$STORE"
	[ "$(sql .schema)" = "$before" ]
	exits 6 hexactl init --store /no/such/file
	exits 4 hexactl init --store /var/lib/hexactl/private/ledger.sqlite
}

@test "init --dry-run says what the real run would do or refuse" {
	local ledger=/var/lib/hexactl/private/ledger.sqlite config
	dry_run_as_real 0
	[[ $output == *'already adopted: nothing to do'* ]]
	dry_run_as_real 4 --rebuild-ledger
	dry_run_as_real 4 --create
	config=$(cat "$CONF")
	echo 'uid_min = 1879048193' >>"$CONF"
	dry_run_as_real 6
	echo "$config" >"$CONF"
	chown root "$STORE" /srv/hexabot
	dry_run_as_real 4
	[[ $output == *'--force accepts the new owner'* ]]
	dry_run_as_real 0 --force
	chown hexabot "$STORE" /srv/hexabot
	dry_run_as_real 0 --force
	cp "$STORE" /srv/other.sqlite
	exits 4 hexactl init --store /srv/other.sqlite --dry-run
	rm -r "$ledger"*
	dry_run_as_real 4
	[[ $output == *'is gone, and its map is still there'* ]]
	dry_run_as_real 0 --rebuild-ledger
	dry_run_as_real 0
	rm -r "$ledger"* /root/map.kept 2>/dev/null || true
	mv "$MAP" /root/map.kept
	exits 6 hexactl init --store "$STORE" --rebuild-ledger --dry-run
	[ ! -e "$ledger" ]
	mv /root/map.kept "$MAP"
	dry_run_as_real 0 --rebuild-ledger
}

@test "init takes a configuration by a relative path" {
	cd /root
	exits 0 hexactl init --store "$STORE" --config relative.conf
	grep -qx "store = $STORE" /root/relative.conf
	exits 0 hexactl list --config relative.conf
	exits 0 hexactl init --store "$STORE" --config relative.conf
	[[ $output == *'nothing to do'* ]]
	exits 6 hexactl init --store "$STORE" --config nowhere/relative.conf
	[[ $output == *nowhere/relative.conf:* ]]
}

@test "init says what is left to do, and nothing else" {
	mv "$CONF" /tmp/conf
	exits 0 hexactl init --store "$STORE"
	[[ $output == *"  1. 'hexactl doctor'"* && $output != *nsswitch* ]]
	cp /etc/nsswitch.conf /etc/pam.d/common-password /tmp
	sed -i 's/^group:.*/group: files/' /etc/nsswitch.conf
	sed -i /pam_hexabot/d /etc/pam.d/common-password
	rm "$CONF"
	exits 0 hexactl init --store "$STORE"
	[[ $output == *'  1. /etc/nsswitch.conf: '*'  2. pam-auth-update --enable hexabot hexabot-password'*"  3. 'hexactl doctor'"* ]]
	cp /tmp/nsswitch.conf /etc
	cp /tmp/common-password /etc/pam.d
	mv /tmp/conf "$CONF"
}

@test "init counts in right numbers" {
	exits 0 hexactl init --store "$STORE"
	[[ $output == *', 1 user without a login'* || $output == *[02-9]' users without a login'* ]]
}

@test "init names the admins who have Hexabot's seed password" {
	exits 0 hexactl init --store "$STORE"
	[[ $output == *'seed password'* ]]
}

@test "init --create makes the three tables and roles of Hexabot, nothing else" {
	rm -rf /var/lib/hexactl/* /etc/hexabot
	exits 0 hexactl init --create --store /srv/new.sqlite --dry-run
	[ -z "$(ls -A /var/lib/hexactl)" ]
	[ ! -e /etc/hexabot ]
	[ ! -e /srv/new.sqlite ]
	exits 0 hexactl init --create --store /srv/new.sqlite
	[ "$(sqlite3 /srv/new.sqlite .tables | xargs)" = 'roles user_roles users' ]
	[ "$(sqlite3 /srv/new.sqlite 'SELECT name FROM roles ORDER BY name' | xargs)" = 'admin manager public' ]
	[ "$(stat -c '%U %a' /srv/new.sqlite)" = 'root 600' ]
	diff <(sqlite3 /srv/new.sqlite "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name" | tr -d ' \n\t') \
		<(sql "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND tbl_name IN ('users', 'roles', 'user_roles') ORDER BY name" | tr -d ' \n\t')
}
