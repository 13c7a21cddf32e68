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
	sql .dump
	hexactl log
	sha256sum "$MAP"
}

@test "--dry-run changes nothing and says what would change" {
	local before
	before=$(everything)
	exits 0 hexactl disable mona --dry-run
	[[ $output == *would* ]]
	exits 0 hexactl disable mona --hold --dry-run
	exits 0 hexactl role add mona admin --dry-run
	exits 0 hexactl role set mona public --dry-run
	exits 0 hexactl set mona --shell /bin/sh --dry-run
	exits 0 hexactl passwd mona --stdin --dry-run <<<pw-mona-never
	exits 0 hexactl publish --dry-run
	diff <(echo "$before") <(everything)
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

@test "init names the admins who have Hexabot's seed password" {
	exits 0 hexactl init --store "$STORE"
	[[ $output == *'seed password'* ]]
}

@test "init --create makes the three tables and roles of Hexabot, nothing else" {
	rm -rf /var/lib/hexactl/* /etc/hexabot
	exits 0 hexactl init --create --store /srv/new.sqlite
	[ "$(sqlite3 /srv/new.sqlite .tables | xargs)" = 'roles user_roles users' ]
	[ "$(sqlite3 /srv/new.sqlite 'SELECT name FROM roles ORDER BY name' | xargs)" = 'admin manager public' ]
	[ "$(stat -c '%U %a' /srv/new.sqlite)" = 'root 600' ]
	diff <(sqlite3 /srv/new.sqlite "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name" | tr -d ' \n\t') \
		<(sql "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND tbl_name IN ('users', 'roles', 'user_roles') ORDER BY name" | tr -d ' \n\t')
}
