#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A store full of what anybody may have written into it (tests/data/nasty.sql), and a million chat visitors beside that.
#
# What must hold: NSS stays well-formed, nobody gets in who has not a proper login, hash, state and type; every command
# prints what a terminal and a JSON reader can take; all of it in bounded time and memory.

load host

operator="type = 'UserOrmEntity'"
named="typeof(id) = 'text' AND instr(id, char(0)) = 0 AND id <> ''" # with an id that can be typed

setup_file() {
	host_setup
	store_make
	as hexabot sqlite3 -bail "$STORE" <"$PROJECT/tests/data/nasty.sql"
	hexactl init --store "$STORE"
	echo 'password_cost = 10' >>"$CONF" # that of ada's hash: a quarter of the time
	cat >/etc/pam.d/nasty <<-END
		auth required pam_hexabot.so
		account required pam_hexabot.so
	END
}

nss_files() { # leaves what NSS says in /tmp/nss
	local database
	rm -rf /tmp/nss
	mkdir /tmp/nss
	for database in passwd group shadow; do
		getent "$database" >"/tmp/nss/$database"
	done
}

fields() { # DATABASE NUMBER
	[ "$(awk -F : -v number="$2" 'NF != number' "/tmp/nss/$1" | wc -l)" -eq 0 ]
}

# What no terminal is to get: control characters, also those above ASCII, lines, directions, and bytes that are no text.
# Prints the lines that have some.
unsafe_lines() { # [CATEGORY]: one more, such as Cf, the invisible ones
	python3 -c '
import sys, unicodedata
bad = {"Cc", "Cs", "Zl", "Zp", *sys.argv[1:]}
turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
for line in sys.stdin.buffer:
    text = line.rstrip(b"\n").decode("utf-8", "surrogateescape")
    if any(unicodedata.category(c) in bad or unicodedata.bidirectional(c) in turning for c in text):
        print(ascii(text))' "$@"
}

safe() { # LINES CMD...: CMD prints so many lines, all fit for a terminal; "" for any number
	local status=0
	"${@:2}" >/tmp/out 2>&1 || status=$?
	unsafe_lines Cf </tmp/out >/tmp/unsafe
	if [ -s /tmp/unsafe ]; then
		echo "${*:2} printed:"
		head -n 3 /tmp/unsafe
		return 1
	fi
	[ -z "$1" ] || [ "$(wc -l </tmp/out)" -eq "$1" ] || return
	return "$status"
}

text_of() { # HEXADECIMAL: as far as bash can hold it; leaves it in TEXT
	printf -v TEXT '%b' "$(sed 's/00.*//; s/../\\x&/g' <<<"$1")"
}

pam() { # USERNAME: with everybody's password
	timeout 60 pamtester nasty "$1" authenticate acct_mgmt <<<pw-ada
}

try() { # ID HEXADECIMAL: the user's name
	text_of "$2"
	attempt "$1" pam "$TEXT"
}

count() { # TABLE [CONDITION]
	sql "SELECT count(*) FROM $1 WHERE ${2:-1}"
}

@test "there are more than 200 nasty rows, and all of them are read" {
	[ "$(count users "$operator")" -gt 450 ]
	safe '' hexactl publish
	[ "$(($(sed -E 's/.*: ([0-9]+) users, .* roles, ([0-9]+) without.*/\1 + \2/' /tmp/out)))" -eq "$(count users "$operator")" ]
}

@test "every line of NSS is one, in its format: pwck and grpck agree" {
	nss_files
	fields passwd 7
	fields group 4
	fields shadow 9
	[ -z "$(cat /tmp/nss/* | unsafe_lines)" ]
	[ -z "$(cut -d : -f 1 /tmp/nss/passwd | sort -f | uniq -di)" ]
	[ -z "$(cut -d : -f 3 /tmp/nss/passwd | sort | uniq -d)" ]
	[ -z "$(cut -d : -f 1 /tmp/nss/group | sort -f | uniq -di)" ]
	[ "$(awk -F : '$3 == 0' /tmp/nss/passwd)" = "$(grep '^root:' /etc/passwd)" ]
	[ "$(awk -F : '$2 !~ /^(\*|!\*|x)$/' /tmp/nss/passwd | wc -l)" -eq 0 ]
	pwck -q -r /tmp/nss/passwd /tmp/nss/shadow
	grpck -r /tmp/nss/group
}

@test "who has a nasty name, hash, state or type is nobody, or has no password that fits; others get in" {
	local step=1 id name ids=() fine=()
	[ ! -d /tmp/sanitizer ] || step=4
	while IFS='|' read -r id name; do
		ids+=("$id")
		((${#ids[@]} % step == 0)) || continue
		try "$id" "$name"
	done < <(sql "SELECT id, hex(username) FROM users WHERE (id GLOB 'username-*' OR id GLOB 'password-*' OR
		id GLOB 'state-*' OR id GLOB 'type-*') AND username NOT IN ('NULL', 'Inf', 'hexabot.mona', 'hexabot-admin')")
	while IFS='|' read -r id name; do
		fine+=("$id")
		try "$id" "$name"
	done < <(sql "SELECT id, hex(username) FROM users WHERE id IN ('username-null-word', 'fine-email-escape-title',
		'fine-name-passwd-line', 'fine-name-100-kilobytes', 'fine-date-blob', 'roles-nasty')")
	attempts_end
	[ "${#ids[@]}" -gt 150 ]
	got_in "${fine[@]}"
	for id in "${ids[@]}"; do
		[ ! -e "$BATS_TEST_TMPDIR/$id.status" ] || kept_out "$id"
		[ ! -e "$BATS_TEST_TMPDIR/$id.ms" ] || took_less 30000 "$id"
	done
}

@test "what lists them prints a line for each, and nothing that a terminal would obey" {
	safe $(($(count users "$operator") + 1)) hexactl list
	[ "$(wc -c </tmp/out)" -lt 500000 ]
	safe $(($(count roles) + 1)) hexactl role list
	safe '' hexactl list --unmapped
	grep -q 'no login' /tmp/out
	safe '' hexactl list --role $'new\nline'
	safe '' hexactl log
}

@test "--json is JSON of its form, with all of them" {
	json_fits list hexactl list --json
	json_fits role-list hexactl role list --json
	json_fits log hexactl log --json
	safe '' hexactl list --json
	[ "$(grep -c '^    "id": ' /tmp/out)" -eq "$(count users "$operator")" ]
}

@test "each can be looked at, in words and in JSON" {
	local step=3 count=0 id
	[ ! -d /tmp/sanitizer ] || step=30
	while read -r id; do
		((count++ % step == 0)) || continue
		text_of "$id"
		safe '' hexactl show "id:$TEXT"
		json_fits show hexactl show "id:$TEXT" --json
	done < <(sql "SELECT hex(id) FROM users WHERE $operator AND $named")
	[ "$count" -gt 400 ]
}

@test "who is called like an option or another's prefix is found by saying which name is meant" {
	local name
	for name in -rf --force login:mona id:mona +; do
		safe '' hexactl show "username:$name"
	done
	[ "$(hexactl show username:login:mona --json | grep -c '"username": "login:mona"')" -eq 1 ]
}

rows() { # what a hold takes away, and is to give back
	sql "SELECT hex(id), typeof(password), hex(password) FROM users WHERE $operator ORDER BY id;
		SELECT hex(user_id), hex(role_id) FROM user_roles WHERE role_id IN
			(SELECT id FROM roles WHERE $named) ORDER BY 1, 2"
}

@test "each can be held and enabled again, and has every byte back; the others are nobody's" {
	local ids=() id
	rows >/tmp/before
	while read -r id; do
		text_of "$id"
		ids+=("id:$TEXT")
	done < <(sql "SELECT hex(id) FROM users WHERE $operator AND $named AND id NOT GLOB 'fine-*' AND username <> 'admin'")
	[ "${#ids[@]}" -gt 200 ]
	safe '' hexactl disable --hold --force "${ids[@]}"
	[ "$(grep -c 'disabled and held$' /tmp/out)" -eq "${#ids[@]}" ]
	[ "$(count users "substr(password, 1, 8) = '\$2!held.' AND state = 0")" -ge "${#ids[@]}" ]
	safe '' hexactl enable "${ids[@]}"
	rows | diff /tmp/before -
	[ "$(count users "$operator AND NOT ($named)")" -gt 5 ]
	[ "$(hexactl list --json | grep -c '"login": null')" -ge "$(count users "$operator AND NOT ($named)")" ]
}

@test "what changes the others works, or says why not" {
	local id ids=(password-null password-half-megabyte-blob state-blob-one 'fine-email-100-kilobytes' roles-nasty)
	for id in "${ids[@]}"; do
		safe '' hexactl disable "id:$id"
		safe '' hexactl enable "id:$id"
		safe '' hexactl role add "id:$id" operators
		safe '' hexactl role remove "id:$id" operators
		safe '' hexactl passwd "id:$id" --stdin <<<pw-new-one
		safe '' hexactl erase --yes "id:$id"
	done
	[ "$(count users "id IN ('password-null', 'roles-nasty')")" -eq 0 ]
}

visitors() { # NUMBER
	sql 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
		INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, state, source_id, username, email)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < '"$1"')
		SELECT printf("visitor-%07d", i), datetime(), datetime(), "mona", "lind", "SubscriberOrmEntity", 1, "web",
			iif(i % 2, "visitor" || i, NULL), iif(i % 3, NULL, "visitor" || i || "@example.org") FROM n' >/dev/null
}

pages_read() { # CMD...: calls of pread64 that it took
	strace -f -qq -e trace=pread64 -e signal=none -o /tmp/trace "$@" >/dev/null 2>&1
	wc -l </tmp/trace
}

@test "a million chat visitors beside them cost neither time nor memory" {
	local number=1000000 before after
	[ ! -d /tmp/sanitizer ] || number=20000
	hexactl publish
	if [ ! -d /tmp/sanitizer ]; then
		before=$(pages_read hexactl publish)
	fi
	visitors "$number"
	[ "$(count users)" -gt "$number" ]
	safe '' timeout 60 hexactl publish
	[[ $(cat /tmp/out) == *' 0 added, 0 removed, 0 changed' ]]
	attempt right pam nastyroles2
	attempt ada pam ada
	attempt visitor pam visitor1
	attempts_end
	got_in ada
	kept_out right visitor
	if [ ! -d /tmp/sanitizer ]; then
		after=$(pages_read hexactl publish)
		echo "publish read $before pages, and $after with the visitors"
		[ "$after" -lt $((before + before / 4 + 200)) ]
		[ "$(pages_read pamtester nasty ada authenticate acct_mgmt <<<pw-ada)" -lt 200 ]
		prlimit --data=$((48 << 20)) hexactl publish
		prlimit --data=$((48 << 20)) hexactl list >/dev/null
	fi
}
